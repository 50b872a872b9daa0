"""Boarding passes as the standard writes them: mandatory items, legs, conditional items, security data."""

from datetime import date

from edge.documents.bcbp import CHECKS, parse
from edge.documents.verdict import Document, Result

TODAY = date(2026, 8, 14)
ONE_LEG = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100"


def result(document: Document, check: str) -> tuple[Result, str]:
    [verdict] = [verdict for verdict in document.verdicts if verdict.check == check]
    return verdict.result, verdict.detail


def test_the_sixty_mandatory_characters_give_every_mandatory_item():
    document = parse(ONE_LEG, today=TODAY)
    assert (document.kind, document.source) == ("BCBP", "bcbp")
    assert document.fields == {
        "format_code": "M",
        "number_of_legs": 1,
        "passenger_name": "DESMARAIS/LUC",
        "surname": "DESMARAIS",
        "given_names": "LUC",
        "electronic_ticket_indicator": "E",
        "legs": [
            {
                "operating_carrier_pnr_code": "ABC123",
                "from_city_airport_code": "YUL",
                "to_city_airport_code": "FRA",
                "operating_carrier_designator": "AC",
                "flight_number": "0834",
                "date_of_flight_julian": "226",
                "date_of_flight": "2026-08-14",
                "compartment_code": "F",
                "seat_number": "001A",
                "check_in_sequence_number": "0025",
                "passenger_status": "1",
            }
        ],
    }


def test_every_check_answers_once_and_in_order():
    for payload in (ONE_LEG, b"M1", "M1", ONE_LEG * 9):
        assert tuple(verdict.check for verdict in parse(payload, today=TODAY).verdicts) == CHECKS


def test_bytes_and_text_give_the_same_document():
    assert parse(ONE_LEG.encode(), today=TODAY) == parse(ONE_LEG, today=TODAY)


def test_what_is_no_boarding_pass_is_unknown_and_says_so():
    document = parse("HC1:6BF+70790T9", today=TODAY)
    assert document.kind == "unknown"
    assert result(document, "understood")[0] is Result.FAILED


def test_a_pass_that_is_cut_short_keeps_every_item_before_the_cut_and_no_half_of_one():
    whole = parse(ONE_LEG, today=TODAY).fields["legs"][0]
    for length in range(24, len(ONE_LEG) - 2):
        document = parse(ONE_LEG[:length], today=TODAY)
        [leg] = document.fields["legs"]
        assert leg.items() <= whole.items()
        assert document.fields["surname"] == "DESMARAIS"
        assert result(document, "mandatory_items")[0] is (Result.FAILED if length < 58 else Result.OK)
