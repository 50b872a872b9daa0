"""Another person's zone with the same faults: for a field fault that is to become a test.

Owns which characters of a zone tell of a person, and how far each check digit was off. Always true: letters stay
letters, digits digits, dates days of the calendar; a digit that did not hold is off by as much as before; state codes,
document codes, fillers and characters that stand where they may not are kept.
"""

from __future__ import annotations

import random
import string
from datetime import date, timedelta

import msgspec

from edge.documents.mrz import dates
from edge.documents.mrz.check_digits import check_digit, holds
from edge.documents.mrz.reading import Reading
from edge.documents.mrz.zone import Zone

_CLASSES = (
    *(string.ascii_uppercase, string.ascii_lowercase, string.digits),
    *("".join(map(chr, range(*ends))) for ends in ((0x80, 0xC0), (0xC0, 0xE0), (0xE0, 0xF0), (0xF0, 0x100))),
)
_KEPT = ("document_code", "issuing_state", "nationality")
_FIRST_BIRTH, _BIRTH_DAYS = date(1940, 1, 1), 22_000
_EXPIRY_SHIFT_DAYS = 300


def disguise(zone: Zone, chance: random.Random) -> str:
    """Return the characters of the zone with the person taken out; as long as the zone, and with its faults."""
    text = list(zone.text)
    spans, digits = zone.layout.spans, zone.layout.digits
    kept = {place for name in _KEPT if name in spans for place in range(spans[name].start, spans[name].stop)}
    kept |= zone.unreadable | zone.repaired
    for place, character in enumerate(zone.text):
        if place not in kept:
            text[place] = other_of_its_class(character, chance)
    for name in ("date_of_birth", "date_of_expiry"):
        if name in spans and not kept.intersection(range(spans[name].start, spans[name].stop)):
            text[spans[name]] = _other_date(name, zone.text[spans[name]], chance)
    if zone.text[spans["sex"].start] in "MF":
        text[spans["sex"].start] = chance.choice("MF")
    if zone.layout.kind == "IDFRA":
        text[spans["document_number"].start : spans["document_number"].start + 4] = zone.text[36:40]
    for offset in (*digits.values(), zone.layout.composite):
        if offset is not None:
            text[offset] = zone.text[offset]
    _put_digits_back(zone, text)
    return "".join(text)


def other_of_its_class(character: str, chance: random.Random) -> str:
    """Return a capital for a capital, a small letter for a small one, a digit for a digit.

    A byte beyond ASCII, which may be part of a letter in UTF-8, becomes another of the same place in a sequence; signs
    and controls stay as they are.
    """
    for characters in _CLASSES:
        if character in characters:
            return chance.choice(characters)
    return character


def _other_date(name: str, six: str, chance: random.Random) -> str:
    """Return another day of the calendar, unknown parts left unknown; what was no date keeps its month and day."""
    full_date = dates.date_of_birth(six, None)
    if full_date is None:
        return "".join(other_of_its_class(character, chance) for character in six[:2]) + six[2:]
    if name == "date_of_birth" or "<" in six:
        day = _FIRST_BIRTH + timedelta(days=chance.randrange(_BIRTH_DAYS))
    else:
        day = date(2000 + int(six[:2]), int(six[2:4]) or 1, min(int(six[4:]) or 1, 28))
        day += timedelta(days=chance.randint(-_EXPIRY_SHIFT_DAYS, _EXPIRY_SHIFT_DAYS))
    fresh = day.strftime("%y%m%d")
    unknown = [six[start : start + 2] in ("<<", "00") and (start > 0 or six[:2] == "<<") for start in (0, 2, 4)]
    return "".join(six[2 * n : 2 * n + 2] if unknown[n] else fresh[2 * n : 2 * n + 2] for n in range(3))


def _put_digits_back(zone: Zone, text: list[str]) -> None:
    """Recompute every check digit, and add what it was off by."""
    layout = zone.layout
    before, after = Reading(zone, None), Reading(msgspec.structs.replace(zone, text="".join(text)), None)
    held = [place for place, over in enumerate(before.readings) if holds(over, before.number_digit)]
    which = held[0] if held else 0
    at = before.number_digit_at
    text[at] = _off_as_before(zone.text[at], before.readings[which], after.readings[which])
    for name, offset in layout.digits.items():
        if name != "document_number":
            span = layout.spans[name]
            text[offset] = _off_as_before(zone.text[offset], zone.text[span], "".join(text[span]))
    if layout.composite is not None:
        over, now = ("".join("".join(one[span]) for span in layout.composite_over) for one in (zone.text, text))
        text[layout.composite] = _off_as_before(zone.text[layout.composite], over, now)


def _off_as_before(digit: str, over: str, now: str) -> str:
    if digit not in string.digits:
        return digit
    return str((int(digit) - check_digit(over) + check_digit(now)) % 10)
