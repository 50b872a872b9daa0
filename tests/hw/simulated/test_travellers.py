"""Specimen travellers are many, distinct, and valid."""

from __future__ import annotations

from datetime import date

import pytest

from edge.documents import bcbp, mrz
from edge.documents.verdict import Result
from hw.simulated.travellers import KINDS, document_number, specimen

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("kind", KINDS)
def test_a_specimen_document_passes_every_check(kind: str):
    document = mrz.parse(specimen(7, 12, kind).mrz, today=TODAY)
    assert document.kind == kind
    assert document.of(Result.FAILED) == ()
    assert [verdict.check for verdict in document.of(Result.DOUBTFUL)] in ([], ["specimen"])
    assert document.fields["document_number"] == document_number(7, 12)


def test_a_specimen_boarding_pass_passes_every_check():
    document = bcbp.parse(specimen(7, 12, flight_day=326).boarding_pass, today=TODAY)
    assert document.of(Result.FAILED) == document.of(Result.DOUBTFUL) == ()
    assert document.fields["legs"][0]["date_of_flight"] == "2026-11-22"


def test_two_thousand_specimens_have_two_thousand_names_and_numbers():
    fields = [mrz.parse(specimen(1, ordinal).mrz, today=TODAY).fields for ordinal in range(1, 2001)]
    assert len({one["document_number"] for one in fields}) == 2000
    assert len({(one["primary_identifier"], one["secondary_identifier"]) for one in fields}) == 2000


def test_the_same_ordinal_is_the_same_traveller():
    assert specimen(1, 400_123) == specimen(1, 400_123)
    assert specimen(1, 5).mrz != specimen(2, 5).mrz


@pytest.mark.parametrize("ordinal", [0, 10_000_000])
def test_an_ordinal_out_of_range_is_refused(ordinal: int):
    with pytest.raises(ValueError, match="ordinal must be 1-9999999"):
        specimen(1, ordinal)


def test_a_repr_shows_nobody():
    assert "ERIKSSON" not in repr(specimen(1, 20))
    assert document_number(1, 20) not in repr(specimen(1, 20))
