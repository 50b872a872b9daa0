"""The checks on check digits, each apart from what its field says.

Owns one function a check, whose name is the name of its verdict. Always true: a digit is checked over the characters as
the zone has them, lookalikes put right where the field leaves one reading; where one was not read at all the check is
not done. A document number is never changed to make it hold.
"""

from __future__ import annotations

from edge.documents.mrz.check_digits import holds, single_lookalikes
from edge.documents.mrz.reading import Reading, digit_passed, is_unread, not_read
from edge.documents.verdict import Result, Verdict


def document_number_check(reading: Reading) -> Verdict:
    """The number's check digit holds, with or without the filler in a long number."""
    name, digit = "document_number_check", reading.number_digit
    if unread := not_read(name, reading, "document_number", reading.number_digit_at):
        return unread
    for over in reading.readings:
        if holds(over, digit):
            return digit_passed(name, reading, reading.number_digit_at)
    if digit == "<":
        return Verdict(name, Result.FAILED, "no check digit")
    return Verdict(name, Result.FAILED, "the check digit does not hold" + _lookalike_hint(reading))


def date_of_birth_check(reading: Reading) -> Verdict:
    """The check digit of the date of birth holds."""
    return _field_check("date_of_birth", reading)


def date_of_expiry_check(reading: Reading) -> Verdict:
    """The check digit of the date of expiry holds."""
    return _field_check("date_of_expiry", reading)


def optional_data_check(reading: Reading) -> Verdict:
    """The check digit of a passport's optional data holds; without such data it may be 0 or the filler."""
    digit_at = reading.zone.layout.digits["optional_data"]
    if reading.text[digit_at] == "<" and not reading.optional.strip("<"):
        return digit_passed("optional_data_check", reading, digit_at)
    return _field_check("optional_data", reading)


def composite_check(reading: Reading) -> Verdict:
    """The digit over numbers, dates and optional data together holds."""
    layout = reading.zone.layout
    digit_at = layout.composite
    assert digit_at is not None
    spans = layout.composite_over
    if is_unread(reading, (*spans, slice(digit_at, digit_at + 1))):
        return Verdict("composite_check", Result.NOT_DONE, "a character that it needs was not read")
    if holds("".join([reading.text[span] for span in spans]), reading.text[digit_at]):
        return digit_passed("composite_check", reading, digit_at)
    return Verdict("composite_check", Result.FAILED, "the check digit does not hold")


def _field_check(field: str, reading: Reading) -> Verdict:
    name, layout = f"{field}_check", reading.zone.layout
    digit_at, over = layout.digits[field], reading.text[layout.spans[field]]
    if unread := not_read(name, reading, field, digit_at):
        return unread
    if holds(over, reading.text[digit_at]):
        return digit_passed(name, reading, digit_at)
    if reading.text[digit_at] == "<" and not over.strip("<"):
        return Verdict(name, Result.DOUBTFUL, "a filler in place of the digit 0 over an empty field")
    return Verdict(name, Result.FAILED, "the check digit does not hold")


def _lookalike_hint(reading: Reading) -> str:
    """Say where one lookalike would make the number's digit hold; the number itself is never changed."""
    span, layout = reading.zone.layout.spans["document_number"], reading.zone.layout
    if len(reading.readings) > 1:
        return ""
    found = single_lookalikes(reading.number, reading.number_digit)
    if len(found) != 1:
        return ""
    return f"; it would with a lookalike at {layout.places(span.start + found[0])}"
