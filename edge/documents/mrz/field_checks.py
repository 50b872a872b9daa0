"""The checks on what fields say: alphabets, known codes, days of the calendar, expiry.

Owns one function a check, whose name is the name of its verdict. Check digits are checked elsewhere, and apart: a
letter in a date can satisfy them. Always true: a check fills the field that it read, leaves out one that it could not,
and never looks at the others', so one bad field costs no other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from edge.documents.mrz import dates
from edge.documents.mrz import names as name_field
from edge.documents.mrz.reading import Reading, alphabet, ok, passed
from edge.documents.mrz.zone import CYRILLIC_AS_DIGITS
from edge.documents.states import StateKind, specimens, state
from edge.documents.verdict import Result, Verdict

_NO_NATIONALITIES = frozenset({StateKind.WITHDRAWN, StateKind.SIGNER})
_NO_NAME = Verdict("names", Result.FAILED, "no name")
_NO_ISSUERS = _NO_NATIONALITIES | {StateKind.PERSON}


def line_length(reading: Reading) -> Verdict:
    """Every line is as long as the standard says."""
    return reading.zone.line_length


def line_order(reading: Reading) -> Verdict:
    """The lines came from top to bottom."""
    return reading.zone.line_order


def document_code(reading: Reading) -> Verdict:
    """The code begins with a letter that the kind of document has (Doc 9303-4 to -7, data element 01)."""
    layout = reading.zone.layout
    code = reading.text[layout.spans["document_code"]].rstrip("<")
    unread = alphabet("document_code", reading, "document_code")
    if unread and unread.result is Result.FAILED:
        return unread
    reading.fields["document_code"] = code
    if code[0] not in layout.code_letters:
        return Verdict("document_code", Result.FAILED, f"not a document code of {layout.kind}")
    if code[1:] == "V" if layout.kind in ("TD1", "TD2") else code[1:].isdigit():
        return Verdict("document_code", Result.DOUBTFUL, "the second character is none that the standard allows")
    return unread or ok("document_code")


def issuing_state(reading: Reading) -> Verdict:
    """The issuer's code is one of Doc 9303-3 section 5."""
    return _state_code("issuing_state", reading, _NO_ISSUERS)


def nationality(reading: Reading) -> Verdict:
    """The nationality's code is one of Doc 9303-3 section 5; stateless persons and refugees have one there."""
    return _state_code("nationality", reading, _NO_NATIONALITIES)


def names(reading: Reading) -> Verdict:
    """There is a primary identifier, and the names hold letters alone."""
    span = reading.zone.layout.spans["names"]
    field = reading.text[span]
    primary, secondary = name_field.split(field)
    if not reading.is_clean and (unread := alphabet("names", reading, "names")):
        lost = [place - span.start for place in reading.zone.unreadable if span.start <= place < span.stop]
        middle = field.find("<<") if "<<" in field else span.stop
        primary = "" if any(place < middle for place in lost) else primary
        secondary = "" if any(place > middle for place in lost) else secondary
    else:
        unread = None
    if primary:
        reading.fields["primary_identifier"] = primary
    if secondary:
        reading.fields["secondary_identifier"] = secondary
    if unread:
        return unread
    if not primary:
        return Verdict("names", Result.DOUBTFUL, "no primary identifier") if secondary else _NO_NAME
    behind = field.strip("<").partition("<<")[2]
    if field[0] == "<" or behind.startswith("<") or "<<" in behind:
        return Verdict("names", Result.DOUBTFUL, "fillers where the standard has none")
    if reading.text.startswith(CYRILLIC_AS_DIGITS) and not field.replace("<", "").isalpha():
        return Verdict("names", Result.DOUBTFUL, "digits stand for Cyrillic letters on this document")
    return ok("names")


def names_complete(reading: Reading) -> Verdict:
    """The names do not reach the last position of their field, so nothing was cut off."""
    last = reading.zone.layout.spans["names"].stop - 1
    if last in reading.zone.unreadable:
        return Verdict("names_complete", Result.NOT_DONE, "the end of the names was not read")
    if reading.text[last] != "<":
        return Verdict("names_complete", Result.DOUBTFUL, "the names fill their field and may have been cut")
    return ok("names_complete")


def document_number(reading: Reading) -> Verdict:
    """The number was read; a character that the reader flagged makes it doubtful, whatever the check digit says."""
    unread = alphabet("document_number", reading, "document_number")
    if unread and unread.result is Result.FAILED:
        return unread
    number = reading.number.rstrip("<")
    if not number:
        return Verdict("document_number", Result.FAILED, "no document number")
    reading.fields["document_number"] = number
    if number[0] == "<" and unread is None:
        return Verdict("document_number", Result.DOUBTFUL, "begins with a filler")
    return unread or ok("document_number")


