"""Take the person out of a reader's frame, and leave what went wrong with it.

Owns what of a frame is structure (framing, sizes, versions, element names) and what tells of a person; machine readable
zones are left to `mrz.disguise`. Always true: every letter and digit that is no structure is replaced by another of its
class, and check digits are off by as much as before. A seal or health certificate cannot be told apart from its
content, so such a frame is refused.
"""

from __future__ import annotations

import random
import re
from datetime import date

import msgspec

from edge.documents.mrz.disguise import disguise, other_of_its_class
from edge.documents.mrz.zone import locate
from edge.documents.read import read

_MOST_TRIES, _LEAST_TRIES, _TRIED_CHARACTERS = 20, 3, 10_000
_MOST_SHORT_RUNS = 8  # more of them are no framing but text in UTF-16, or packed
_CONTROLS = dict.fromkeys([*range(0x20), 0x7F], "\r")
_SHORT_RUN = re.compile(r"(?<![ -~\x80-\xff])[ -~\x80-\xff]{1,2}(?![ -~\x80-\xff])")  # OU, a type, a track
# An AIM identifier where data begin; the code and length of an Elyctis message.
_ENVELOPE = re.compile(r"(?<![ -~])\](?:z[0-9A-C]?|[A-Za-z][0-9]?)|(?<![ -~])[ICVWRT]\x00.", re.DOTALL)
_BOARDING_PASS = re.compile(r"M[1-9][ -~]{56}")
_LICENCE = re.compile(r"@[\s\x1c-\x1f]{0,8}(?:ANSI |AAMVA)[0-9]{2,18}(?:[A-Z]{2}[0-9]{8})*")
_ELEMENT = re.compile(r"(?<=[\n\r0-9])(?:DL|ID|Z[A-Z])[DZ][A-Z]{2}|(?<=[\n\r])[DZ][A-Z]{2}")
_SIGNED = re.compile(r"HC1:|\xdc[\x02-\x04]|\"sig\"")
_UNIT = re.compile(r"(?<=[0-9] )(?:in|cm)(?=[\n\r])")
# Sex, eyes, hair, country, state, classes, truncations, marks: a name of three letters is none of them.
_CODE_OF_LICENCE = re.compile(r"(?<=[\n\r])D(?:BC|AY|AZ|CG|AJ|C[ABDE]|D[ADEFGKL])[A-Z0-9]{1,3}(?=[ \n\r])")
_HEX = re.compile(r"[0-9A-Fa-f]{2}")


_DAY_OF_LICENCE = re.compile(r"(?<=[\n\rLD])(D[BD][A-Z])([0-9]{8})(?![0-9])")


class Redacted(msgspec.Struct, frozen=True):
    """A frame without its person; `is_faithful` tells whether every check comes out as it did before."""

    frame: bytes
    is_faithful: bool


