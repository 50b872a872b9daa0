"""Cuts the text of a boarding pass into sections: header, legs with their conditional parts, security data.

Owns the sizes and where they lead; what an item may hold is not looked at here. Always true: a size that does not fit
the text is never obeyed blindly and never corrected in silence; every character lands in some section; the time is
linear in the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edge.documents.bcbp.items import HEADER_SIZE, LEG_SIZE, MOST_LEGS, VERSIONS
from edge.documents.findings import Findings

# What marks the start of a leg where a size led astray: PNR, two airports, carrier, flight number, day of the year.
_LEG_START = re.compile(
    r"[A-Z0-9 ]{7}[A-Z]{6}[A-Z0-9]{2}[A-Z0-9 ][0-9 ]{4}[A-Z0-9 ][0-3][0-9]{2}", re.ASCII | re.IGNORECASE
)
_HEX = re.compile(r"[0-9A-Fa-f]{2}")
_BLANK_AIRPORTS = " " * 6
_MOST_DIGITS_OF_LEGS = 9
_LONGEST_SECURITY = 4 + 0xFF  # the mark, the type, two digits of a size, and as much as they can say


@dataclass(slots=True)
class Leg:
    """One leg as printed: its mandatory items, its repeated conditional items, and what the airline added."""

    mandatory: str
    repeated: str = ""
    airline_use: str = ""


@dataclass(slots=True)
class Layout:
    """Every character of a boarding pass, by section; None where a section is not there."""

    header: str
    legs: list[Leg] = field(default_factory=list)
    version: str | None = None
    unique: str = ""
    security: str | None = None


def cut(text: str, declared_legs: int | None, findings: Findings) -> Layout:
    """Cut `text` into its sections; remarks go to `number_of_legs`, `version` and `field_sizes`.

    `declared_legs` is what the header says, None where it is not a digit; the text itself has the last word.
    """
    position = _header_end(text)
    if position != HEADER_SIZE:
        findings.doubtful(
            "mandatory_items", "passenger_name is not 20 characters long; the legs were found by their form"
        )
    layout = Layout(header=text[:position] if position == HEADER_SIZE else _filled_header(text[:position]))
    wanted = min(1 if declared_legs is None else declared_legs, _MOST_DIGITS_OF_LEGS)
    while position < len(text):
        number = len(layout.legs)
        if text[position] == "^" and (number or len(text) - position < LEG_SIZE):
            break  # the security data; without a leg before it and with the room of one, a misread leg
        if number >= wanted and not (number < _MOST_DIGITS_OF_LEGS and _LEG_START.match(text, position)):
            break
        start, position = position, position + LEG_SIZE
        leg = Leg(mandatory=text[start:position])
        layout.legs.append(leg)
        block, position = _block(text, position, number, number + 1 < wanted, findings)
        if number == 0:
            block = _cut_unique(block, layout, findings)
        if number == 0 and layout.version is None and not _has_repeated(block):
            leg.airline_use = block
        else:
            _cut_repeated(block, leg, number, findings)
    _compare_legs(declared_legs, len(layout.legs), findings)
    rest = text[position:]
    if rest.startswith("^"):
        layout.security = rest[1:]
    elif rest.strip():
        findings.doubtful("field_sizes", f"{len(rest)} characters after the last leg belong to no item")
    return layout


def _header_end(text: str) -> int:
    """Return where the first leg starts: 23, unless it reads as one elsewhere (a reader dropped or added spaces)."""
    if _LEG_START.match(text, HEADER_SIZE):
        return HEADER_SIZE
    found = _LEG_START.search(text, 4, 2 * HEADER_SIZE + LEG_SIZE)
    return found.start() if found else HEADER_SIZE


def _filled_header(header: str) -> str:
    """Give a header that a leg follows too early or too late its 23 characters; the indicator is the last of it."""
    return header[:-1].rstrip().ljust(HEADER_SIZE - 1) + header[-1]


def _compare_legs(declared: int | None, found: int, findings: Findings) -> None:
    if declared is None:
        findings.failed("number_of_legs", "is not a digit")
    elif declared == 0 or declared > MOST_LEGS:
        findings.failed("number_of_legs", "must be 1 to 4")
    if declared is not None and declared != found:
        findings.failed("number_of_legs", f"does not agree with the text, which holds {found}")


def _block(text: str, position: int, leg: int, more: bool, findings: Findings) -> tuple[str, int]:
    """Return the variable part of a leg, and where it ends; `position` is where its size (two characters) stands.

    The size is believed when a leg, security data or nothing follows it; else the text is searched for what should
    follow, and the part ends there.
    """
    where = f"legs[{leg}]"
    start = position + 2
    if position >= len(text):
        findings.doubtful("field_sizes", f"{where}: no size of the variable field; the text ends before it")
        return "", position
    size = _hexadecimal(text[position:start])
    if size is None:
        findings.doubtful("field_sizes", f"{where}: the size of the variable field is not hexadecimal")
    elif start + size <= len(text) and _fits(text, start + size, more):
        if text[position:start] != text[position:start].upper():
            findings.ok("field_sizes", f"{where}: size in lower case")
        return text[start : start + size], start + size
    end = _end_by_search(text, start, more)
    if size is None:
        return text[start:end], end
    if end < start + size:
        findings.doubtful("field_sizes", f"{where}: the text is {start + size - end} characters shorter than its size")
    else:
        findings.doubtful("field_sizes", f"{where}: the text is {end - start - size} characters longer than its size")
    return text[start:end], end


def _hexadecimal(digits: str) -> int | None:
    return int(digits, 16) if _HEX.fullmatch(digits) else None


def _fits(text: str, end: int, more: bool) -> bool:
    """Tell whether what stands at `end` is what should follow the variable part of a leg."""
    if end == len(text) or text[end] == "^" or _LEG_START.match(text, end) is not None:
        return True
    if more:
        return text[end + 7 : end + 13] == _BLANK_AIRPORTS
    return not text[end:].strip()


def _end_by_search(text: str, start: int, more: bool) -> int:
    if more and (next_leg := _LEG_START.search(text, start)):
        return next_leg.start()
    caret = text.find("^", max(start, len(text) - _LONGEST_SECURITY))
    while caret >= 0:
        size = _hexadecimal(text[caret + 2 : caret + 4])
        if size is not None and len(text) - caret - 4 <= size:
            return caret
        caret = text.find("^", caret + 1)
    return len(text)


def _cut_unique(block: str, layout: Layout, findings: Findings) -> str:
    """Take the version and the items that appear once off the block; return what is left of it."""
    if not block:
        findings.not_done("version", "no conditional items")
        return block
    if block[0] == ">":
        after = 1
    elif _is_version_without_mark(block):
        after = 0
        findings.doubtful("version", "the > before the version is missing")
    else:
        findings.doubtful("version", "the variable field does not begin with >; kept as airline data")
        return block
    layout.version = block[after : after + 1] or None
    if layout.version is None or layout.version not in VERSIONS:
        findings.doubtful("version", "is not 1 to 8; read as version 8")
    after += 1
    size = _hexadecimal(block[after : after + 2])
    if size is None:
        if block[after:]:
            findings.doubtful("field_sizes", "the size of the unique conditional items is not hexadecimal")
        return block[after:]
    after += 2
    layout.unique = block[after : after + size]
    if len(layout.unique) < size:
        short = size - len(layout.unique)
        findings.doubtful("field_sizes", f"the unique conditional items are {short} characters shorter than their size")
    return block[after + size :]


def _is_version_without_mark(block: str) -> bool:
    """Tell whether a block reads as version, size and items although its `>` is missing: all sizes must fit."""
    if block[0] not in VERSIONS:
        return False
    unique = _hexadecimal(block[1:3])
    if unique is None or 3 + unique > len(block):
        return False
    repeated = _hexadecimal(block[3 + unique : 5 + unique])
    return 3 + unique == len(block) or (repeated is not None and 5 + unique + repeated <= len(block))


def _has_repeated(block: str) -> bool:
    """Tell whether a block begins with the size of repeated items, and has room for them."""
    size = _hexadecimal(block[:2])
    return size is not None and 2 + size <= len(block)


def _cut_repeated(block: str, leg: Leg, number: int, findings: Findings) -> None:
    if not block:
        return
    size = _hexadecimal(block[:2])
    if size is None:
        findings.doubtful(
            "field_sizes", f"legs[{number}]: the size of the repeated conditional items is not hexadecimal; kept whole"
        )
        leg.airline_use = block
        return
    leg.repeated = block[2 : 2 + size]
    leg.airline_use = block[2 + size :]
    if len(leg.repeated) < size:
        short = size - len(leg.repeated)
        findings.doubtful(
            "field_sizes",
            f"legs[{number}]: the repeated conditional items are {short} characters shorter than their size",
        )
