"""Which checks each kind of zone has, and in which order.

Owns the table alone. Always true: every check of a kind runs on every zone of that kind and gives exactly one verdict.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.documents.mrz import digit_checks as digit
from edge.documents.mrz import field_checks as field
from edge.documents.mrz import french
from edge.documents.mrz.reading import Reading
from edge.documents.verdict import Document, Verdict

Check = Callable[[Reading], Verdict]

_FRONT: tuple[Check, ...] = (field.line_length, field.line_order, field.document_code, field.issuing_state)
_NUMBER: tuple[Check, ...] = (field.document_number, digit.document_number_check)
_BIRTH: tuple[Check, ...] = (field.date_of_birth, digit.date_of_birth_check, field.sex)
_COMMON: tuple[Check, ...] = (
    *_FRONT,
    field.names,
    field.names_complete,
    *_NUMBER,
    field.nationality,
    *_BIRTH,
    field.date_of_expiry,
    digit.date_of_expiry_check,
    field.validity,
    field.optional_data,
)
_VISA = (*_COMMON, field.specimen)
_CARD = (*_COMMON, digit.composite_check, field.specimen)
_PASSPORT = (*_COMMON, digit.optional_data_check, digit.composite_check, field.specimen)
_FRENCH_CARD = (
    *_FRONT,
    french.issuing_office,
    french.names,
    french.names_complete,
    *_NUMBER,
    french.date_of_issue,
    *_BIRTH,
    field.validity,
    digit.composite_check,
    field.specimen,
)

CHECKS: dict[str, tuple[Check, ...]] = {
    "TD1": _CARD,
    "TD2": _CARD,
    "TD3": _PASSPORT,
    "MRV-A": _VISA,
    "MRV-B": _VISA,
    "IDFRA": _FRENCH_CARD,
}


def document_of(reading: Reading) -> Document:
    """Run every check of the reading's kind and return the document."""
    kind = reading.zone.layout.kind
    verdicts = tuple([check(reading) for check in CHECKS[kind]])
    return Document(kind, "mrz", reading.fields, verdicts)
