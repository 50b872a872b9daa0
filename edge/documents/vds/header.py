"""The header of a visible digital seal (Doc 9303-13, section 2.2.1): who signed, when, and what kind of document it is.

Owns its two lengths of certificate reference and its dates. Always true: `read` returns what is there or raises
`LayerBroken`; a date of zeros or one that no calendar has is left open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from edge.documents.layers import LayerBroken
from edge.documents.vds import c40

MAGIC = 0xDC
FIXED_REFERENCE = 5  # characters of the certificate reference in version 3
_FIXED = slice(4, 4 + FIXED_REFERENCE)  # where it stands behind the signer identifier
_HEX = re.compile(r"[0-9A-F]{2}")
_VERSION_OF_BYTE = {0x02: 3, 0x03: 4}  # the standard counts one more than it writes


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says; `document_reference` joins feature definition (high byte) and type category (low byte)."""

    version: int
    issuing_country: str
    signer_identifier: str
    certificate_reference: str
    document_issue_date: date | None
    signature_creation_date: date | None
    document_reference: int

    def encode(self) -> bytes:
        """Return the bytes of the header; raises ValueError for what it cannot hold."""
        if self.version not in _VERSION_OF_BYTE.values():
            raise ValueError("version must be 3 or 4")
        if len(self.signer_identifier) != 4:
            raise ValueError("signer_identifier must be a country of two letters and two characters")
        if not 1 <= len(self.issuing_country) <= 3:
            raise ValueError("issuing_country must be a code of Doc 9303-3")
        reference = self.certificate_reference.upper()
        if self.version == 3:
            if len(reference) > FIXED_REFERENCE:
                raise ValueError("certificate_reference has at most 5 characters in version 3")
            named = self.signer_identifier + reference.rjust(FIXED_REFERENCE, "0")
        elif 0 < len(reference) <= 0xFF:
            named = f"{self.signer_identifier}{len(reference):02X}{reference}"
        else:
            raise ValueError("certificate_reference must have 1 to 255 characters")
        return b"".join(
            (
                bytes((MAGIC, self.version - 1)),
                c40.encode(self.issuing_country.ljust(3, "<")),
                c40.encode(named),
                _encoded_date(self.document_issue_date),
                _encoded_date(self.signature_creation_date),
                self.document_reference.to_bytes(2, "big"),
            )
        )


def read(seal: bytes) -> tuple[Header, int, str]:
    """Return the header, where the message zone begins, and a remark (empty: nothing to say); raises `LayerBroken`.

    Some German arrival attestations say version 4 and have the reference of version 3, and some German administrative
    documents count it in decimal: if the dates make no sense at their place, other lengths are tried.
    """
    if len(seal) < 2 or seal[0] != MAGIC:
        raise LayerBroken("header", "does not begin with DC")
    version = _VERSION_OF_BYTE.get(seal[1])
    if version is None:
        raise LayerBroken("header", f"version byte {seal[1]:02X} is not of the standard")
    try:
        if version == 3:
            return *_read(seal, version, _FIXED), ""
        return _read_version_4(seal)
    except ValueError as e:
        raise LayerBroken("header", str(e)) from None


def _read_version_4(seal: bytes) -> tuple[Header, int, str]:
    without_dates = None
    for reference, remark in _references(seal):
        try:
            found = *_read(seal, 4, reference), remark
        except ValueError:
            continue
        if _has_dates(found[0]):
            return found
        without_dates = without_dates or found
    if without_dates is None:
        raise ValueError("cut off, or not C40")
    return without_dates


def _references(seal: bytes) -> Iterator[tuple[slice, str]]:
    """Yield where the certificate reference may stand in version 4: as the standard has it first."""
    length = c40.decode(seal[4:8])[4:6]
    if _HEX.fullmatch(length):
        yield slice(6, 6 + int(length, 16)), ""
    yield _FIXED, "certificate reference as in version 3"
    if length.isdecimal():
        yield slice(6, 6 + int(length)), "length of the certificate reference is decimal"


def _has_dates(header: Header) -> bool:
    return header.document_issue_date is not None and header.signature_creation_date is not None


def _read(seal: bytes, version: int, reference: slice) -> tuple[Header, int]:
    """Read a header whose reference stands at these characters behind its start; raises ValueError."""
    named_end = 4 + (reference.stop + 2) // 3 * 2
    end = named_end + 8
    if len(seal) < end:
        raise ValueError("cut off")
    named = c40.decode(seal[4:named_end])
    header = Header(
        version,
        c40.decode(seal[2:4]).rstrip(),
        named[:4],
        named[reference].strip(),
        _decoded_date(seal[named_end : named_end + 3]),
        _decoded_date(seal[named_end + 3 : named_end + 6]),
        int.from_bytes(seal[named_end + 6 : end], "big"),
    )
    return header, end


def _encoded_date(day: date | None) -> bytes:
    """Return month, day and year as one number in three bytes (section 2.3.1); zeros if it is open."""
    return (0 if day is None else int(f"{day:%m%d}{day.year:04}")).to_bytes(3, "big")


def _decoded_date(encoded: bytes) -> date | None:
    digits = f"{int.from_bytes(encoded, 'big'):08}"
    try:
        return date(int(digits[4:]), int(digits[:2]), int(digits[2:4]))
    except ValueError:
        return None
