"""The rules of a lane: what kind of document was shown, whether it was misread, and why a traveller is referred.

Owns no state. Always true: a reason names a check or what is missing, never a value; rules refer, they never refuse;
what a document's own verdicts say is not changed by what another document says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from edge.documents.crosscheck import Agreement, boarding_pass_and_document, visa_and_passport
from edge.documents.verdict import Result
from edge.settings import PolicySettings
from edge.wire.crossing import Conveyance, ReadDocument

_CLASSES = {"bcbp": "boarding_pass", "aamva": "driving_licence", "vds": "seal", "dcc": "seal"}
_ABOUT_READING = {"line_length", "alphabet", "structure", "format_code", "number_of_legs"}


def document_class(document: ReadDocument) -> str:
    """Return travel_document, visa, boarding_pass, driving_licence, seal, none (keyed in without one), or unknown."""
    if document.kind in ("unknown", "none"):
        return document.kind
    if document.kind.startswith("MRV"):
        return "visa"
    return _CLASSES.get(document.source, "travel_document")


def is_misread(document: ReadDocument) -> bool:
    """Tell whether another try may help: nothing was understood, or a check of the reading itself failed."""
    if document.kind == "unknown":
        return True
    return any(v.result is Result.FAILED and _is_about_reading(v.check) for v in document.verdicts)


def _is_about_reading(check: str) -> bool:
    return check.endswith(("_check", "_alphabet")) or check in _ABOUT_READING


def best_of(first: ReadDocument | None, second: ReadDocument) -> ReadDocument:
    """Return the read with fewer failed checks, the later of equals; one that was understood wins in any case."""
    if first is None or first.kind == "unknown":
        return second
    if second.kind == "unknown":
        return first
    return first if _failed(first) < _failed(second) else second


def _failed(document: ReadDocument) -> int:
    return sum(verdict.result is Result.FAILED for verdict in document.verdicts)


def compared(documents: Sequence[ReadDocument]) -> tuple[ReadDocument, ...]:
    """Return the documents, boarding passes and visas with further verdicts on whether the travel document agrees.

    The first travel document is compared with; without one nothing is. A name that differs refers by the rules below,
    as any other failed check does.
    """
    travel_document = next((one for one in documents if document_class(one) == "travel_document"), None)
    if travel_document is None:
        return tuple(documents)
    return tuple(_compared(one, travel_document) for one in documents)


def _compared(document: ReadDocument, travel_document: ReadDocument) -> ReadDocument:
    agreements: tuple[Agreement, ...] = ()
    match document_class(document):
        case "boarding_pass":
            agreements = boarding_pass_and_document(document, travel_document)
        case "visa":
            agreements = visa_and_passport(document, travel_document)
    return replace(document, verdicts=(*document.verdicts, *(one.verdict for one in agreements)))


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
