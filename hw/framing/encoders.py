"""What each family of readers would send for a payload: the other side of `Framer`, for simulated readers and tests."""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

from hw.framing.families import Family

_MRZ = re.compile(rb"[A-Z0-9<?*]+(?:\n[A-Z0-9<?*]+){1,2}")
_RTE_WIDTH = {True: 30, False: 44}


def encode(payload: bytes, family: Family | str, *, symbology: str = "", terminator: bytes = b"\r") -> bytes:
    """Return the bytes of a reader of this family for one `Frame.payload`.

    `terminator` ends lines of the raw families; empty for a reader that sends MRZ lines as one run and says nothing at
    the end. Raises ValueError when a reader of the family could not send such a payload, and for `auto`.
    """
    family = Family(family)
    is_mrz = _MRZ.fullmatch(payload) is not None
    marked = symbology.encode("ascii") + payload
    match family:
        case Family.RAW | Family.HONEYWELL | Family.BARCODE:
            return (marked.replace(b"\n", terminator) if is_mrz else marked) + terminator
        case Family.ACCESS_IS if is_mrz:
            return b"\x1c\x02" + payload.replace(b"\n", b"\r") + b"\r\x03\x1d"
        case Family.ACCESS_IS if payload[:1] in (b"%", b";", b"+"):
            return b"\x0e\x02" + b"I1" + payload + b"\x03\x0f"
        case Family.ACCESS_IS:
            return b"\x1e\x02" + (marked if symbology else b"a" + payload) + b"\x03\x1f"
        case Family.STX_ETX:
            return b"\x02" + (payload.replace(b"\n", b"\r") if is_mrz else marked) + b"\r\x03"
        case Family.ELYCTIS if is_mrz:
            lines = payload.replace(b"\n", b"\r") + b"\r\r"
            return b"\x49" + len(lines).to_bytes(2, "big") + lines
        case Family.RTE if is_mrz:
            return _encode_rte(payload.split(b"\n"))
        case _:
            raise ValueError(f"a reader of the family {family} sends no such payload")


def _encode_rte(lines: list[bytes]) -> bytes:
    width = _RTE_WIDTH[len(lines) == 3]
    padded = [line.ljust(width, b"_") for line in [b""] * (3 - len(lines)) + lines]  # the bottom line is always L3
    body = b"OU\x02\x20" + b"".join(line + b"\r" for line in padded) + b"\x03"
    covered = len(body).to_bytes(2, "little") + body
    return b"\x01" + covered + bytes([reduce(xor, covered)])
