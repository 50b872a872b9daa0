"""A document that an officer keys in, because no machine reads it or there is none.

Owns what each typed field may be, under the names that the machine readable zone has (ICAO Doc 9303-3); a check has the
name of the zone's check for the same thing. Names are spelt in the zone's alphabet (section 6), so that they can be
compared. Always true: nothing is refused, a field that is wrong gets its verdict, and what was typed for it is kept
where it is a text; today's date is an argument; no verdict quotes what was typed.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from edge.documents.mrz.dates import bounds
from edge.documents.states import StateKind, specimens, state
from edge.documents.transliteration import to_mrz
from edge.documents.verdict import Document, Result, Verdict

FIELDS = (
    "document_code", "issuing_state", "document_number", "primary_identifier", "secondary_identifier", "nationality",
    "date_of_birth", "sex", "date_of_expiry",
)  # fmt: skip
MOST_CHARACTERS = 120

_FULL_DATE = re.compile(r"([0-9]{4}|XXXX)(?:-([0-9]{2}|XX))?(?:-([0-9]{2}|XX))?", re.ASCII)
_NO_ISSUERS = frozenset({StateKind.PERSON, StateKind.WITHDRAWN, StateKind.SIGNER})
_NO_NATIONALITIES = frozenset({StateKind.WITHDRAWN, StateKind.SIGNER})


def keyed(
    typed: Mapping[str, str], *, source: Literal["manual", "paper"], today: date | None, is_document: bool = True
) -> Document:
    """Return what an officer has typed, with a verdict for each check.

    `typed` has keys of `FIELDS`; what is missing or empty was not given. The kind is `MRV` for a visa (code V), `TD`
    for any other document, and `none` for a person without one: then only what is given is checked.
    """
    given = {name: _plain(text) for name in FIELDS if (text := typed.get(name, "")) and _plain(text)}
    fields: dict[str, Any] = {}
    verdicts = [
        *_document_code(given, fields),
        *_state("issuing_state", given, fields, _NO_ISSUERS),
        *_document_number(given, fields),
        *_names(given, fields),
        *_state("nationality", given, fields, _NO_NATIONALITIES),
        *_date_of_birth(given, fields, today),
        *_sex(given, fields),
        *_date_of_expiry(given, fields, today),
        *_specimen(fields),
    ]
    if not is_document:
        absent = {check for check, names in _FIELDS_OF.items() if not given.keys() & names}
        return Document("none", source, fields, tuple(one for one in verdicts if one.check not in absent))
    kind = "MRV" if str(fields.get("document_code", "")).startswith("V") else "TD"
    return Document(kind, source, fields, tuple(verdicts))


_FIELDS_OF = {
    **{name: {name} for name in FIELDS},
    "names": {"primary_identifier", "secondary_identifier"},
    "validity": {"date_of_expiry"},
    "specimen": {"issuing_state", "nationality"},
}


def full_date(text: str) -> str | None:
    """Return a typed day as a full-date, X for what is not known (`1974`, `1974-08`, `1974-08-XX`); None for no day."""
    found = _FULL_DATE.fullmatch(text.upper())
    if found is None:
        return None
    year, month, day = found[1], found[2] or "XX", found[3] or "XX"
    if (year == "XXXX" and month != "XX") or (month == "XX" and day != "XX"):
        return None
    if month != "XX":
        if not 1 <= int(month) <= 12 or year == "0000":
            return None
        if day != "XX" and not 1 <= int(day) <= calendar.monthrange(int(year), int(month))[1]:
            return None
    return f"{year}-{month}-{day}"


def _plain(text: str) -> str:
    """Return typed text without spaces around it or more than one within, bounded."""
    return " ".join(text.split())[:MOST_CHARACTERS].upper()


def _document_code(given: Mapping[str, str], fields: dict[str, Any]) -> list[Verdict]:
    code = given.get("document_code", "").rstrip("<")
    if not code:
        return [Verdict("document_code", Result.FAILED, "not given")]
    fields["document_code"] = code
    if not (code.isascii() and code.isalpha() and len(code) <= 2 and code[0] in "PACIV"):
        return [Verdict("document_code", Result.FAILED, "not one or two letters that begin with P, A, C, I or V")]
    return [Verdict("document_code", Result.OK)]


def _state(name: str, given: Mapping[str, str], fields: dict[str, Any], odd: frozenset[StateKind]) -> list[Verdict]:
    code = given.get(name, "").rstrip("<")
    if not code:
        return [Verdict(name, Result.FAILED, "not given")]
    fields[name] = code
    found = state(code)
    if found is None:
        return [Verdict(name, Result.FAILED, "not a code of Doc 9303-3 section 5")]
    if found.kind in odd:
        return [Verdict(name, Result.DOUBTFUL, f"a code of the kind {found.kind.value}")]
    return [Verdict(name, Result.OK)]


def _document_number(given: Mapping[str, str], fields: dict[str, Any]) -> list[Verdict]:
    number = re.sub(r"[ <-]", "", given.get("document_number", ""))
    if not number:
        return [Verdict("document_number", Result.FAILED, "no document number")]
    fields["document_number"] = number
    if not (number.isascii() and number.isalnum()):
        return [Verdict("document_number", Result.FAILED, "not letters and digits alone")]
    return [Verdict("document_number", Result.OK)]


def _names(given: Mapping[str, str], fields: dict[str, Any]) -> list[Verdict]:
    is_spelt = True
    for name in ("primary_identifier", "secondary_identifier"):
        if name not in given:
            continue
        try:
            fields[name] = to_mrz(given[name]).replace("<", " ") or given[name]
        except ValueError:
            fields[name], is_spelt = given[name], False
    if "primary_identifier" not in fields:
        without = "no primary identifier" if "secondary_identifier" in fields else "no name"
        result = Result.DOUBTFUL if "secondary_identifier" in fields else Result.FAILED
        return [Verdict("names", result, without)]
    if not is_spelt:
        return [Verdict("names", Result.DOUBTFUL, "a character has no spelling in the zone's alphabet")]
    return [Verdict("names", Result.OK)]


def _date_of_birth(given: Mapping[str, str], fields: dict[str, Any], today: date | None) -> list[Verdict]:
    found = full_date(given.get("date_of_birth", ""))
    if found is None:
        return [Verdict("date_of_birth", Result.FAILED, "no such day" if "date_of_birth" in given else "not given")]
    fields["date_of_birth"] = found
    if today is not None and not found.startswith("XXXX") and bounds(found)[0] > today.isoformat():
        return [Verdict("date_of_birth", Result.FAILED, "after today")]
    return [Verdict("date_of_birth", Result.OK, "not known to the day" if "X" in found else "")]


def _sex(given: Mapping[str, str], fields: dict[str, Any]) -> list[Verdict]:
    letter = given.get("sex", "").replace("<", "X")
    if letter not in ("M", "F", "X"):
        return [Verdict("sex", Result.FAILED, "not M, F or X" if letter else "not given")]
    fields["sex"] = letter
    return [Verdict("sex", Result.OK)]


def _date_of_expiry(given: Mapping[str, str], fields: dict[str, Any], today: date | None) -> list[Verdict]:
    """Return two checks; some documents have no date of expiry, so none that was given is no fault."""
    if "date_of_expiry" not in given:
        return [Verdict("validity", Result.NOT_DONE, "no date of expiry was given")]
    found = full_date(given["date_of_expiry"])
    if found is None:
        no_day = Verdict("date_of_expiry", Result.FAILED, "no such day")
        return [no_day, Verdict("validity", Result.NOT_DONE, "date_of_expiry was not read")]
    fields["date_of_expiry"] = found
    return [Verdict("date_of_expiry", Result.OK), _validity(found, today)]


def _validity(expiry: str, today: date | None) -> Verdict:
    if today is None:
        return Verdict("validity", Result.NOT_DONE, "clock unset")
    if expiry.startswith("XXXX"):
        return Verdict("validity", Result.NOT_DONE, "the document gives no date of expiry")
    earliest, latest = bounds(expiry)
    if latest < today.isoformat():
        return Verdict("validity", Result.FAILED, "expired")
    if earliest < today.isoformat() and "X" in expiry:
        return Verdict("validity", Result.DOUBTFUL, "the date of expiry is not given to the day")
    return Verdict("validity", Result.OK)


def _specimen(fields: Mapping[str, Any]) -> list[Verdict]:
    for name in ("issuing_state", "nationality"):
        if fields.get(name) in specimens():
            return [Verdict("specimen", Result.DOUBTFUL, f"{name} is a specimen's")]
    return [Verdict("specimen", Result.OK)]
