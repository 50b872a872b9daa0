"""The table of IATA location codes."""

import pytest

from edge.documents.airports import Airport, _rows, airport, is_known
from edge.documents.states import state


def test_an_airport_has_name_state_and_locode():
    assert airport("CDG") == Airport("CDG", "FRA", "FRCDG", "Charles de Gaulle International Airport")


def test_an_airport_whose_locode_has_other_letters_has_none():
    assert airport("BSL").locode == ""


def test_the_code_of_a_city_with_several_airports_is_known():
    assert airport("LON").state == "GBR"
    assert is_known("NYC")


def test_the_first_and_the_last_row_are_found():
    rows = _rows()
    assert airport(rows[0][:3]) is not None
    assert airport(rows[-1][:3]) is not None


@pytest.mark.parametrize("code", ["", "C", "CD", "cdg", "CDGX", "QQQ", "ZZZZ", "\t", "CDG\t", "#", "ÄÖÜ"])
def test_anything_else_is_unknown(code):
    assert airport(code) is None


def test_rows_are_in_the_order_of_unique_codes_and_every_state_is_a_state():
    codes = [row.split("\t")[0] for row in _rows()]
    assert codes == sorted(set(codes))
    for row in _rows():
        code, state_code, locode, name = row.split("\t")
        assert (len(code), code.isalpha(), code.isupper()) == (3, True, True)
        assert state(state_code) is not None
        assert locode == "" or locode[2:] == code
        assert name
