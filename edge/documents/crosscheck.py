"""Whether two documents of one crossing speak of the same person.

Owns the comparison of a boarding pass or a visa with a travel document. It owns no policy: a verdict here is a reason
to look again, never to turn somebody away. Always true: names agree by degrees, so every agreement has a score from 0
to 1; a detail names fields and never quotes them.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from edge.documents.name_match import Likeness, Name, likeness
from edge.documents.verdict import Result, Verdict

OK_FROM = 0.9
DOUBTFUL_FROM = 0.5
BOARDING_PASS_NAME_SIZE = 20  # IATA Resolution 792, item 11
_NAME_SIZES = {"TD1": 30, "TD2": 31, "TD3": 39, "MRV-A": 39, "MRV-B": 31}


class Document(Protocol):
    """What is compared: an `edge.documents.verdict.Document`, or one that a reader's name was put on."""

    kind: str
    fields: dict[str, Any]


class Agreement(msgspec.Struct, frozen=True):
    """How well two documents agree in one respect: `score` from 0 to 1, None when there was nothing to compare."""

    check: str
    score: float | None
    reason: str

    @property
    def verdict(self) -> Verdict:
        """Return the agreement as a verdict, its score in the detail."""
        if self.score is None:
            return Verdict(self.check, Result.NOT_DONE, self.reason)
        for result, least in ((Result.OK, OK_FROM), (Result.DOUBTFUL, DOUBTFUL_FROM), (Result.FAILED, 0.0)):
            if self.score >= least:
                return Verdict(self.check, result, f"{self.reason} ({self.score:.2f})")
        raise AssertionError("a score is not below 0")


def boarding_pass_and_document(boarding_pass: Document, document: Document) -> tuple[Agreement, ...]:
    """Compare the passenger's name with the holder's; titles, cuts and spellings are allowed for.

    Gives the one check `boarding_pass_name`.
    """
    text = str(boarding_pass.fields.get("passenger_name", ""))
    surname, _, given = text.partition("/")
    # A name one short of the field may have been cut at a space, which nobody can see.
    shown = Name(surname, given, is_cut=len(text) >= BOARDING_PASS_NAME_SIZE - 1)
    return (_names("boarding_pass_name", shown, document),)


def visa_and_passport(visa: Document, passport: Document) -> tuple[Agreement, ...]:
    """Compare a visa with the passport it is said to belong to.

    Gives the checks `visa_name`, `visa_date_of_birth`, `visa_nationality` and `visa_document_number`. A visa's zone may
    have its own number in place of the passport's (Doc 9303-7), so another number is half an agreement.
    """
    nationality = _same("visa_nationality", "nationality", visa, passport, otherwise=0.5)
    if "XXX" in (visa.fields.get("nationality"), passport.fields.get("nationality")):
        nationality = Agreement("visa_nationality", None, "nationality is unspecified on one of them")
    return (
        _names("visa_name", _name_of(visa), passport),
        _same("visa_date_of_birth", "date_of_birth", visa, passport),
        nationality,
        _same("visa_document_number", "document_number", visa, passport, otherwise=0.5),
    )


def are_two_people(one: Document, other: Document) -> bool:
    """Tell whether two travel documents are certainly of two people: their dates of birth cannot be one day.

    Names say less: one person may have two passports with two spellings, or a name from before a marriage.
    """
    return _same("", "date_of_birth", one, other).score == 0.0


def _names(check: str, shown: Name, document: Document) -> Agreement:
    holder = _name_of(document)
    if not (shown.primary or shown.secondary) or not (holder.primary or holder.secondary):
        return Agreement(check, None, "one of them has no name")
    found: Likeness = likeness(shown, holder)
    return Agreement(check, found.score, found.reason)


def _name_of(document: Document) -> Name:
    primary = str(document.fields.get("primary_identifier", ""))
    secondary = str(document.fields.get("secondary_identifier", ""))
    used = len(primary) + 2 + len(secondary) if secondary else len(primary)
    return Name(primary, secondary, is_cut=used >= _NAME_SIZES.get(document.kind, 1000))


def _same(check: str, field: str, one: Document, other: Document, *, otherwise: float = 0.0) -> Agreement:
    first, second = one.fields.get(field), other.fields.get(field)
    if first is None or second is None:
        return Agreement(check, None, f"{field} was not read on one of them")
    if "X" in first + second and field.startswith("date_") and _is_compatible(first, second):
        return Agreement(check, 0.75 if first != second else 1.0, f"{field} agrees as far as it is known")
    if first == second:
        return Agreement(check, 1.0, f"{field} agrees")
    return Agreement(check, otherwise, f"{field} differs")


def _is_compatible(first: str, second: str) -> bool:
    """Tell whether two dates can be one day, open digits (X) being any."""
    return len(first) == len(second) and all(
        ours == theirs or "X" in (ours, theirs) for ours, theirs in zip(first, second, strict=True)
    )
