"""Writes a bar coded boarding pass: the fields that `parse` returns, back into the text of the bar code.

Owns padding and sizes; it repairs nothing and refuses what the standard has no room for. Always true: for fields that
follow the standard, `parse(encode(fields))` returns the same fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from edge.documents.bcbp.items import (
    FOR_INDIVIDUAL_AIRLINE_USE,
    LEG,
    MOST_LEGS,
    REPEATED,
    UNDEFINED_REPEATED,
    UNDEFINED_UNIQUE,
    UNIQUE,
    Item,
)

_NAME_SIZE = 20
_MOST_HEX = 0xFF
_HEADER_NAMES = {
    "format_code",
    "number_of_legs",
    "passenger_name",
    "surname",
    "given_names",
    "title",
    "electronic_ticket_indicator",
    "version_number",
    "legs",
    "date_of_issue_of_boarding_pass",
    "type_of_security_data",
    "security_data",
    UNDEFINED_UNIQUE,
}
_LEG_NAMES = {"date_of_flight", FOR_INDIVIDUAL_AIRLINE_USE, UNDEFINED_REPEATED}
_FIELD_NAMES = _HEADER_NAMES | {item.name for item in UNIQUE}
_LEG_FIELD_NAMES = _LEG_NAMES | {item.name for item in LEG + REPEATED}


def encode(fields: Mapping[str, Any]) -> str:
    """Write the text of a boarding pass (IATA Resolution 792) from fields named as `parse` names them.

    The name comes from `passenger_name`, or from `surname`, `given_names` and `title`; a day of the year from the item,
    or from the full date beside it. Items that are not given are blank; a section ends with its last item that is not.
    Raises ValueError, naming field and limit, for what the standard has no room for.
    """
    _refuse_unknown(fields, _FIELD_NAMES, "")
    legs = fields.get("legs", [])
    if not 1 <= len(legs) <= MOST_LEGS:
        raise ValueError(f"legs: a boarding pass has 1 to {MOST_LEGS} legs, got {len(legs)}")
    if fields.get("number_of_legs", len(legs)) != len(legs):
        raise ValueError(f"number_of_legs: must be the number of legs, {len(legs)}")
    if fields.get("format_code", "M") != "M":
        raise ValueError("format_code: must be M")
    text = [
        f"M{len(legs)}",
        _padded(_passenger_name(fields), _NAME_SIZE, "passenger_name"),
        _padded(fields.get("electronic_ticket_indicator", ""), 1, "electronic_ticket_indicator"),
    ]
    unique = _unique(fields)
    for number, leg in enumerate(legs):
        text.append(_leg(leg, unique if number == 0 else "", number))
    return "".join(text) + _security(fields)


def _unique(fields: Mapping[str, Any]) -> str:
    """Return `>`, version, size and the items that appear once; nothing where the pass has no version."""
    issued = _day(fields, "date_of_issue_of_boarding_pass_julian", "date_of_issue_of_boarding_pass", "")
    items = _section({**fields, **issued}, UNIQUE, fields.get(UNDEFINED_UNIQUE, ""), "")
    version = fields.get("version_number", "")
    if not version:
        if items:
            raise ValueError("version_number: conditional items need one, 1 to 8")
        return ""
    return f">{_padded(version, 1, 'version_number')}{_size(items, 'the unique conditional items')}{items}"


def _leg(leg: Mapping[str, Any], unique: str, number: int) -> str:
    where = f"legs[{number}]."
    _refuse_unknown(leg, _LEG_FIELD_NAMES, where)
    values = {**leg, **_day(leg, "date_of_flight_julian", "date_of_flight", where)}
    mandatory = "".join(_padded(values.get(item.name, ""), item.size, where + item.name) for item in LEG)
    repeated = _section(values, REPEATED, leg.get(UNDEFINED_REPEATED, ""), where)
    airline_use = leg.get(FOR_INDIVIDUAL_AIRLINE_USE, "")
    _refuse_unprintable(airline_use, where + FOR_INDIVIDUAL_AIRLINE_USE)
    block = unique
    if number == 0 and (repeated or airline_use) and not unique:
        raise ValueError("version_number: conditional items need one, 1 to 8")
    if repeated or airline_use or unique:
        block += _size(repeated, f"{where}the repeated conditional items") + repeated + airline_use
    return mandatory + _size(block, f"{where}the variable field") + block


def _section(values: Mapping[str, Any], items: tuple[Item, ...], rest: str, where: str) -> str:
    text = "".join(_padded(values.get(item.name, ""), item.size, where + item.name) for item in items)
    if rest:
        _refuse_unprintable(rest, f"{where}items that the standard does not define")
        return text + rest
    filled = [number for number, item in enumerate(items) if values.get(item.name)]
    return text[: sum(item.size for item in items[: filled[-1] + 1])] if filled else ""


def _security(fields: Mapping[str, Any]) -> str:
    kind, security = fields.get("type_of_security_data", ""), fields.get("security_data", "")
    if not kind and not security:
        return ""
    _refuse_unprintable(security, "security_data")
    return f"^{_padded(kind, 1, 'type_of_security_data')}{_size(security, 'security_data')}{security}"


def _passenger_name(fields: Mapping[str, Any]) -> str:
    if name := fields.get("passenger_name"):
        return name
    given_names = " ".join(part for part in (fields.get("given_names"), fields.get("title")) if part)
    surname = fields.get("surname")
    if not surname:
        raise ValueError("passenger_name: must be given, or surname")
    return f"{surname}/{given_names}" if given_names else surname


def _day(values: Mapping[str, Any], julian: str, full: str, where: str) -> dict[str, str]:
    """Return the item of a day of the year where only the full date is given; the date of issue leads with its year."""
    printed = values.get(full)
    if not printed or values.get(julian):
        return {}
    try:
        day = date.fromisoformat(printed)
    except ValueError:
        raise ValueError(f"{where}{full}: must be YYYY-MM-DD, or give {julian}") from None
    of_year = f"{day:%j}"
    return {julian: f"{day.year % 10}{of_year}" if julian.startswith("date_of_issue") else of_year}


def _padded(value: str, size: int, name: str) -> str:
    _refuse_unprintable(value, name)
    if len(value) > size:
        raise ValueError(f"{name}: at most {size} characters, got {len(value)}")
    return value.ljust(size)


def _size(text: str, name: str) -> str:
    if len(text) > _MOST_HEX:
        raise ValueError(f"{name}: at most {_MOST_HEX} characters, got {len(text)}")
    return f"{len(text):02X}"


def _refuse_unprintable(value: str, name: str) -> None:
    if not isinstance(value, str) or not value.isascii() or (value and not value.isprintable()):
        raise ValueError(f"{name}: must be text of printable ASCII characters")


def _refuse_unknown(fields: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := fields.keys() - known:
        raise ValueError(f"{where}{min(unknown)}: is no field of a boarding pass")
