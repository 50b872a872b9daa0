"""Fields to lines: what was written is read back."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.mrz import encode, parse
from edge.documents.states import states
from edge.documents.verdict import Result
from tests.edge.documents.mrz.specimens import SPECIMENS, TODAY, wanting

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHANUMERIC = LETTERS + "0123456789"
CODES = sorted(code for code, one in states().items() if one.kind in ("state", "organisation", "status"))


def fields_of(kind):
    identifier = st.lists(st.text(LETTERS, min_size=1, max_size=5), min_size=1, max_size=2).map(" ".join)
    longest_number = {"TD1": 22, "TD2": 13}.get(kind, 9)
    optional = {"TD3": 14, "MRV-A": 16, "MRV-B": 8}.get(kind)

    def settle(drawn):
        number = drawn["document_number"]
        if kind in ("TD1", "TD2"):
            width = 15 if kind == "TD1" else 7
            room = width if len(number) <= 9 else max(width - (len(number) - 9) - 2, 0)
            drawn["optional_data"] = drawn["optional_data"][:room]
        return {name: value for name, value in drawn.items() if value}

    chosen = {
        "document_code": st.sampled_from({"TD3": ["P", "PD"]}.get(kind, ["V"] if kind[0] == "M" else ["I", "AC"])),
        "issuing_state": st.sampled_from(CODES),
        "primary_identifier": identifier,
        "secondary_identifier": identifier | st.just(""),
        "document_number": st.text(ALPHANUMERIC, min_size=1, max_size=longest_number),
        "nationality": st.sampled_from(CODES),
        "date_of_birth": st.dates(date(1927, 1, 1), TODAY).map(date.isoformat),
        "sex": st.sampled_from("MFX"),
        "date_of_expiry": st.dates(TODAY, TODAY + timedelta(days=15000)).map(date.isoformat),
        "optional_data": st.text(ALPHANUMERIC, max_size=optional or 15),
    }
    return st.fixed_dictionaries(chosen).map(settle)


@pytest.mark.parametrize("kind", ["TD1", "TD2", "TD3", "MRV-A", "MRV-B"])
@given(drawn=st.data())
@settings(max_examples=40, deadline=None)
def test_what_was_encoded_is_parsed_back(kind, drawn):
    fields = drawn.draw(fields_of(kind))
    lines = encode(kind, fields)
    document = parse("\n".join(lines), today=TODAY)

    assert document.kind == kind
    assert document.fields == fields
    assert set(wanting(document)) <= {"specimen", "names_complete"}


@pytest.mark.parametrize("kind", SPECIMENS)
def test_specimens_are_written_back_to_the_character(kind):
    document = parse("\n".join(SPECIMENS[kind]), today=TODAY)

    assert encode(kind, document.fields) == SPECIMENS[kind]


def test_names_are_transliterated_by_the_issuing_states_rules():
    fields = {"document_code": "P", "issuing_state": "UKR", "primary_identifier": "Григоренко"}
    assert encode("TD3", fields)[0] == "P<UKRHRYHORENKO".ljust(44, "<")
    assert encode("TD3", fields | {"issuing_state": "RUS"})[0] == "P<RUSGRIGORENKO".ljust(44, "<")


def test_open_dates_are_written_with_fillers():
    lines = encode("TD3", {"document_code": "P", "date_of_birth": "1974-XX-XX", "date_of_expiry": "XXXX-XX-XX"})

    assert lines[1][13:19] == "74<<<<"
    assert lines[1][21:27] == "<<<<<<"
    document = parse("\n".join(lines), today=TODAY)
    assert document.fields["date_of_birth"] == "1974-XX-XX"


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("TD4", {}, "TD4"),
        ("TD3", {"document_code": "I"}, "document_code"),
        ("TD3", {}, "document_code"),
        ("TD3", {"document_code": "P", "document_number": "1234567890"}, "document_number"),
        ("TD3", {"document_code": "P", "document_number": "12-4"}, "document_number"),
        ("TD1", {"document_code": "I", "document_number": "1" * 24}, "document_number"),
        ("TD3", {"document_code": "P", "date_of_birth": "12.8.1974"}, "date_of_birth"),
        ("TD3", {"document_code": "P", "sex": "W"}, "sex"),
        ("TD3", {"document_code": "P", "nationality": "Utopia"}, "nationality"),
        ("TD3", {"document_code": "P", "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_written_is_an_error_that_names_the_field(kind, fields, said):
    with pytest.raises(ValueError, match=said):
        encode(kind, fields)


def test_no_error_quotes_the_document():
    with pytest.raises(ValueError, match="name") as caught:
        encode("TD3", {"document_code": "P", "primary_identifier": "本田"})
    assert "本" not in str(caught.value)


def test_a_long_number_goes_on_in_the_optional_data():
    lines = encode("TD1", {"document_code": "I", "issuing_state": "UTO", "document_number": "D23145890734"})

    assert lines[0] == "I<UTOD23145890<7349<<<<<<<<<<<"
    assert wanting(parse("\n".join(lines), today=TODAY)).get("document_number_check", Result.OK) is Result.OK