def date_of_birth(reading: Reading) -> Verdict:
    """The date is a day of the calendar, as far as it is known."""
    return _date("date_of_birth", reading, dates.date_of_birth)


def sex(reading: Reading) -> Verdict:
    """The sex is M, F or the filler for unspecified, which the field gives as X."""
    offset = reading.zone.layout.spans["sex"].start
    letter = reading.text[offset]
    if letter in "MF<":
        reading.fields["sex"] = "X" if letter == "<" else letter
        return passed("sex", reading, "sex")
    if letter == "X":
        reading.fields["sex"] = "X"
        return Verdict("sex", Result.DOUBTFUL, "X in place of the filler")
    return Verdict("sex", Result.FAILED, f"{reading.zone.layout.places(offset)} is not M, F or the filler")


def date_of_expiry(reading: Reading) -> Verdict:
    """The date is a day of the calendar, as far as the document gives one."""
    return _date("date_of_expiry", reading, dates.date_of_expiry)


def validity(reading: Reading) -> Verdict:
    """The document has not expired: it is valid through the last day it names."""
    expiry = reading.fields.get("date_of_expiry")
    if reading.today is None:
        return Verdict("validity", Result.NOT_DONE, "clock unset")
    if "date_of_expiry" not in reading.zone.layout.spans:
        return Verdict("validity", Result.NOT_DONE, "the zone has no date of expiry")
    if expiry is None:
        return Verdict("validity", Result.NOT_DONE, "date_of_expiry was not read")
    if expiry.startswith("X"):
        return Verdict("validity", Result.NOT_DONE, "the document gives no date of expiry")
    today = reading.today.isoformat()
    if today <= expiry and "X" not in expiry:
        return ok("validity")
    earliest, latest = dates.bounds(expiry)
    if latest < today:
        if (
            reading.fields.get("issuing_state") == "ESP"
            and reading.text[reading.zone.layout.spans["date_of_expiry"]] == "990101"
        ):
            return Verdict("validity", Result.DOUBTFUL, "Spain writes this date on cards without expiry")
        return Verdict("validity", Result.FAILED, "expired")
    if earliest < today:
        return Verdict("validity", Result.DOUBTFUL, "the date of expiry is not given to the day")
    return ok("validity")


def optional_data(reading: Reading) -> Verdict:
    """The optional data were read; they are the issuer's own, and nothing is said of their meaning."""
    spans = reading.zone.layout.spans
    unread = alphabet("optional_data", reading, "optional_data")
    if not unread or unread.result is not Result.FAILED:
        _keep("optional_data", reading, reading.optional)
    if "optional_data_2" in spans:
        unread_2 = alphabet("optional_data", reading, "optional_data_2")
        if not unread_2 or unread_2.result is not Result.FAILED:
            _keep("optional_data_2", reading, reading.text[spans["optional_data_2"]])
        unread = unread if unread and unread.result is Result.FAILED else unread_2 or unread
    return unread or ok("optional_data")


def specimen(reading: Reading) -> Verdict:
    """Neither the issuer nor the nationality is one that exists for specimens alone."""
    for name in ("issuing_state", "nationality"):
        if reading.fields.get(name) in specimens():
            return Verdict("specimen", Result.DOUBTFUL, f"{name} is a specimen's")
    return ok("specimen")


def _state_code(name: str, reading: Reading, odd: frozenset[StateKind]) -> Verdict:
    code = reading.text[reading.zone.layout.spans[name]]
    found = state(code)
    if found is not None and found.kind not in odd:
        reading.fields[name] = found.code
        return passed(name, reading, name)
    unread = alphabet(name, reading, name)
    if unread and unread.result is Result.FAILED:
        return unread
    if code.rstrip("<"):
        reading.fields[name] = code.rstrip("<")
    if found is None:
        return Verdict(name, Result.FAILED, "not a code of Doc 9303-3 section 5")
    return Verdict(name, Result.DOUBTFUL, f"a code of the kind {found.kind.value}")


def _date(name: str, reading: Reading, resolve: Callable[[str, date | None], str | None]) -> Verdict:
    unread = alphabet(name, reading, name)
    if unread and unread.result is Result.FAILED:
        return unread
    six = reading.text[reading.zone.layout.spans[name]]
    full_date = resolve(six, reading.today)
    if full_date is None:
        return Verdict(name, Result.FAILED, "no such day")
    reading.fields[name] = full_date
    if unread:
        return unread
    if "X" not in full_date:
        return ok(name)
    if six == "000000":
        return Verdict(name, Result.DOUBTFUL, "all zeros: not known, or the year 2000")
    if reading.today is None and not full_date.startswith("XXXX"):
        return Verdict(name, Result.OK, "century open: clock unset")
    return Verdict(name, Result.OK, "not known to the day")


def _keep(name: str, reading: Reading, value: str) -> None:
    if value := value.rstrip("<"):
        reading.fields[name] = value
