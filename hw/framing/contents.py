"""What can be told of a payload without understanding it: is it text, a VDS, an AAMVA barcode, and where does it end.

Owns the few facts of the standards that framing cannot do without, because these barcodes hold every byte that readers
use as a terminator. Fields and signatures belong to `edge.documents`.
"""

from __future__ import annotations

import re

AIM = rb"\][A-Za-z][0-9A-Za-z]?"  # ISO/IEC 15424: flag, code character, modifier
# AAMVA DL/ID standard, header: "@", LF, RS (FS in the first edition), CR. An ICAO VDS: magic DC and a version byte.
AAMVA_START = rb"@\r?\n[\x1c\x1e]"
VDS_START = rb"\xdc[\x01-\x04]"

CONTROL = bytes(set(range(0x20)) - {0x04, 0x09, 0x1C, 0x1D, 0x1E, 0x1F}) + b"\x7f"  # ISO/IEC 15434 uses the others
NOT_ASCII = bytes(range(0x80, 0x100))

AAMVA_ELEMENT = re.compile(rb"[DZ][A-Z]{2}")
_AAMVA_HEADER = re.compile(AAMVA_START + rb"\r?(?:ANSI |AAMVA)[0-9]{10,12}((?:[A-Z]{2}[0-9]{8}){1,16})")
_READER_CR = re.compile(rb"(?<=\r)(?:\r\n|\r|\n)\Z")
_SYMBOLOGY = re.compile(AIM, re.DOTALL)
_CONTENT = re.compile(rb"M[1-9][A-Z /]|HC1:|\{|" + AAMVA_START + rb"|" + VDS_START, re.DOTALL)
_BINARY = re.compile(rb".?(?:%b)?%b" % (AIM, VDS_START), re.DOTALL)
_SIGNATURE_SIZES = (48, 56, 64, 96, 128, 132)  # raw ECDSA, 192 to 521 bits


def is_text(text: bytes) -> bool:
    """Tell whether the bytes are UTF-8 without control characters."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return not any(byte in CONTROL for byte in text)


def is_known_content(text: bytes) -> bool:
    """Tell whether the text begins as one of the documents that barcodes carry."""
    return _CONTENT.match(text) is not None


def begins_binary(buffer: bytes | bytearray, at: int) -> bool:
    """Tell whether a VDS begins here, perhaps behind a byte or identifier that names the symbology."""
    return _BINARY.match(buffer, at) is not None


def split_symbology(text: bytes) -> tuple[str | None, bytes]:
    """Split an AIM identifier off: `]L0@...` and `]L@...` give `]L`."""
    aim = _SYMBOLOGY.match(text)
    if aim is None:
        return None, text
    has_no_modifier = is_known_content(text[2:])
    return text[:2].decode("ascii"), text[2 if has_no_modifier else aim.end() :]


def whole_vds(body: bytes | bytearray) -> bytes | None:
    """Return the bytes without a reader's terminator if they end with the signature of an ICAO VDS, else None.

    Doc 9303-13: the last field is the tag FF, the length and the signature.
    """
    for terminator in (b"", b"\r\n", b"\r", b"\n"):
        seal = bytes(body.removesuffix(terminator))
        if any(seal[-size - 2 : -size] == bytes([0xFF, size]) for size in _SIGNATURE_SIZES):
            return seal
    return None


def ends_with_signature(buffer: bytes | bytearray, start: int, end: int) -> bool:
    """Tell whether what lies between is a whole VDS; looks at no more than its signature."""
    return whole_vds(buffer[max(start, end - _SIGNATURE_SIZES[-1] - 4) : end]) is not None


def without_reader_terminator(aamva: bytes) -> bytes:
    """Return an AAMVA barcode without what the reader put behind the CR that is its own last byte."""
    return _READER_CR.sub(b"", aamva)


def declared_end_of_aamva(buffer: bytes | bytearray) -> int | None:
    """Return where the last subfile ends that the header declares, or None while there is no whole header."""
    header = _AAMVA_HEADER.search(buffer)
    if header is None:
        return None
    designators = [header[1][at : at + 10] for at in range(0, len(header[1]), 10)]
    declared = header.start() + max(int(entry[2:6]) + int(entry[6:10]) for entry in designators)
    return max(declared, header.end())
