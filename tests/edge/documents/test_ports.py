"""Ports by UN/LOCODE."""

import re

import pytest

from edge.documents.ports import _rows, port
from edge.documents.states import StateKind, states


@pytest.mark.parametrize("locode", ["BBBGI", "BB BGI"])
def test_a_port_is_found_with_its_space_and_without(locode):
    assert (port(locode).name, port(locode).state) == ("Bridgetown", "BRB")


@pytest.mark.parametrize("locode", ["", "BB", "ZZZZZ", "BBBGI\t", "BBBGIX", "bbbgi"])
def test_a_code_that_is_not_in_the_table_is_unknown(locode):
    assert port(locode) is None


def test_every_row_is_whole_sorted_and_of_a_state_that_exists():
    rows = [row.split("\t") for row in _rows()]

    assert [row[0] for row in rows] == sorted({row[0] for row in rows})
    assert all(re.fullmatch("[A-Z]{2}[A-Z2-9]{3}", row[0]) and len(row) == 3 and row[2] for row in rows)
    assert all(states()[row[1]].kind is StateKind.STATE for row in rows)
