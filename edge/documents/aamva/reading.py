"""Reads the PDF417 bar code of an AAMVA driving licence or identification card: bytes in, fields and verdicts out.

Owns what the elements mean and which check hears of it; the subfiles come from `layout`. Always true: no input raises;
an element is kept as printed, without the spaces around it, save that dates become full-dates and sex M, F or X; what
no version knows is kept under its ID.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from edge.documents.aamva.dates import is_year_first, never_expires, read_date
from edge.documents.aamva.elements import (
    ELEMENTS_OF_VERSION_1,
    Element,
    Kind,
    elements_of,
    mandatory_elements,
)
from edge.documents.aamva.issuers import issuer
from edge.documents.aamva.layout import HOLDER_TYPES, Layout, Subfile, cut, file_type_of
from edge.documents.aamva.names import read_names
from edge.documents.findings import Findings
from edge.documents.verdict import Document, Result, Verdict

CHECKS = (
    "characters",
    "header",  # compliance indicator, control characters, file type
    "issuer_known",
    "version",
    "number_of_entries",
    "subfile_offsets",
    "separators",
    "mandatory_elements",
    "element_forms",
    "names",
    "date_of_birth",
    "date_of_issue",
    "date_of_expiry",
    "validity",  # not expired today
)
_NO_CARD = (Verdict("understood", Result.FAILED, "no AAMVA bar code: the file type ANSI and a number lead it"),)
_LONGEST = 8192  # characters; a PDF417 symbol holds 2,710 at most
_ABSENT = ("NONE", "UNAVL", "UNAVAILABLE")
_SEXES = {"1": "M", "2": "F", "9": "X", "M": "M", "F": "F", "X": "X"}
_DATE_CHECKS = {
    "date_of_birth": "date_of_birth",
    "document_issue_date": "date_of_issue",
    "document_expiration_date": "date_of_expiry",
}


def parse(payload: bytes | str, *, today: date | None) -> Document:
    """Read an AAMVA bar code (DL/ID Card Design Standard, versions 1 to 11) and return fields and one verdict a check.

    `today` is compared with birth, issue and expiry; None means that the clock is unset. Never raises. A payload that
    is no such bar code has the kind `unknown` and the one verdict `understood`.
    """
    findings = Findings(CHECKS)
    text = _text(payload, findings)
    if file_type_of(text) is None:
        return Document("unknown", "aamva", {}, _NO_CARD)
    layout = cut(text, findings)
    fields = _header_fields(layout, findings)
    holder = next((subfile for subfile in layout.subfiles if subfile.type in HOLDER_TYPES), None)
    if holder is None:
        holder = Subfile("")
        findings.failed("mandatory_elements", "no subfile of a licence (DL), a card (ID) or an enhanced licence (EN)")
    else:
        fields["subfile_type"] = holder.type
    _read_elements(holder, layout, fields, findings)
    _read_other_subfiles(layout, holder, fields)
    read_names(fields, findings)
    _check_dates(fields, holder, today, findings)
    return Document("AAMVA", "aamva", fields, findings.verdicts())


def is_card(text: str) -> bool:
    """Tell whether the text reads as an AAMVA bar code: its file type and an issuer's number stand near the start."""
    return file_type_of(text) is not None or file_type_of(text[:200].upper()) is not None


def _text(payload: bytes | str, findings: Findings) -> str:
    """Decode: UTF-8 where the bytes are that, else ISO 8859-1, which the standard permits."""
    if isinstance(payload, str):
        text = payload
    else:
        try:
            text = bytes(payload).decode("utf-8")
        except UnicodeDecodeError:
            text = bytes(payload).decode("latin-1")
    if len(text) > _LONGEST:
        findings.doubtful("characters", f"longer than a bar code can be; {len(text) - _LONGEST} characters not read")
        text = text[:_LONGEST]
    if not text.isascii():
        findings.ok("characters", "letters outside ASCII")
    if file_type_of(text) is None and file_type_of(text[:200].upper()) is not None:
        findings.ok("characters", "lower case; read as capitals")
        return text.upper()
    return text


def _header_fields(layout: Layout, findings: Findings) -> dict[str, Any]:
    fields: dict[str, Any] = {"issuer_identification_number": layout.issuer_identification_number}
    for name, value in (
        ("aamva_version_number", layout.version),
        ("jurisdiction_version_number", layout.jurisdiction_version),
    ):
        if value is not None:
            fields[name] = value
    known = issuer(layout.issuer_identification_number)
    if known is None:
        findings.doubtful("issuer_known", "issuer_identification_number is not in the table of issuers")
    else:
        fields["issuing_state"] = known.state
        if known.jurisdiction:
            fields["issuing_jurisdiction"] = known.jurisdiction
    return fields


