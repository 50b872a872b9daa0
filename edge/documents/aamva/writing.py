"""Writes the text of an AAMVA bar code from the fields that `parse` returns.

Owns header, offsets, lengths and the order of dates; it repairs nothing and refuses what does not fit. Always true: for
fields that follow the standard, `parse(encode(fields))` returns the same fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.documents.aamva.dates import is_year_first, write_date
from edge.documents.aamva.elements import (
    FIRST_VERSION,
    LAST_VERSION,
    Element,
    Kind,
    could_be_element,
    elements_of,
)
from edge.documents.aamva.issuers import issuer

_DIGIT_OF_SEX = {"M": "1", "F": "2", "X": "9"}
_HEADER_NAMES = {
    "issuer_identification_number",
    "aamva_version_number",
    "jurisdiction_version_number",
    "subfile_type",
    "issuing_state",
    "issuing_jurisdiction",
    "other_elements",
    "other_subfiles",
    "unplaced_text",
}
_DESIGNATOR_SIZE = 10
_LONGEST = 9999  # what four digits of a length can say


def encode(fields: Mapping[str, Any]) -> str:
    """Write a bar code text (AAMVA DL/ID Card Design Standard, annex D) from fields named as `parse` names them.

    `aamva_version_number` (10 where it is not given) decides the IDs and the header, the issuing state the order of
    dates. Names that version 1 to 3 hold in one element are written from that element alone. Raises ValueError, naming
    the field, for what does not fit.
    """
    version = fields.get("aamva_version_number", 10)
    if not FIRST_VERSION <= version <= LAST_VERSION:
        raise ValueError(f"aamva_version_number: must be {FIRST_VERSION} to {LAST_VERSION}")
    known = elements_of(version)
    by_name = _by_name(known, version)
    _refuse_unknown(fields, known)
    year_first = is_year_first(version, _state(fields))
    parts = [
        element.id + _written(element, fields[name], year_first)
        for name, element in by_name.items()
        if name in fields and not _is_split_off(name, fields)
    ]
    if fields.get("unplaced_text"):
        raise ValueError("unplaced_text: text without an element ID cannot be written")
    parts += [_own(id, text) for id, text in fields.get("other_elements", {}).items()]
    kind = fields.get("subfile_type", "DL")
    subfiles = [(kind, "\n".join(parts))]
    for type, elements in fields.get("other_subfiles", {}).items():
        subfiles.append((type, "\n".join(_own(id, text) for id, text in elements.items())))
    return _assembled(fields, version, subfiles)


def _state(fields: Mapping[str, Any]) -> str:
    """Return the state whose order of dates counts: the card's own, else its issuer's, as `parse` takes it."""
    known = issuer(fields.get("issuer_identification_number", ""))
    return fields.get("country_identification") or (known.state if known else "USA")


def _assembled(fields: Mapping[str, Any], version: int, subfiles: list[tuple[str, str]]) -> str:
    """Put header, designators and subfiles together; offsets count from the @."""
    number = fields.get("issuer_identification_number", "")
    if not (len(number) == 6 and number.isascii() and number.isdecimal()):
        raise ValueError("issuer_identification_number: must be six digits")
    header = f"@\n\x1e\rANSI {number}{version:02}"
    if version > 1:
        header += f"{_two_digits(fields.get('jurisdiction_version_number', 0), 'jurisdiction_version_number')}"
    header += _two_digits(len(subfiles), "other_subfiles")
    offset = len(header) + _DESIGNATOR_SIZE * len(subfiles)
    body = ""
    for type, elements in subfiles:
        if not (len(type) == 2 and type.isascii() and type.isalpha() and type.isupper()):
            raise ValueError("subfile_type: must be two capitals")
        subfile = f"{type}{elements}\r"
        if offset + len(body) > _LONGEST or len(subfile) > _LONGEST:
            raise ValueError(f"other_subfiles: the bar code must not be longer than {_LONGEST} characters")
        header += f"{type}{offset + len(body):04}{len(subfile):04}"
        body += subfile
    return header + body


def _by_name(known: Mapping[str, Element], version: int) -> dict[str, Element]:
    """Return the elements by name; where version 1 has two IDs for one name, the older ID is the one it defines."""
    by_name: dict[str, Element] = {}
    for element in known.values():
        if element.name not in by_name or (version <= 1 and element.id[:2] in ("DA", "DB")):
            by_name[element.name] = element
    return by_name


def _is_split_off(name: str, fields: Mapping[str, Any]) -> bool:
    """Tell whether `parse` made this field from a longer name element that is written itself."""
    if "customer_name" in fields:
        return name in ("customer_family_name", "customer_first_name", "customer_middle_names", "name_suffix")
    return "customer_given_names" in fields and name in ("customer_first_name", "customer_middle_names")


def _written(element: Element, value: str, year_first: bool) -> str:
    match element.kind:
        case Kind.DATE:
            try:
                return write_date(value, year_first=year_first)
            except (ValueError, AttributeError):
                raise ValueError(f"{element.name}: must be YYYY-MM-DD, between 1900 and 2099") from None
        case Kind.SEX:
            if value not in _DIGIT_OF_SEX:
                raise ValueError(f"{element.name}: must be M, F or X")
            return _DIGIT_OF_SEX[value]
        case Kind.TEXT:
            _refuse_controls(value, element.name)
            if not element.form.fullmatch(value):
                raise ValueError(f"{element.name}: does not have the form of {element.id}")
            return value


def _own(id: str, text: str) -> str:
    if not could_be_element(id):
        raise ValueError("other_elements: an ID is D, P or Z and two more capitals or digits")
    _refuse_controls(text, f"other_elements.{id}")
    return id + text


def _two_digits(number: int, name: str) -> str:
    if not 0 <= number <= 99:
        raise ValueError(f"{name}: must be 0 to 99")
    return f"{number:02}"


def _refuse_controls(value: str, name: str) -> None:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{name}: must be text without control characters")


def _refuse_unknown(fields: Mapping[str, Any], known: Mapping[str, Element]) -> None:
    unknown = fields.keys() - _HEADER_NAMES - {element.name for element in known.values()}
    if unknown:
        raise ValueError(f"{min(unknown)}: is no field of this version")
