"""The contract between kiosk and centre, version 1: topics, records, messages, the crossing.

Owns every byte that both ends must agree on; JSON Schemas, the AsyncAPI document and the golden examples beside this
file are generated from these types. Always true: nothing here does I/O, and no type shows personal data in its `repr`.
"""
