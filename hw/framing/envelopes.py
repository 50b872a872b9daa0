"""Messages with a beginning and an end of their own: where each of them ends, and what stands inside.

Owns the forms of Access-IS, STX/ETX, 3M RTE and Elyctis messages. Every function looks at a buffer and takes nothing
off it; the framer does. What was seen on real readers and what is assumed is said in `families`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor

from hw.framing.contents import begins_binary, ends_with_signature, is_known_content
from hw.framing.families import ENVELOPE, Family

_RTE_LINES = re.compile(rb"([ -~]*)\r([ -~]*)\r([ -~]*)\r\x03(.)", re.DOTALL)
_NOT_RTE = re.compile(rb"[^ -~\r]")

# What opened the message (the name of the group in `Family.starts`) -> its end mark, and the family of its frames.
MARKED = {
    "ocr": (b"\x03\x1d", "access-is"),
    "barcode": (b"\x03\x1f", "access-is-barcode"),
    "magstripe": (b"\x03\x0f", "access-is-magstripe"),
    "stx": (b"\x03", str(Family.STX_ETX)),
}


@dataclass(frozen=True, slots=True)
class Broken:
    """Another message opens at `at`, or something stands there that no such message holds."""

    at: int


def end_of_marked(buffer: bytes | bytearray, start: int, end_mark: bytes, searched: int) -> int | Broken | None:
    """Return where the body that begins at `start` ends, in front of its end mark; None while that is not there.

    Up to `searched` the buffer was looked at before, and neither the end nor another beginning was there.
    """
    since = max(start, searched)
    if begins_binary(buffer, start):
        return _end_of_binary(buffer, start, end_mark, since)
    end = buffer.find(end_mark, since)
    inner = ENVELOPE.search(buffer, since, end if end >= 0 else len(buffer))
    if inner:
        return Broken(inner.start())
    return end if end >= 0 else None


def _end_of_binary(buffer: bytes | bytearray, start: int, end_mark: bytes, since: int) -> int | None:
    """Return where the VDS ends: its signature may contain the end mark."""
    end = buffer.find(end_mark, since)
    while end >= 0 and not ends_with_signature(buffer, start, end):
        end = buffer.find(end_mark, end + 1)
    return end if end >= 0 else None


def unmarked(body: bytes, family: str) -> bytes:
    """Return the document in the body of a marked message, without what the reader says of its kind."""
    match family:
        case "access-is-magstripe" if body[:1] not in (b"%", b";", b"+"):
            return body[2:]  # type and track byte, as one sample shows; sentinels stay with the track
        case "access-is-barcode" if not (is_known_content(body) or body.startswith(b"]")):
            return body[1:]  # names the symbology in the maker's own code
    return body


def end_of_rte(buffer: bytes | bytearray, start: int) -> int | Broken | None:
    """Return where a 3M RTE message ends whose STX is in front of `start`, or None while it is not all there."""
    lines = _RTE_LINES.match(buffer, start + 1)  # one byte of flags, whose values are not known
    if lines:
        return lines.end()
    wrong = _NOT_RTE.search(buffer, start + 1)
    is_bcc_missing = wrong is not None and wrong.end() == len(buffer) and wrong[0] == b"\x03"
    if wrong is None or is_bcc_missing:
        return None
    return Broken(wrong.end() if wrong[0] == b"\x03" else wrong.start())


def lines_of_rte(message: bytes, start: int) -> bytes:
    """Return the lines of a whole 3M RTE message that are there, joined by LF, without the padding."""
    lines = _RTE_LINES.match(message, start + 1)
    parts = (part.rstrip(b"_") for part in lines.groups()[:3]) if lines else ()
    return b"\n".join(line for line in parts if line)


def has_right_bcc(message: bytes) -> bool:
    """Tell whether the last byte is the XOR of the message; where the XOR begins and ends is assumed, so try each."""
    bcc, etx = message[-1], len(message) - 2
    covered = [reduce(xor, message[begin:etx], 0) for begin in (0, 1, 3, 5, 6)]
    return bcc in covered or bcc ^ 0x03 in covered


def end_of_counted(buffer: bytes | bytearray, start: int) -> int | None:
    """Return where an Elyctis message ends whose low byte of length is at `start`; None while it is not all there."""
    end = start + 1 + buffer[start] if len(buffer) > start else None
    return end if end is not None and len(buffer) >= end else None
