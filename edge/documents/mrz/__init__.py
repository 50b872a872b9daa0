"""Machine readable zones: ICAO Doc 9303 parts 3 to 7, 8th edition (2021), and the French card of before 2021.

`parse` reads TD1, TD2, TD3, MRV-A, MRV-B and IDFRA; `encode` writes them. Fields have the standard's names:
document_code, issuing_state, document_number, primary_identifier, secondary_identifier, nationality, date_of_birth, sex
(M, F, X), date_of_expiry (a visa's "valid until"), optional_data, and optional_data_2 for the second line of a TD1; the
French card has date_of_issue and issuing_office besides.

`CHECKS` says which verdicts each kind has, every one exactly once and in this order: line_length, line_order,
document_code, issuing_state, names, names_complete, document_number, document_number_check, nationality, date_of_birth,
date_of_birth_check, sex, date_of_expiry, date_of_expiry_check, validity, optional_data, optional_data_check (TD3),
composite_check (not on visas), specimen. The French card has issuing_office and date_of_issue, and no nationality, date
of expiry or optional data. What is no zone at all has the one verdict `understood`.
"""

from __future__ import annotations

from datetime import date

from edge.documents.mrz.checks import CHECKS, document_of
from edge.documents.mrz.encoding import encode
from edge.documents.mrz.reading import Reading
from edge.documents.mrz.zone import arrange
from edge.documents.verdict import Document, Result, Verdict

__all__ = ["CHECKS", "encode", "parse"]

_NO_ZONE = (
    Verdict("understood", Result.FAILED, "no machine readable zone: 2 lines of 44 or 36, or 3 of 30 characters"),
)


def parse(payload: bytes | str, *, today: date | None, unrecognised: tuple[int, ...] = ()) -> Document:
    """Read the lines of a machine readable zone, however they are separated and padded.

    `today` settles centuries and expiry; None means that the clock is unset. `unrecognised` are offsets in `payload` of
    characters that the reader flagged. Never raises; what is no zone gives a document of kind `unknown`.
    """
    zone = arrange(payload, unrecognised)
    if zone is None:
        return Document("unknown", "mrz", {}, _NO_ZONE)
    return document_of(Reading(zone, today))
