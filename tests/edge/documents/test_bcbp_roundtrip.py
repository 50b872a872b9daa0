"""What is written is read back the same, and what the standard has no room for is refused by name."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.bcbp import CHECKS, encode, parse
from edge.documents.bcbp.items import ANYTHING, LEG, REPEATED, UNIQUE
from edge.documents.verdict import Result

TODAY = date(2026, 8, 14)
GIVEN_BY_DATES = {"date_of_flight_julian", "date_of_issue_of_boarding_pass_julian"}


def values(item):
    if item.form is ANYTHING:
        return st.from_regex(rf"[A-Z0-9]{{1,{item.size}}}", fullmatch=True)
    return st.from_regex(item.form, fullmatch=True).map(str.strip)


def items(table, required=()):
    table = [item for item in table if item.name not in GIVEN_BY_DATES]
    return st.fixed_dictionaries(
        {item.name: values(item) for item in table if item.name in required},
        optional={item.name: values(item) for item in table if item.name not in required},
    )


days = st.dates(date(2026, 8, 14), date(2027, 6, 1)).map(date.isoformat)
legs = st.builds(
    lambda mandatory, repeated, day, extra: {**mandatory, **repeated, **extra, "date_of_flight": day},
    items(LEG, {item.name for item in LEG}),
    items(REPEATED),
    days,
    st.one_of(
        st.just({}),
        st.fixed_dictionaries({"for_individual_airline_use": st.from_regex("[A-Z0-9]{1,30}", fullmatch=True)}),
    ),
)
passes = st.builds(
    lambda name, unique, some_legs, issued, security: {
        **unique,
        **security,
        "passenger_name": name,
        "electronic_ticket_indicator": "E",
        "version_number": "8",
        "date_of_issue_of_boarding_pass": issued,
        "legs": some_legs,
    },
    st.from_regex("[A-Z]{1,9}/[A-Z]{1,10}", fullmatch=True),
    items(UNIQUE),
    st.lists(legs, min_size=1, max_size=4),
    st.just("2026-08-14"),
    st.one_of(
        st.just({}),
        st.fixed_dictionaries(
            {"type_of_security_data": st.just("1"), "security_data": st.text("ABC123+/=", min_size=1, max_size=255)}
        ),
    ),
)


@settings(max_examples=80, deadline=None)
@given(passes)
def test_a_pass_is_read_back_as_it_was_written(fields):
    document = parse(encode(fields), today=TODAY)
    for name, value in fields.items():
        if name != "legs":
            assert document.fields[name] == value
    assert len(document.fields["legs"]) == len(fields["legs"])
    for written, read in zip(fields["legs"], document.fields["legs"], strict=True):
        assert {name: read[name] for name in written} == written
    assert document.of(Result.FAILED) == ()
    assert [verdict.check for verdict in document.of(Result.DOUBTFUL)] in ([], ["airports_known"])
    assert parse(encode(document.fields), today=TODAY) == document


@settings(max_examples=60, deadline=None)
@given(passes, st.data())
def test_a_pass_cut_anywhere_still_gives_one_verdict_a_check_and_what_stood_before(fields, data):
    text = encode(fields)
    cut = data.draw(st.integers(2, len(text)))
    document = parse(text[:cut], today=TODAY)
    assert tuple(verdict.check for verdict in document.verdicts) == CHECKS
    assert document.kind == "BCBP"
    if cut > 60:
        assert (
            document.fields["legs"][0]["operating_carrier_pnr_code"] == fields["legs"][0]["operating_carrier_pnr_code"]
        )


def one_leg(**changes):
    leg = {"operating_carrier_pnr_code": "ABC123", "from_city_airport_code": "YUL", "to_city_airport_code": "FRA"}
    return {"surname": "DESMARAIS", "legs": [leg], **changes}


def test_a_name_may_be_given_in_parts():
    text = encode(one_leg(given_names="LUC", title="MR"))
    assert text.startswith("M1DESMARAIS/LUC MR     ABC123")


def test_a_date_may_be_given_whole():
    fields = one_leg(version_number="8", date_of_issue_of_boarding_pass="2026-08-13")
    fields["legs"][0]["date_of_flight"] = "2026-08-14"
    document = parse(encode(fields), today=TODAY)
    assert document.fields["date_of_issue_of_boarding_pass_julian"] == "6225"
    assert document.fields["legs"][0]["date_of_flight_julian"] == "226"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"legs": []}, "legs: a boarding pass has 1 to 4 legs, got 0"),
        ({"legs": [{}] * 5}, "legs: a boarding pass has 1 to 4 legs, got 5"),
        ({"number_of_legs": 2}, "number_of_legs: must be the number of legs, 1"),
        ({"format_code": "S"}, "format_code: must be M"),
        ({"surname": ""}, "passenger_name: must be given, or surname"),
        ({"surname": "X" * 21}, "passenger_name: at most 20 characters, got 21"),
        ({"surname": "MÜLLER"}, "passenger_name: must be text of printable ASCII characters"),
        ({"document_type": "B"}, "version_number: conditional items need one, 1 to 8"),
        ({"legs": [{"fast_track": "Y"}]}, "version_number: conditional items need one, 1 to 8"),
        ({"legs": [{"flight_number": "012345"}]}, r"legs\[0\].flight_number: at most 5 characters, got 6"),
        ({"legs": [{"date_of_flight": "2026-08-XX"}]}, r"legs\[0\].date_of_flight: must be YYYY-MM-DD"),
        ({"legs": [{"gate": "A1"}]}, r"legs\[0\].gate: is no field of a boarding pass"),
        ({"gate": "A1"}, "gate: is no field of a boarding pass"),
        ({"security_data": "A" * 256, "type_of_security_data": "1"}, "security_data: at most 255 characters, got 256"),
    ],
)
def test_what_has_no_room_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        encode(one_leg(**changes))


def test_a_message_never_quotes_a_value():
    with pytest.raises(ValueError, match="passenger_name") as refused:
        encode(one_leg(surname="ERIKSSONERIKSSONERIKSSON"))
    assert "ERIKSSON" not in str(refused.value)