def _read_elements(holder: Subfile, layout: Layout, fields: dict[str, Any], findings: Findings) -> None:
    version = layout.version or 0
    known = elements_of(version)
    state = holder.elements.get("DCG", "").strip() or fields.get("issuing_state", "USA")
    year_first = is_year_first(version, state)
    for id, printed in holder.elements.items():
        text = printed.strip()
        element = known.get(id) or ELEMENTS_OF_VERSION_1.get(id)
        if not text or (text.upper() in _ABSENT and (element is None or element.kind is Kind.TEXT)):
            continue
        if element is None or element.name in fields:
            fields.setdefault("other_elements", {})[id] = text
        else:
            _read_element(element, text, year_first, fields, findings)
    if holder.unplaced:
        fields["unplaced_text"] = holder.unplaced
    mandatory = mandatory_elements(version, holder.type)
    if missing := [id for id in mandatory if id not in holder.elements]:
        findings.doubtful("mandatory_elements", f"missing: {', '.join(missing)}")
        _look_for_swallowed(missing, holder, findings)
    if version <= 1 and "DAA" not in holder.elements and "DAB" not in holder.elements:
        findings.doubtful("mandatory_elements", "missing: DAA or DAB")


def _look_for_swallowed(missing: list[str], holder: Subfile, findings: Findings) -> None:
    """Say where the text of an element holds the ID of a missing one: a separator between them may be lost."""
    for id, text in holder.elements.items():
        if any(absent in text for absent in missing):
            findings.doubtful("separators", f"element {id} may have swallowed another")


def _read_element(element: Element, text: str, year_first: bool, fields: dict[str, Any], findings: Findings) -> None:
    where = f"{element.name} ({element.id})"
    match element.kind:
        case Kind.DATE:
            check = _DATE_CHECKS.get(element.name, "element_forms")
            read = read_date(text, year_first=year_first)
            if read is not None:
                fields[element.name] = read.printed
                if not read.in_order:
                    findings.ok(check, f"{where} is in the other order than its state's")
            elif element.name == "document_expiration_date" and never_expires(text):
                findings.ok(check, f"{where}: the card does not expire")
            elif not never_expires(text):
                findings.failed(check, f"{where} is no date")
        case Kind.SEX:
            if sex := _SEXES.get(text.upper()):
                fields[element.name] = sex
            else:
                findings.doubtful("element_forms", f"{where} does not have its form")
        case Kind.TEXT:
            fields[element.name] = text
            if not element.form.fullmatch(text):
                findings.doubtful("element_forms", f"{where} does not have its form")


def _read_other_subfiles(layout: Layout, holder: Subfile, fields: dict[str, Any]) -> None:
    """Keep what the jurisdiction added, by subfile and ID; a second subfile of the holder's kind adds what it has."""
    for subfile in layout.subfiles:
        if subfile is not holder:
            elements = {id: text.strip() for id, text in subfile.elements.items() if text.strip()}
            fields.setdefault("other_subfiles", {}).setdefault(subfile.type, {}).update(elements)


def _check_dates(fields: dict[str, Any], holder: Subfile, today: date | None, findings: Findings) -> None:
    for name, check in _DATE_CHECKS.items():
        if name not in fields and not findings.has(check):
            findings.not_done(check, "not on the card")
    born, issued, expires = (fields.get(name) for name in _DATE_CHECKS)
    if today is None:
        findings.not_done("validity", "clock unset")
        if born:
            findings.not_done("date_of_birth", "clock unset")
        return
    now = today.isoformat()
    if born and _earliest(born) > now:
        findings.failed("date_of_birth", "is in the future")
    if issued and _earliest(issued) > now:
        findings.doubtful("date_of_issue", "is in the future")
    if born and issued and _latest(issued) < _earliest(born):
        findings.failed("date_of_issue", "is before the date of birth")
    if expires is None:
        text = holder.elements.get("DBA")
        if text is not None and never_expires(text.strip()):
            findings.ok("validity", "the card does not expire")
        else:
            findings.not_done("validity", "no date of expiry")
    elif _latest(expires) < now:
        findings.failed("validity", "expired")


def _earliest(printed: str) -> str:
    return printed.replace("XX", "01")


def _latest(printed: str) -> str:
    return printed.replace("XX", "31")
