"""Visible digital seals: Doc 9303-13 and the profiles that BSI TR-03137 part 1 builds on it.

A seal is the binary content of a Data Matrix, Aztec or QR code: a header that names the signer, a message zone of
document features, and an ECDSA signature over both. Left out: the ICAO datastructure for barcode (`RDB1`), French
2D-Doc and the administrative documents of BSI TR-03171; they come back as `unknown` or as an unknown type.

Checks, each one verdict: `encoding`, `header`, `document_type`, `features`, `mrz`, `dates`, `signature`, `signer`,
`trust_list_age`, `issuing_country`.
"""

from edge.documents.vds.seal import CHECKS, encode, encode_unsigned, parse

__all__ = ["CHECKS", "encode", "encode_unsigned", "parse"]
