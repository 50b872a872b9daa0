"""Files that are carried between kiosk and centre where there is no network: JSON Lines of records, lines of receipts.

Owns how the two files are written and taken apart. A file of records is one section after the other: a line that names
the kiosk and holds its signed `Export`, then the records, a line each, as they are stored and would be published. A
file of receipts is a receipt's JWS compact a line, as it would be published. Always true: a line stands for itself, so
what is left of a file that was cut short or damaged is still of use; a section ends where the next one begins.
"""

from __future__ import annotations

import re

import msgspec

from edge.errors import ContractError
from edge.wire.topics import kiosk_id

RECORDS_PATTERN = "records_*.jsonl*"  # what was being written when a stick was pulled out ends in .part
MAX_LINE_BYTES = 4 * 1024 * 1024
MAX_RECEIPT_BYTES = 4096

_SECTION_START = b'{"export":'
_TOKEN = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class SectionLine(msgspec.Struct, frozen=True):
    """The first line of a section; `export` is a JWS compact over `Export`, and `kiosk` says whose key verifies it."""

    export: str
    kiosk: str


_encoder = msgspec.json.Encoder()
_section_decoder = msgspec.json.Decoder(SectionLine)


def records_name(kiosk: str, number: int) -> str:
    """Return the name of a kiosk's file of records; every file system can hold it."""
    return f"records_{kiosk.replace('/', '_')}_{number:03d}.jsonl"


def receipts_name(kiosk: str) -> str:
    """Return the name of the file of receipts for a kiosk."""
    return f"receipts_{kiosk.replace('/', '_')}.txt"


def section_line(kiosk: str, export: str) -> bytes:
    """Return the line that begins a section."""
    return _encoder.encode(SectionLine(export, kiosk)) + b"\n"


def is_section_line(line: bytes) -> bool:
    """Tell whether a line begins a section; a record never begins like this."""
    return line.startswith(_SECTION_START)


def decode_section_line(line: bytes) -> SectionLine:
    """Parse the first line of a section; raise `ContractError` when it is damaged."""
    try:
        section = _section_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ContractError("the first line of a section is damaged") from None
    site, _, name = section.kiosk.partition("/")
    kiosk_id(site, name)
    return section


def encode_receipts(tokens: list[str]) -> bytes:
    """Return a file of receipts."""
    return "".join(f"{token}\n" for token in tokens).encode("ascii")


def decode_receipts(content: bytes) -> list[str]:
    """Return the receipts of a file, none verified; raise `ContractError` when a line cannot be one."""
    lines = [line for raw in content.splitlines() if (line := raw.strip())]
    if not lines or not all(len(line) <= MAX_RECEIPT_BYTES and _TOKEN.fullmatch(line) for line in lines):
        raise ContractError("not a file of receipts, or damaged")
    return [line.decode("ascii") for line in lines]
