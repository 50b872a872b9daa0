"""The data items of a bar coded boarding pass, as IATA Resolution 792 lays them out.

Owns names, sizes and permitted forms, in the order of the bar code; no code that reads or writes. Names are IATA's own
words in snake case. A form is a pattern for the item as printed, without the spaces that fill it up.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Item(NamedTuple):
    """One data item: its name, its size in characters, what it may hold, and whether it may be left blank."""

    name: str
    size: int
    form: re.Pattern[str]
    may_be_blank: bool = True


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


ANYTHING = re.compile(r".*", re.DOTALL)
_DESIGNATOR = _form(r"[A-Z0-9]{2}|[A-Z]{3}")  # IATA's two characters, or ICAO's three letters
_AIRPORT = _form(r"[A-Z]{3}")
_TAG = _form(r"[0-9]{13}")

# Mandatory, once (items 1, 5, 11, 253).
HEADER = (
    Item("format_code", 1, ANYTHING, may_be_blank=False),
    Item("number_of_legs", 1, ANYTHING, may_be_blank=False),
    Item("passenger_name", 20, ANYTHING, may_be_blank=False),
    Item("electronic_ticket_indicator", 1, _form(r"[EL]")),
)

# Mandatory, once a leg (items 7 to 113). The hexadecimal size of what follows (item 6) comes after these.
LEG = (
    Item("operating_carrier_pnr_code", 7, _form(r"[A-Z0-9]{5,7}"), may_be_blank=False),
    Item("from_city_airport_code", 3, _AIRPORT, may_be_blank=False),
    Item("to_city_airport_code", 3, _AIRPORT, may_be_blank=False),
    Item("operating_carrier_designator", 3, _DESIGNATOR, may_be_blank=False),
    Item("flight_number", 5, _form(r"[0-9]{4}[A-Z]?"), may_be_blank=False),
    Item("date_of_flight_julian", 3, _form(r"[0-9]{3}"), may_be_blank=False),
    Item("compartment_code", 1, _form(r"[A-Z]")),
    Item("seat_number", 4, _form(r"[0-9]{3}[A-Z]|INF")),
    Item("check_in_sequence_number", 5, _form(r"[0-9]{4}[A-Z]?|[A-Z][0-9]{4}")),
    Item("passenger_status", 1, _form(r"[0-9A-Z]")),
)

# Conditional, once (items 15 to 32), after the `>`, the version and the size of these.
UNIQUE = (
    Item("passenger_description", 1, _form(r"[0-9XU]")),
    Item("source_of_check_in", 1, _form(r"[WKRMOTVA]")),
    Item("source_of_boarding_pass_issuance", 1, _form(r"[WKXRMOTV]")),
    Item("date_of_issue_of_boarding_pass_julian", 4, _form(r"[0-9]{4}")),
    Item("document_type", 1, _form(r"[BI]")),
    Item("airline_designator_of_boarding_pass_issuer", 3, _DESIGNATOR),
    Item("baggage_tag_licence_plate_numbers", 13, _TAG),
    Item("first_non_consecutive_baggage_tag_licence_plate_number", 13, _TAG),
    Item("second_non_consecutive_baggage_tag_licence_plate_number", 13, _TAG),
)
BAGGAGE_TAGS = tuple(item.name for item in UNIQUE[6:])

# Conditional, once a leg (items 142 to 254), after the size of these.
REPEATED = (
    Item("airline_numeric_code", 3, _form(r"[0-9]{3}")),
    Item("document_form_serial_number", 10, _form(r"[A-Z0-9]{10}")),
    Item("selectee_indicator", 1, _form(r"[013]")),
    Item("international_documentation_verification", 1, _form(r"[012]")),
    Item("marketing_carrier_designator", 3, _DESIGNATOR),
    Item("frequent_flyer_airline_designator", 3, _DESIGNATOR),
    Item("frequent_flyer_number", 16, ANYTHING),
    Item("id_ad_indicator", 1, _form(r"[0-9A-F]")),
    Item("free_baggage_allowance", 3, _form(r"[0-9]{2}[KL]|[0-9]PC")),
    Item("fast_track", 1, _form(r"[YN]")),
)

FOR_INDIVIDUAL_AIRLINE_USE = "for_individual_airline_use"
# Characters after the last known item of a section whose size says that there are more: a version to come.
UNDEFINED_UNIQUE = "undefined_unique_items"
UNDEFINED_REPEATED = "undefined_repeated_items"

HEADER_SIZE = sum(item.size for item in HEADER)
LEG_SIZE = sum(item.size for item in LEG)
UNIQUE_SIZE = sum(item.size for item in UNIQUE)
REPEATED_SIZE = sum(item.size for item in REPEATED)
MOST_LEGS = 4
VERSIONS = "12345678"

# The quirks of real airlines that leave one reading: item name -> form that is tolerated and said.
TOLERATED = {
    "operating_carrier_pnr_code": _form(r"[A-Z0-9]{1,7}"),
    "date_of_flight_julian": _form(r"[0-9]{1,3}"),
    "flight_number": _form(r"[0-9]{1,5}[A-Z]?"),
    "seat_number": _form(r"[0-9]{1,3}[A-Z]|[A-Z]?INF|[0-9]INF|[A-Z]{1,4}|[0-9]{1,4}|[A-Z][0-9]{2,3}"),
    "check_in_sequence_number": _form(r"[0-9]{1,5}[A-Z]?|[A-Z]{1,3}[0-9]{1,4}|INF|SBY"),
    "document_form_serial_number": _form(r"[A-Z0-9]{1,9}"),
    "free_baggage_allowance": _form(r"[0-9]{1,2}PC?|[0-9]{1,3}[KL]?|[0-9]P|NIL|NO|0"),
    "baggage_tag_licence_plate_numbers": _form(r"[0-9]{10}|0"),
    "first_non_consecutive_baggage_tag_licence_plate_number": _form(r"[0-9]{10}|0"),
    "second_non_consecutive_baggage_tag_licence_plate_number": _form(r"[0-9]{10}|0"),
}
