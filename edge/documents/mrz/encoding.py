"""Fields to the lines of a machine readable zone, with every check digit.

Owns how fields are written: transliteration, truncation, fillers, long document numbers. Always true: what `parse` gave
for a sound zone is written back as the same lines, and impossible input is an error that names the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from edge.documents.mrz import names as name_field
from edge.documents.mrz.check_digits import check_digit
from edge.documents.mrz.layouts import LAYOUTS, Layout
from edge.documents.transliteration import LANGUAGE_OF_STATE, to_mrz

_DATE = re.compile(r"(?:[0-9X]{2})([0-9]{2}|XX)-([0-9]{2}|XX)-([0-9]{2}|XX)", re.ASCII)
_PLAIN = re.compile(r"[0-9A-Z<]*", re.ASCII)
_STATE = re.compile(r"[A-Z]{1,3}", re.ASCII)


def encode(kind: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return the lines of a zone of this kind (`TD1`, `TD2`, `TD3`, `MRV-A`, `MRV-B`, `IDFRA`).

    `fields` have the names and forms that `parse` gives; names may be in Latin, Cyrillic or Arabic script. What is left
    out is written as fillers. Raises ValueError for an unknown kind, and for a field that cannot be written.
    """
    if kind not in LAYOUTS:
        raise ValueError(f"no machine readable zone is called {kind}; choose one of {', '.join(LAYOUTS)}")
    layout = LAYOUTS[kind]
    derived = {"date_of_issue"} if kind == "IDFRA" else set()  # its number says it
    if unknown := set(fields) - set(layout.spans) - {"primary_identifier", "secondary_identifier"} - derived:
        raise ValueError(f"{kind} has no field {', '.join(sorted(unknown))}")
    zone = ["<"] * (layout.width * layout.lines)
    for name, span in layout.spans.items():
        zone[span] = _written(name, span.stop - span.start, layout, fields)
    _put_digits(zone, layout, fields)
    text = "".join(zone)
    return tuple(text[start : start + layout.width] for start in range(0, len(text), layout.width))


def _written(name: str, width: int, layout: Layout, fields: Mapping[str, str]) -> str:
    """Return a field as it stands in the zone, without its check digit."""
    value = fields.get(name, "")
    language = LANGUAGE_OF_STATE.get(fields.get("issuing_state", ""))
    match name:
        case "names":
            primary, secondary = (fields.get(f"{which}_identifier", "") for which in ("primary", "secondary"))
            return name_field.join(_to_mrz(primary, language), _to_mrz(secondary, language), width)
        case "primary_identifier" | "secondary_identifier":
            separator = "<" if name == "primary_identifier" else "<<"
            return _to_mrz(value, language).replace("<", separator)[:width].ljust(width, "<")
        case "date_of_birth" | "date_of_expiry":
            return _six(name, value)
        case "sex":
            if value not in ("", "M", "F", "X", "<"):
                raise ValueError("sex is M, F or X")
            return value if value in ("M", "F") else "<"
        case "issuing_state" | "nationality":
            if value and not _STATE.fullmatch(value):
                raise ValueError(f"{name} is a code of one to three letters")
            return value.ljust(width, "<")
        case "document_code" if not value or value[0] not in layout.code_letters:
            raise ValueError(f"document_code of a {layout.kind} begins with {' or '.join(layout.code_letters)}")
        case "document_number":
            return _fitting(name, value[:width] if layout.kind in ("TD1", "TD2") else value, width)
        case "optional_data":
            return _fitting(name, _overflow(layout, fields) + value, width)
    return _fitting(name, value, width)


def _put_digits(zone: list[str], layout: Layout, fields: Mapping[str, str]) -> None:
    for name, offset in layout.digits.items():
        zone[offset] = str(check_digit("".join(zone[layout.spans[name]])))
    if _overflow(layout, fields):
        zone[layout.digits["document_number"]] = "<"
    if "optional_data" in layout.digits and not fields.get("optional_data"):
        zone[layout.digits["optional_data"]] = "<"
    if layout.composite is not None:
        over = "".join("".join(zone[span]) for span in layout.composite_over)
        zone[layout.composite] = str(check_digit(over))


def _overflow(layout: Layout, fields: Mapping[str, str]) -> str:
    """Return what a long document number puts in front of the optional data: its rest, its digit and a filler."""
    number = fields.get("document_number", "")
    width = layout.spans["document_number"].stop - layout.spans["document_number"].start
    if len(number) <= width or layout.kind not in ("TD1", "TD2"):
        return ""
    overflow = f"{number[width:]}{check_digit(number)}"
    if "<" in number[width:]:
        raise ValueError("document_number has a filler where it goes on in the optional data")
    span = layout.spans["optional_data"]
    if len(overflow) > span.stop - span.start:
        raise ValueError(f"document_number is too long for a {layout.kind}")
    return overflow if len(overflow) == span.stop - span.start else f"{overflow}<"


def _to_mrz(name: str, language: str | None) -> str:
    return to_mrz(name, language=language)


def _fitting(name: str, value: str, width: int) -> str:
    if not _PLAIN.fullmatch(value):
        raise ValueError(f"{name} may hold digits, letters A to Z and fillers")
    if len(value) > width:
        raise ValueError(f"{name} has room for {width} characters")
    return value.ljust(width, "<")


def _six(name: str, value: str) -> str:
    """Return a full-date, with X where it is open, as YYMMDD."""
    if not value:
        return "<<<<<<"
    parts = _DATE.fullmatch(value)
    if parts is None:
        raise ValueError(f"{name} is a date such as 1974-08-12, with XX for parts that are not known")
    return "".join(parts.groups()).replace("X", "<")
