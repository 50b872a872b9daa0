"""Boarding passes that two public projects agree on with us, and where we differ on purpose."""

import json
from datetime import date
from pathlib import Path

import pytest

from edge.documents.bcbp import encode, parse
from edge.documents.verdict import Result

VECTORS = [
    json.loads(line)
    for line in Path(__file__).parents[2].joinpath("vectors/bcbp-public.jsonl").read_text().splitlines()
]
BY_GEORGESMITH46 = [case for case in VECTORS if case["source"].startswith("georgesmith46")]
BY_NCREDINBURGH = [case for case in VECTORS if case["source"].startswith("ncredinburgh")]

LEG_NAMES = {
    "operating_carrier_pnr_code": ("operatingCarrierPNR", "OPERATING_CARRIER_PNR_CODE"),
    "from_city_airport_code": ("departureAirport", "FROM_CITY_AIRPORT_CODE"),
    "to_city_airport_code": ("arrivalAirport", "TO_CITY_AIRPORT_CODE"),
    "operating_carrier_designator": ("operatingCarrierDesignator", "OPERATING_CARRIER_DESIGNATOR"),
    "flight_number": ("flightNumber", "FLIGHT_NUMBER"),
    "date_of_flight_julian": (None, "DATE_OF_FLIGHT"),
    "compartment_code": ("compartmentCode", "COMPARTMENT_CODE"),
    "seat_number": ("seatNumber", "SEAT_NUMBER"),
    "check_in_sequence_number": ("checkInSequenceNumber", "CHECK_IN_SEQUENCE_NUMBER"),
    "passenger_status": ("passengerStatus", "PASSENGER_STATUS"),
    "airline_numeric_code": ("airlineNumericCode", "AIRLINE_NUMERIC_CODE"),
    "document_form_serial_number": ("serialNumber", "SERIAL_NUMBER"),
    "selectee_indicator": ("selecteeIndicator", "SELECTEE_INDICATOR"),
    "international_documentation_verification": (
        "internationalDocumentationVerification",
        "INTERNATIONAL_DOCUMENT_VERIFICATION",
    ),
    "marketing_carrier_designator": ("marketingCarrierDesignator", "MARKETING_CARRIER_DESIGNATOR"),
    "frequent_flyer_airline_designator": ("frequentFlyerAirlineDesignator", "FREQUENT_FLYER_AIRLINE_DESIGNATOR"),
    "frequent_flyer_number": ("frequentFlyerNumber", "FREQUENT_FLYER_NUMBER"),
    "id_ad_indicator": ("idAdIndicator", "ID_AD_INDICATOR"),
    "free_baggage_allowance": ("freeBaggageAllowance", "FREE_BAGGAGE_ALLOWANCE"),
    "for_individual_airline_use": ("airlineInfo", "FOR_AIRLINE_USE"),
}
PASS_NAMES = {
    "passenger_name": ("passengerName", "PASSENGER_NAME"),
    "passenger_description": ("passengerDescription", "PASSENGER_DESCRIPTION"),
    "source_of_check_in": ("checkInSource", "SOURCE_OF_CHECK_IN"),
    "source_of_boarding_pass_issuance": ("boardingPassIssuanceSource", "SOURCE_OF_BOARDING_PASS_ISSUANCE"),
    "date_of_issue_of_boarding_pass_julian": (None, "DATE_OF_PASS_ISSUANCE"),
    "document_type": ("documentType", "DOCUMENT_TYPE"),
    "airline_designator_of_boarding_pass_issuer": ("boardingPassIssuerDesignator", "AIRLINE_DESIGNATOR_OF_ISSUER"),
    "baggage_tag_licence_plate_numbers": ("baggageTagNumber", "BAGGAGE_TAG_LICENSE_PLATE"),
    "security_data": ("securityData", "SECURITY_DATA"),
    "type_of_security_data": ("securityDataType", "TYPE_OF_SECURITY_DATA"),
}


def named(fields, names, column):
    """Our fields under the names of the other project."""
    return {names[name][column]: value for name, value in fields.items() if name in names and names[name][column]}


def filled(values, names, column):
    """The other project's values without padding and blanks, only those that we name."""
    known = {pair[column] for pair in names.values()}
    return {name: value.strip() for name, value in values.items() if name in known and value.strip()}


@pytest.mark.parametrize("case", BY_NCREDINBURGH, ids=lambda case: case["expected"]["case"])
def test_items_are_those_of_iata_parser_without_their_padding(case):
    fields = parse(case["input"]["text"], today=date(2016, 8, 14)).fields
    expected = case["expected"]
    assert named(fields, PASS_NAMES, 1) == filled({**expected["header"], **expected["security"]}, PASS_NAMES, 1)
    assert [named(leg, LEG_NAMES, 1) for leg in fields["legs"]] == [
        filled(leg, LEG_NAMES, 1) for leg in expected["legs"]
    ]


@pytest.mark.parametrize(
    "case",
    [case for case in BY_GEORGESMITH46 if isinstance(case["expected"]["result"], dict)],
    ids=lambda case: case["expected"]["case"] + " " + str(case["input"]["reference_year"]),
)
def test_items_and_dates_are_those_of_bcbp_js(case):
    year = case["input"]["reference_year"]
    fields = parse(case["input"]["text"], today=date(year or 2026, 8, 20)).fields
    expected = case["expected"]["result"]["data"]
    assert named(fields, PASS_NAMES, 0) == filled(
        {name: value for name, value in expected.items() if isinstance(value, str)}, PASS_NAMES, 0
    )
    assert [named(leg, LEG_NAMES, 0) for leg in fields["legs"]] == [
        filled({name: value for name, value in leg.items() if isinstance(value, str)}, LEG_NAMES, 0)
        for leg in expected["legs"]
    ]
    for leg, other in zip(fields["legs"], expected["legs"], strict=True):
        assert {"Y": True, "N": False, None: None}[leg.get("fast_track")] == other.get("fastTrack")
        if other.get("flightDate", "day").startswith("2"):
            assert leg["date_of_flight"] == other["flightDate"][:10]


def test_a_flight_on_new_years_day_is_in_the_year_after_its_issue():
    [case] = [case for case in BY_GEORGESMITH46 if case["expected"]["case"].endswith("flight date estimation")]
    document = parse(case["input"]["text"], today=date(case["input"]["reference_year"], 1, 1))
    assert document.fields["date_of_issue_of_boarding_pass"] == "2021-12-30"
    assert document.fields["legs"][0]["date_of_flight"] == case["expected"]["result"][:10]


def test_without_a_date_of_issue_we_take_the_nearest_year_where_bcbp_js_takes_the_current_one():
    """The standard gives a flight no year; on New Year's Day yesterday's flight is not one of next December."""
    text = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 365F001A0025 100"
    assert parse(text, today=date(2027, 1, 1)).fields["legs"][0]["date_of_flight"] == "2026-12-31"


@pytest.mark.parametrize("case", VECTORS, ids=range(len(VECTORS)))
def test_no_vector_breaks_a_rule_of_sizes_and_each_is_written_back_as_it_was(case):
    text = case["input"]["text"]
    document = parse(text, today=date(2016, 8, 14))
    assert [verdict.check for verdict in document.of(Result.FAILED)] == []
    assert next(verdict for verdict in document.verdicts if verdict.check == "field_sizes").result is Result.OK
    again = parse(encode(document.fields), today=date(2016, 8, 14))
    assert again.fields == document.fields
