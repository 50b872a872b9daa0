"""IMO numbers: which add up, and what becomes of those that do not."""

from __future__ import annotations

import pytest

from edge.documents.ships import imo_number, imo_number_check
from edge.documents.verdict import Result


@pytest.mark.parametrize("number", ["9074729", "9319466", "8814275"])
def test_the_number_of_a_ship_adds_up(number) -> None:
    assert imo_number_check(number).result is Result.OK


@pytest.mark.parametrize("number", ["9074728", "9047729", "907472", "90747290", "", "L'Express", "９０７４７２９"])
def test_a_number_that_does_not_add_up_is_doubtful_and_never_failed(number) -> None:
    assert imo_number_check(number).result is Result.DOUBTFUL


@pytest.mark.parametrize(
    ("typed", "kept"), [("IMO 9074729", "9074729"), ("imo9074729", "9074729"), (" 9074729 ", "9074729"), ("x 1", "x 1")]
)
def test_the_letters_in_front_are_left_out(typed, kept) -> None:
    assert imo_number(typed) == kept