def redact(frame: bytes, *, seed: int, today: date | None = None) -> Redacted:
    """Return the frame with every personal letter and digit replaced by another of its class.

    `frame` is what came over the wire, framing included; `seed` makes the outcome repeatable; `today` keeps an expired
    document expired. Raises ValueError for a seal or certificate, whose signature covers the person.
    """
    text = frame.decode("latin-1")
    if _SIGNED.search(text):
        raise ValueError("a signed seal or certificate cannot be redacted; use a specimen of the same profile")
    chance = random.Random(seed)
    wanted = _results(text, today)
    changed = text
    for _ in range(min(_MOST_TRIES, max(_LEAST_TRIES, _TRIED_CHARACTERS // max(1, len(text))))):
        changed = _replaced(text, chance)
        if _results(changed, today) == wanted:
            return Redacted(_with_block_check(frame, changed), True)
    return Redacted(_with_block_check(frame, changed), False)


def _replaced(text: str, chance: random.Random) -> str:
    kept = _structure(text)
    out = [one if place in kept else other_of_its_class(one, chance) for place, one in enumerate(text)]
    for found in _DAY_OF_LICENCE.finditer(text):
        out[slice(*found.span(2))] = _other_day(found, chance)
    if not (_BOARDING_PASS.search(text) or _LICENCE.search(text)) and (located := locate(_bare(text))):
        zone, origins = located
        for origin, was, now in zip(origins, zone.text, disguise(zone, chance), strict=True):
            if origin >= 0 and text[origin].isalnum() and (was != now or text[origin].upper() == was):
                out[origin] = now.lower() if text[origin].islower() else now
            elif origin >= 0:
                out[origin] = text[origin]
    return "".join(out)


def _bare(text: str) -> str:
    """Return the text as long as it is, with line ends for what only frames it."""
    return _ENVELOPE.sub(lambda found: "\r" * len(found[0]), text).translate(_CONTROLS)


def _other_day(found: re.Match[str], chance: random.Random) -> str:
    """Return another day of the year, and for a date of birth of another year; the order of its parts is kept."""
    element, digits = found.groups()
    is_year_first = digits[:2] in ("19", "20")
    year = digits[:4] if is_year_first else digits[4:]
    if element == "DBB":
        year = f"19{chance.randint(40, 99)}"
    day = f"{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
    return year + day if is_year_first else day + year


def _structure(text: str) -> set[int]:
    """Return the offsets of characters that say how the frame is built."""
    runs = [run.span() for run in _SHORT_RUN.finditer(text)]
    kept = {place for run in runs for place in range(*run)} if len(runs) <= _MOST_SHORT_RUNS else set()
    kept |= {place for found in _ENVELOPE.finditer(text) for place in range(*found.span())}
    if found := _BOARDING_PASS.search(text):
        kept |= _boarding_pass_structure(text, found.start())
    if found := _LICENCE.search(text):
        kept |= set(range(*found.span()))
        for shape in (_ELEMENT, _CODE_OF_LICENCE, _UNIT):
            kept |= {place for element in shape.finditer(text) for place in range(*element.span())}
    return kept


def _boarding_pass_structure(text: str, start: int) -> set[int]:
    """Return what a boarding pass (IATA Resolution 792) is built of, and what tells of its flights alone.

    Format, counts, sizes, versions and indicators; places, carriers, day of the year and compartment. Name, booking,
    flight number, seat, tickets and frequent flyer numbers tell of a person.
    """
    kept = {start, start + 1, start + 22}
    at = start + 23
    for leg in range(int(text[start + 1])):
        kept |= {*range(at + 7, at + 16), *range(at + 21, at + 25), *range(at + 34, at + 37)}
        size = text[at + 35 : at + 37]
        at += 37
        if not _HEX.fullmatch(size):
            return kept
        repeated, end = at, at + int(size, 16)
        if leg == 0 and text[at : at + 1] == ">":
            repeated = at + 4 + _sized(text, at + 2)
            kept |= set(range(at + 1, min(at + 15, repeated, end)))
        of_flight = {repeated, repeated + 1, *range(repeated + 15, repeated + 23), *range(repeated + 39, repeated + 44)}
        kept |= {place for place in of_flight if place < min(repeated + 2 + _sized(text, repeated), end)}
        at = end
    return kept | ({at + 1, at + 2, at + 3} if text[at : at + 1] == "^" else set())


def _sized(text: str, place: int) -> int:
    """Return the size that two hexadecimal digits say, 0 where there are none."""
    return int(text[place : place + 2], 16) if _HEX.fullmatch(text[place : place + 2]) else 0


def _results(text: str, today: date | None) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return what has to stay: the kind, and the result of every check."""
    start = next((found.start() for shape in (_BOARDING_PASS, _LICENCE) if (found := shape.search(text))), None)
    document = read(_bare(text) if start is None else text[start:], today=today)
    return document.kind, tuple((one.check, one.result.value) for one in document.verdicts)


def _with_block_check(frame: bytes, changed: str) -> bytes:
    """Carry the changes into the exclusive-or at the end of a frame that begins with SOH: a wrong one stays wrong."""
    out = bytearray(changed.encode("latin-1"))
    if frame.startswith(b"\x01") and len(frame) > 2 and frame[-2] == 0x03:
        out[-1] = frame[-1]
        for before, after in zip(frame[:-1], out[:-1], strict=True):
            out[-1] ^= before ^ after
    return bytes(out)
