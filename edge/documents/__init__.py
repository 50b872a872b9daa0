"""Travel documents, one pure module a standard; `read` routes a payload to the one that understands it.

Always true here: no I/O, no clock (today's date is an argument), no exception for any input, and no personal data in a
`repr`, a verdict or an error.
"""
