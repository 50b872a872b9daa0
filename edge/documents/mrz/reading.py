"""One machine readable zone while it is being read: what every check needs to know of it.

Owns the long document number and the question whether the characters of a field were read at all. Always true: a
character that the reader flagged or that was repaired never passes unsaid.
"""

from __future__ import annotations

from datetime import date
from functools import cache

from edge.documents.mrz.check_digits import ALPHABET
from edge.documents.mrz.zone import Zone
from edge.documents.verdict import Result, Verdict


class Reading:
    """One zone while it is being read. `fields` grow; `number`, `number_digit` and `readings` are settled at the start.

    A document number that is longer than nine characters (Doc 9303-5 and -6) has a filler for its check digit, and goes
    on in the optional data, the digit at its end. `readings` are the texts that the digit may be over: states compute
    it with the filler and without.
    """

    __slots__ = (
        "fields",
        "is_clean",
        "number",
        "number_digit",
        "number_digit_at",
        "optional",
        "readings",
        "text",
        "today",
        "zone",
    )

    def __init__(self, zone: Zone, today: date | None) -> None:
        self.zone, self.text, self.today = zone, zone.text, today
        self.fields: dict[str, str] = {}
        self.is_clean = not (zone.unreadable or zone.repaired or zone.flagged or zone.ended)
        spans = zone.layout.spans
        self.number = self.text[spans["document_number"]]
        self.number_digit_at = zone.layout.digits["document_number"]
        self.number_digit = self.text[self.number_digit_at]
        self.readings: tuple[str, ...] = (self.number,)
        self.optional = self.text[spans["optional_data"]] if "optional_data" in spans else ""
        if self.number_digit == "<" and zone.layout.kind in ("TD1", "TD2"):
            self._go_on_in_optional_data(spans["optional_data"].start)

    def _go_on_in_optional_data(self, start: int) -> None:
        overflow, _, rest = self.optional.partition("<")
        if not overflow or self.number.endswith("<"):
            return
        principal, self.optional = self.number, rest
        self.number, self.number_digit = principal + overflow[:-1], overflow[-1]
        self.number_digit_at = start + len(overflow) - 1
        self.readings = (self.number, f"{principal}<{overflow[:-1]}")


@cache
def ok(check: str) -> Verdict:
    """Return the verdict of a check that passed."""
    return Verdict(check, Result.OK)


def alphabet(name: str, reading: Reading, span_name: str) -> Verdict | None:
    """Return a verdict when a character of the span is not of its alphabet, was repaired, or was flagged."""
    if reading.is_clean:
        return None
    zone = reading.zone
    span = zone.layout.spans[span_name]
    stop = span.stop
    if span_name == "document_number" and len(reading.readings) > 1:
        stop = reading.number_digit_at
    for places, result, said in (
        (zone.unreadable, Result.FAILED, "not a character of this field"),
        (zone.flagged, Result.DOUBTFUL, "not recognised by the reader"),
        (zone.repaired, Result.DOUBTFUL, "a lookalike, read as this field demands"),
        (zone.ended, Result.DOUBTFUL, "taken for fillers that the reader cut off; a character may be missing"),
    ):
        if hit := [place for place in places if span.start <= place < stop]:
            return Verdict(name, result, f"{zone.layout.places(*hit)}: {said}")
    return None


def passed(name: str, reading: Reading, span_name: str) -> Verdict:
    """Return `ok`, or `doubtful` where the reader flagged or repair changed a character of the field."""
    return ok(name) if reading.is_clean else alphabet(name, reading, span_name) or ok(name)


def digit_passed(name: str, reading: Reading, digit_at: int) -> Verdict:
    """Return `ok` for a digit that holds, or `doubtful` where the digit itself was flagged or repaired."""
    if reading.is_clean:
        return ok(name)
    zone = reading.zone
    if digit_at in zone.flagged:
        return Verdict(name, Result.DOUBTFUL, f"{zone.layout.places(digit_at)}: not recognised by the reader")
    if digit_at in zone.repaired:
        return Verdict(name, Result.DOUBTFUL, f"{zone.layout.places(digit_at)}: a lookalike, read as a digit")
    return ok(name)


def not_read(name: str, reading: Reading, field: str, digit_at: int) -> Verdict | None:
    """Return `not_done` when a character from the field's first to its check digit was not read."""
    if not reading.is_clean and is_unread(reading, (slice(reading.zone.layout.spans[field].start, digit_at + 1),)):
        return Verdict(name, Result.NOT_DONE, "a character that it needs was not read")
    return None


def is_unread(reading: Reading, spans: tuple[slice, ...]) -> bool:
    """Tell whether a character is no character at all; a wrong one of the alphabet still has a value to add up."""
    unreadable = reading.zone.unreadable
    return any(
        reading.text[place] not in ALPHABET for span in spans for place in unreadable if span.start <= place < span.stop
    )
