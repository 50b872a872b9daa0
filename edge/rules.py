"""The rules of a lane: what kind of document was shown, whether it was misread, and why a traveller is referred.

Owns no state. Always true: a reason names a check or what is missing, never a value; rules refer, they never refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edge.config import PolicySettings
from edge.documents.verdict import Result
from edge.wire.crossing import Conveyance, ReadDocument

_CLASSES = {"bcbp": "boarding_pass", "aamva": "driving_licence", "vds": "seal", "dcc": "seal"}


def document_class(document: ReadDocument) -> str:
    """Return travel_document, visa, boarding_pass, driving_licence, seal, or unknown."""
    if document.kind == "unknown":
        return "unknown"
    if document.kind.startswith("MRV"):
        return "visa"
    return _CLASSES.get(document.source, "travel_document")


def is_misread(document: ReadDocument) -> bool:
    """Tell whether another try may help: nothing was understood, or a check of the reading itself failed."""
    if document.kind == "unknown":
        return True
    return any(v.result is Result.FAILED and _is_about_reading(v.check) for v in document.verdicts)


def _is_about_reading(check: str) -> bool:
    return check.endswith("_check") or check.endswith("_alphabet") or check in ("line_length", "alphabet", "structure")


def best_of(first: ReadDocument | None, second: ReadDocument) -> ReadDocument:
    """Return the read with fewer failed checks, the later of equals; one that was understood wins in any case."""
    if first is None or first.kind == "unknown":
        return second
    if second.kind == "unknown":
        return first
    return first if _failed(first) < _failed(second) else second


def _failed(document: ReadDocument) -> int:
    return sum(verdict.result is Result.FAILED for verdict in document.verdicts)


def reasons_to_refer(
    policy: PolicySettings, documents: Sequence[ReadDocument], *, was_misread: bool
) -> tuple[str, ...]:
    """Return why an officer must look, in a stable order; empty means that the traveller passes.

    A failed check refers; a doubtful one refers on a document that the policy requires. What was `not_done` does not.
    """
    classes = [document_class(document) for document in documents]
    reasons = [f"{wanted}_missing" for wanted in policy.required if wanted not in classes]
    if reasons and was_misread:
        reasons.append("document_unreadable")
    if classes.count("travel_document") > 1:
        reasons.append("more_than_one_travel_document")
    for document, known_as in zip(documents, classes, strict=True):
        for verdict in document.verdicts:
            if verdict.check == "specimen" and policy.specimens == "accept":
                continue
            is_doubt = verdict.result is Result.DOUBTFUL and known_as in policy.required
            if verdict.result is Result.FAILED or is_doubt:
                reasons.append(f"{document.source}.{verdict.check}_{verdict.result}")
    return tuple(dict.fromkeys(reasons))


def conveyance_of(documents: Iterable[ReadDocument]) -> Conveyance | None:
    """Return the flight that a boarding pass names, or None."""
    for document in documents:
        legs = document.fields.get("legs") if document.source == "bcbp" else None
        if legs:
            leg = legs[0]
            number = f"{leg.get('operating_carrier_designator', '')}{leg.get('flight_number', '')}"
            date, seat = leg.get("date_of_flight") or "", leg.get("seat_number", "")
            return Conveyance("flight", number=number, date=date, seat=seat)
    return None
