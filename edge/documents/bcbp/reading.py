"""Reads a bar coded boarding pass: bytes in, fields and verdicts out.

Owns what the items mean and which check hears of it; the sections come from `layout`, the years from `dates`. Always
true: no input raises; an item that is there is kept as printed (in capitals, without the spaces that fill it up); one
that is cut off is kept only where a reader that drops spaces at the end explains it; the security data stays opaque.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from edge.documents import airports
from edge.documents.bcbp import dates
from edge.documents.bcbp.items import (
    ANYTHING,
    BAGGAGE_TAGS,
    FOR_INDIVIDUAL_AIRLINE_USE,
    HEADER,
    HEADER_SIZE,
    LEG,
    LEG_SIZE,
    REPEATED,
    REPEATED_SIZE,
    TOLERATED,
    UNDEFINED_REPEATED,
    UNDEFINED_UNIQUE,
    UNIQUE,
    UNIQUE_SIZE,
    Item,
)
from edge.documents.bcbp.layout import Layout, Leg, cut
from edge.documents.bcbp.names import split_name
from edge.documents.findings import Findings
from edge.documents.verdict import Document, Result, Verdict

CHECKS = (
    "characters",  # only what the standard prints: ASCII, capitals, no control characters
    "format_code",
    "number_of_legs",
    "mandatory_items",  # all there, none blank that must not be
    "item_forms",  # every item has the form that the standard gives it
    "version",
    "field_sizes",
    "passenger_name",
    "date_of_issue",
    "date_of_flight",
    "baggage_tags",
    "airports_known",
    "security_data",
)
_NO_PASS = (Verdict("understood", Result.FAILED, "no boarding pass: it begins with M and the number of legs"),)
_AROUND = "".join(map(chr, range(33))) + "\x7f\ufeff"  # what readers put before and after: controls and spaces
_DIGITS = tuple("0123456789")
_FAR_DAYS = 90  # a day of the year farther than this from today does not name its year by being near


def parse(payload: bytes | str, *, today: date | None) -> Document:
    """Read a boarding pass (IATA Resolution 792, versions 1 to 8) and return its fields and one verdict a check.

    `today` gives the flight its year; None means that the clock is unset, and the dates stay open (EDTF). Never raises.
    A payload that is no boarding pass has the kind `unknown` and the one verdict `understood`.
    """
    findings = Findings(CHECKS)
    text = _text(payload, findings)
    if not is_boarding_pass(text):
        return Document("unknown", "bcbp", {}, _NO_PASS)
    declared = int(text[1]) if text[1] in _DIGITS else None
    layout = cut(text, declared, findings)
    fields: dict[str, Any] = {}
    _read_header(layout, fields, findings)
    _read_unique(layout, fields, findings)
    fields["legs"] = [_read_leg(leg, number, findings) for number, leg in enumerate(layout.legs)]
    _check_baggage_tags(fields, findings)
    _resolve_dates(fields, today, findings)
    _check_airports(fields["legs"], findings)
    _read_security(layout.security, fields, findings)
    return Document("BCBP", "bcbp", fields, findings.verdicts())


def is_boarding_pass(text: str) -> bool:
    """Tell whether the text reads as a boarding pass: `M` and a digit, or legs where a pass has them."""
    text = text[: 2 * (HEADER_SIZE + LEG_SIZE)].lstrip(_AROUND)[: HEADER_SIZE + LEG_SIZE].upper()
    begins_well = text[:1] == "M"
    if len(text) < HEADER_SIZE + 20:  # too short to be judged by its legs
        return begins_well and text[1:2] in _DIGITS
    route = text[HEADER_SIZE + 7 : HEADER_SIZE + 13]
    has_leg = route.isalpha() and text[HEADER_SIZE + 21 : HEADER_SIZE + 24].isdecimal()
    return has_leg or (begins_well and text[1:2] in _DIGITS)


def _text(payload: bytes | str, findings: Findings) -> str:
    whole = payload.decode("latin-1") if isinstance(payload, bytes | bytearray | memoryview) else payload
    text = whole.lstrip(_AROUND).rstrip(_AROUND.replace(" ", ""))
    if len(text) != len(whole):
        findings.ok("characters", f"{len(whole) - len(text)} characters around the pass ignored")
    printed, _, _ = text.partition("^")
    if not printed.isascii():
        findings.doubtful("characters", "characters outside ASCII")
    if not printed.isprintable():
        findings.doubtful("characters", "control characters inside the pass")
    if printed != printed.upper():
        findings.ok("characters", "lower case; read as capitals")
    return text


def _read_header(layout: Layout, fields: dict[str, Any], findings: Findings) -> None:
    _read_items(layout.header, HEADER, "", fields, findings, mandatory=True)
    if fields.pop("number_of_legs", None) in _DIGITS:
        fields["number_of_legs"] = int(layout.header[1])
    if fields.get("format_code") != "M":
        findings.failed("format_code", "is not M")
    name = fields.get("passenger_name")
    if name is None:
        findings.failed("passenger_name", "is not there")
        return
    surname, given_names, title, remarks = split_name(name, is_full=len(layout.header[2:22].rstrip()) == 20)
    fields["surname"] = surname
    if given_names:
        fields["given_names"] = given_names
    if title:
        fields["title"] = title
    for is_doubtful, remark in remarks:
        (findings.doubtful if is_doubtful else findings.ok)("passenger_name", remark)


def _read_unique(layout: Layout, fields: dict[str, Any], findings: Findings) -> None:
    if layout.version is not None:
        fields["version_number"] = layout.version
    _read_items(layout.unique, UNIQUE, "", fields, findings)
    if rest := layout.unique[UNIQUE_SIZE:].strip():
        fields[UNDEFINED_UNIQUE] = rest
        findings.doubtful("field_sizes", "the unique conditional items hold more than the standard defines")
    if fields.get("passenger_description") in ("X", "U") and layout.version in tuple("1234567"):
        findings.doubtful("item_forms", "passenger_description X and U came with version 8")


def _read_leg(leg: Leg, number: int, findings: Findings) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    where = f"legs[{number}]."
    if not leg.mandatory.strip():
        findings.doubtful("mandatory_items", f"legs[{number}] is blank")
    else:
        _read_items(leg.mandatory, LEG, where, fields, findings, mandatory=True)
    _read_items(leg.repeated, REPEATED, where, fields, findings)
    if rest := leg.repeated[REPEATED_SIZE:].strip():
        fields[UNDEFINED_REPEATED] = rest
        findings.doubtful("field_sizes", f"{where[:-1]}: the repeated items hold more than the standard defines")
    if leg.airline_use.strip():
        fields[FOR_INDIVIDUAL_AIRLINE_USE] = leg.airline_use
    return fields


def _read_items(
    section: str,
    items: tuple[Item, ...],
    where: str,
    fields: dict[str, Any],
    findings: Findings,
    *,
    mandatory: bool = False,
) -> None:
    """Put the items of a section into `fields`, as far as the section goes; a section may end within an item."""
    capitals = section.upper()
    if len(capitals) == len(section):  # a letter outside ASCII may become two; such a section stays as it is
        section = capitals
    position = 0
    for item in items:
        end = position + item.size
        value = section[position:end].strip()
        if end > len(section):
            _read_cut_item(section[position:], item, where, fields, findings, mandatory=mandatory)
            return
        position = end
        if value:
            fields[item.name] = value
            if item.form.fullmatch(value) is None:
                _remark_on_form(value, item, where, findings)
        elif not item.may_be_blank:
            findings.doubtful("mandatory_items", f"{where}{item.name} is blank")


def _read_cut_item(
    printed: str, item: Item, where: str, fields: dict[str, Any], findings: Findings, *, mandatory: bool
) -> None:
    """Say where the section ends, and keep the item only if it is likely whole but for spaces that a reader dropped."""
    if mandatory:
        findings.failed("mandatory_items", f"cut off at {where}{item.name}")
    elif printed:
        findings.doubtful("field_sizes", f"{where}{item.name} is cut off")
    value = printed.strip()
    has_form = item.form.fullmatch(value) is not None
    if value and (item.form is ANYTHING or (len(value) == item.size - 1 and has_form)):
        fields[item.name] = value


def _remark_on_form(value: str, item: Item, where: str, findings: Findings) -> None:
    tolerated = TOLERATED.get(item.name)
    if tolerated is not None and tolerated.fullmatch(value):
        findings.ok("item_forms", f"{where}{item.name} is not written as the standard has it")
    else:
        findings.doubtful("item_forms", f"{where}{item.name} does not have its form")


def _check_baggage_tags(fields: dict[str, Any], findings: Findings) -> None:
    tags = [name for name in BAGGAGE_TAGS if name in fields]
    if not tags:
        findings.not_done("baggage_tags", "no baggage tags")
    for name in tags:
        tag = fields[name]
        if tag == "0":
            findings.ok("baggage_tags", f"{name} says that there is none")
        elif not (tag.isascii() and tag.isdecimal() and len(tag) in (10, 13)):
            findings.doubtful("baggage_tags", f"{name} is not 10 digits and a count")
        elif len(tag) == 10:
            findings.ok("baggage_tags", f"{name} has no count")


def _resolve_dates(fields: dict[str, Any], today: date | None, findings: Findings) -> None:
    issued = _resolve_issue(fields, today, findings)
    for number, leg in enumerate(fields["legs"]):
        _resolve_flight(leg, number, issued, today, findings)
    if not fields["legs"]:
        findings.not_done("date_of_flight", "no legs")


def _resolve_issue(fields: dict[str, Any], today: date | None, findings: Findings) -> date | None:
    """Give the date of issue its year and return it, or None where it cannot be known."""
    printed = fields.get("date_of_issue_of_boarding_pass_julian")
    if printed is None:
        findings.not_done("date_of_issue", "no date of issue")
        return None
    if not (len(printed) == 4 and printed.isascii() and printed.isdecimal()):
        findings.doubtful("date_of_issue", "is not a digit of the year and a day of the year")
        return None
    year_digit, day = int(printed[0]), int(printed[1:])
    if today is None:
        findings.not_done("date_of_issue", "clock unset")
        if open_date := dates.open_date(day, year_digit):
            fields["date_of_issue_of_boarding_pass"] = open_date
        return None
    issued = dates.date_of_issue(year_digit, day, today)
    if issued is None:
        findings.failed("date_of_issue", "the year has no such day")
        return None
    fields["date_of_issue_of_boarding_pass"] = issued.isoformat()
    if (issued - today).days > 1:
        findings.doubtful("date_of_issue", "is in the future")
    elif (today - issued).days > 366:
        findings.doubtful("date_of_issue", "is more than a year ago")
    else:
        findings.ok("date_of_issue", "year taken from its last digit and today")
    return issued


def _resolve_flight(
    leg: dict[str, Any],
    number: int,
    issued: date | None,
    today: date | None,
    findings: Findings,
) -> None:
    where = f"legs[{number}]"
    printed = leg.get("date_of_flight_julian")
    if printed is None:
        findings.doubtful("date_of_flight", f"{where}: no date")
        return
    day = int(printed) if printed.isascii() and printed.isdecimal() else 0
    if not 1 <= day <= 366:
        findings.failed("date_of_flight", f"{where}: is not a day of the year")
        return
    if today is None:
        findings.not_done("date_of_flight", "clock unset")
        if open_date := dates.open_date(day):
            leg["date_of_flight"] = open_date
        return
    flight = dates.flight_after_issue(day, issued) if issued else dates.flight_nearest(day, today)
    if flight is None:
        findings.failed("date_of_flight", f"{where}: the year has no such day")
        return
    leg["date_of_flight"] = flight.isoformat()
    if issued:
        findings.ok("date_of_flight", "year taken from the date of issue")
    elif abs(flight - today).days > _FAR_DAYS:
        findings.doubtful("date_of_flight", f"{where}: year taken as the nearest to today, but it is months away")
    else:
        findings.ok("date_of_flight", "year taken as the nearest to today")


def _check_airports(legs: list[dict[str, Any]], findings: Findings) -> None:
    """Look the airports up; a code that the table does not have may be a railway station, or misread."""
    looked_up = 0
    for number, leg in enumerate(legs):
        for name in ("from_city_airport_code", "to_city_airport_code"):
            if name in leg:
                looked_up += 1
                if not airports.is_known(leg[name]):
                    findings.doubtful("airports_known", f"legs[{number}].{name} is not in the table of airports")
    if not looked_up:
        findings.not_done("airports_known", "no airports")


def _read_security(security: str | None, fields: dict[str, Any], findings: Findings) -> None:
    """Keep the security data as it is; the issuer's key that would check it is not known here."""
    if security is None:
        findings.not_done("security_data", "no security data")
        return
    size = security[1:3]
    fields["type_of_security_data"] = security[:1]
    fields["security_data"] = security[3:]
    if len(size) < 2 or not all(digit in "0123456789ABCDEFabcdef" for digit in size):
        findings.doubtful("security_data", "its size is not hexadecimal; not verified")
    elif int(size, 16) != len(security) - 3:
        findings.doubtful("security_data", f"its size says {int(size, 16)} characters, {len(security) - 3} are there")
    else:
        findings.not_done("security_data", "not verified: the key of its issuer is not known")
