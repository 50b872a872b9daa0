"""Reads and writes the magnetic stripe of driving licences: AAMVA's three tracks (annex on magnetic stripes).

Owns tracks, sentinels and field lengths; issuers come from `aamva`. The kind is `AAMVA-MAG`, the source `aamva`, and
fields that the bar code has too carry the same names. Always true: a track that is missing or damaged does not harm the
others; the LRC, which readers check and do not send, is not looked for.

Track 1 `%` state, city (13), name (35, parts by `$`), address (29, lines by `$`) `?`: a field that does not fill its
length ends in `^`. Track 2 `;` issuer (6), number (13), `=`, expiry YYMM, birth CCYYMMDD, rest of the number `?`.
Track 3 `%`, `#`, `+` or `!`, then fields of fixed length, `?`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Any

from edge.documents.aamva.dates import read_date
from edge.documents.aamva.issuers import issuer
from edge.documents.findings import Findings
from edge.documents.verdict import Document, Result, Verdict

CHECKS = (
    "tracks",  # all three there, each whole
    "issuer_known",
    "field_forms",
    "date_of_birth",
    "date_of_expiry",
    "validity",
)
_NO_STRIPE = (Verdict("understood", Result.FAILED, "no magnetic stripe of AAMVA: no track with an issuer or a state"),)
_LONGEST = 1024  # characters; three tracks hold 201
_TRACK_1 = re.compile(r"%([A-Z]{2}[^%;?\n]{0,90})\??")
_TRACK_2 = re.compile(r";([0-9]{6}[0-9A-Z]{0,13}[^;?\n]{0,40})\??")
_TRACK_3 = re.compile(r"[%#+!]([^;?\n]{20,110})\??")
_LICENCE = re.compile(r"(?:636|604)[^=]*=[0-9]{4}(?:19|20)[0-9]{6}")
_CITY, _NAME, _ADDRESS, _NUMBER = 13, 35, 29, 13
_NAMES = ("customer_family_name", "customer_first_name", "customer_middle_names", "name_suffix")
_STREETS = ("address_street_1", "address_street_2")
_SEXES = {"1": "M", "2": "F", "9": "X", "M": "M", "F": "F"}
_TRACK_3_FIELDS = (
    ("card_design_standard_version", 1, r".*"),
    ("jurisdiction_version_number", 1, r".*"),
    ("address_postal_code", 11, r"[A-Z0-9 -]{5,11}"),
    ("vehicle_class", 2, r".*"),
    ("restriction_codes", 10, r".*"),
    ("endorsement_codes", 4, r".*"),
    ("sex", 1, r"[129MF]"),
    ("height", 3, r"[0-9]{3}"),
    ("weight", 3, r"[0-9]{2,3}"),
    ("hair_color", 3, r"[A-Z]{2,3}"),
    ("eye_color", 3, r"[A-Z]{2,3}"),
    ("discretionary_data", 37, r".*"),
)
_NEVER, _MONTH_OF_BIRTH_NEXT_YEAR, _DAY_OF_BIRTH = "77", "88", "99"


def parse(payload: bytes | str, *, today: date | None) -> Document:
    """Read the tracks of a licence's magnetic stripe, in any order, and return fields and one verdict a check.

    `today` is compared with birth and expiry; None means that the clock is unset. Never raises. A payload without any
    track of AAMVA has the kind `unknown` and the one verdict `understood`.
    """
    text = (payload if isinstance(payload, str) else bytes(payload).decode("latin-1"))[:_LONGEST]
    track_1, track_2, track_3 = _tracks(text)
    if track_1 is None and track_2 is None:
        return Document("unknown", "aamva", {}, _NO_STRIPE)
    findings = Findings(CHECKS)
    for number, track in ((1, track_1), (2, track_2), (3, track_3)):
        if track is None:
            findings.doubtful("tracks", f"track {number} is missing")
        elif not track.group().endswith("?"):
            findings.doubtful("tracks", f"track {number} has no end sentinel")
    fields: dict[str, Any] = {}
    if track_1 is not None:
        _read_track_1(track_1[1], fields)
    expiry = _read_track_2(track_2[1], fields, findings) if track_2 is not None else ""
    if track_3 is not None:
        _read_track_3(track_3[1], fields, findings)
    _check_dates(fields, expiry, today, findings)
    _check_issuer(fields, findings)
    return Document("AAMVA-MAG", "aamva", fields, findings.verdicts())


def encode(fields: Mapping[str, Any]) -> str:
    """Write the three tracks from fields named as `parse` names them, without LRC.

    Raises ValueError, naming the field, for what a track has no room for.
    """
    return _track_1(fields) + _track_2(fields) + _track_3(fields)


def _tracks(text: str) -> tuple[re.Match[str] | None, re.Match[str] | None, re.Match[str] | None]:
    """Find each track; the third may begin with `%` as the first does, so it is looked for behind the other two.

    Payment cards have a second track too: it is a licence's where the issuer is known, or could be one of AAMVA and
    there is a date of birth.
    """
    text = text.upper()  # a track has no lower case
    track_2 = next(
        (found for found in _TRACK_2.finditer(text) if issuer(found[1][:6]) or _LICENCE.match(found[1])), None
    )
    track_1 = next((found for found in _TRACK_1.finditer(text) if "^" in found[1] or "$" in found[1]), None)
    behind = max((track.end() for track in (track_1, track_2) if track is not None), default=0)
    return track_1, track_2, _TRACK_3.search(text, behind)


def _read_track_1(track: str, fields: dict[str, Any]) -> None:
    fields["address_jurisdiction_code"] = track[:2]
    city, rest = _variable(track[2:], _CITY)
    names, rest = _variable(rest, _NAME)
    streets, rest = _variable(rest, _ADDRESS)
    if city:
        fields["address_city"] = city
    for labels, text in ((_NAMES, names), (_STREETS, streets)):
        for label, part in zip(labels, text.split("$", len(labels) - 1), strict=False):
            if part := part.strip(" ,"):  # British Columbia writes a comma behind the family name
                fields[label] = part
    if rest.strip(" ^"):
        fields["track_1_discretionary_data"] = rest.strip()


def _variable(text: str, size: int) -> tuple[str, str]:
    """Take a field that ends in `^`, or fills its size; return it and the rest."""
    head, caret, _ = text[: size + 1].partition("^")
    if caret:
        return head.strip(), text[len(head) + 1 :]
    return text[:size].strip(), text[size:]


def _read_track_2(track: str, fields: dict[str, Any], findings: Findings) -> str:
    """Read track 2 and return the expiry as printed (YYMM), which needs the date of birth to be understood."""
    fields["issuer_identification_number"] = track[:6]
    number, separator, rest = track[6:].partition("=")
    if not separator:
        findings.doubtful("tracks", "track 2 has no field separator")
    overflow = rest[12:].strip("=").strip()
    if number.strip():
        fields["customer_id_number"] = number.strip() + overflow
    if rest[4:12]:
        born = read_date(rest[4:12], year_first=True)
        if born is not None:
            fields["date_of_birth"] = born.printed
            if not born.in_order:
                findings.ok("date_of_birth", "in another order than CCYYMMDD")
        else:
            findings.failed("date_of_birth", "is no date")
    return rest[:4]


def _read_track_3(track: str, fields: dict[str, Any], findings: Findings) -> None:
    position = 0
    for name, size, form in _TRACK_3_FIELDS:
        text = track[position : position + size].strip()
        position += size
        if not text:
            continue
        if not re.fullmatch(form, text):
            findings.doubtful("field_forms", f"{name} does not have its form")
        fields[name] = _SEXES.get(text, text) if name == "sex" else text


def _check_issuer(fields: dict[str, Any], findings: Findings) -> None:
    number = fields.get("issuer_identification_number")
    if number is None:
        findings.not_done("issuer_known", "track 2 is missing")
        return
    known = issuer(number)
    if known is None:
        findings.doubtful("issuer_known", "issuer_identification_number is not in the table of issuers")
        return
    fields["issuing_state"] = known.state
    if known.jurisdiction:
        fields["issuing_jurisdiction"] = known.jurisdiction


def _check_dates(fields: dict[str, Any], expiry: str, today: date | None, findings: Findings) -> None:
    born = fields.get("date_of_birth")
    if born is None and not findings.has("date_of_birth"):
        findings.not_done("date_of_birth", "not on the stripe")
    elif born and today and born.replace("XX", "01") > today.isoformat():
        findings.failed("date_of_birth", "is in the future")
    if expiry[2:] == _NEVER:
        findings.ok("date_of_expiry", "the card does not expire")
        findings.ok("validity", "the card does not expire")
        return
    last_day = _last_day(expiry, born, findings)
    if last_day is None:
        findings.not_done("validity", "no date of expiry")
        return
    fields["document_expiration_date"] = last_day
    if today is None:
        findings.not_done("validity", "clock unset")
    elif last_day < today.isoformat():
        findings.failed("validity", "expired")


def _last_day(expiry: str, born: str | None, findings: Findings) -> str | None:
    """Return the last day of the card: YYMM, where months 88 and 99 point at the date of birth."""
    if not expiry.strip():
        findings.not_done("date_of_expiry", "not on the stripe")
        return None
    if not (len(expiry) == 4 and expiry.isascii() and expiry.isdecimal()):
        findings.failed("date_of_expiry", "is not YYMM")
        return None
    year, month = 2000 + int(expiry[:2]), expiry[2:]
    if month in (_MONTH_OF_BIRTH_NEXT_YEAR, _DAY_OF_BIRTH):
        if born is None or "XX" in born:
            findings.doubtful("date_of_expiry", "points at the date of birth, which is not known")
            return None
        if month == _DAY_OF_BIRTH:
            day = min(int(born[8:]), monthrange(year, int(born[5:7]))[1])
            return f"{year}-{born[5:8]}{day:02}"
        year, month = year + 1, born[5:7]
    if not 1 <= int(month) <= 12:
        findings.failed("date_of_expiry", "has no such month")
        return None
    return f"{year}-{month}-{monthrange(year, int(month))[1]}"


def _track_1(fields: Mapping[str, Any]) -> str:
    state = fields.get("address_jurisdiction_code", "")
    if len(state) != 2:
        raise ValueError("address_jurisdiction_code: must be two capitals")
    city = _closed(fields.get("address_city", ""), _CITY, "address_city")
    name = _closed(_joined(fields, _NAMES), _NAME, "customer_family_name and the names behind it")
    address = _closed(_joined(fields, _STREETS), _ADDRESS, "address_street_1 and address_street_2")
    return f"%{state}{city}{name}{address}?"


def _track_2(fields: Mapping[str, Any]) -> str:
    number = fields.get("customer_id_number", "")
    if not re.fullmatch(r"[0-9]{1,18}", number):
        raise ValueError("customer_id_number: must be 1 to 18 digits")
    if not re.fullmatch(r"[0-9]{6}", fields.get("issuer_identification_number", "")):
        raise ValueError("issuer_identification_number: must be six digits")
    expires, born = (_digits(fields, name) for name in ("document_expiration_date", "date_of_birth"))
    expiry = expires[2:6] if expires else f"77{_NEVER}"
    overflow = number[_NUMBER:] or "="
    return f";{fields['issuer_identification_number']}{number[:_NUMBER]}={expiry}{born or '=' * 8}{overflow}?"


def _track_3(fields: Mapping[str, Any]) -> str:
    text = ""
    for name, size, _ in _TRACK_3_FIELDS:
        value = str(fields.get(name, ""))
        if name == "sex" and value:
            value = {"M": "1", "F": "2", "X": "9"}.get(value, value)
        if len(value) > size or not _is_writable(value):
            raise ValueError(f"{name}: at most {size} characters that a track can hold")
        text += value.ljust(size)
    return f"%{text}?"


def _joined(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return "$".join(fields.get(name, "") for name in names).rstrip("$")


def _closed(text: str, size: int, name: str) -> str:
    if len(text) > size or not _is_writable(text):
        raise ValueError(f"{name}: at most {size} characters that a track can hold")
    return text if len(text) == size else f"{text}^"


def _is_writable(text: str) -> bool:
    """Tell whether a track's six-bit alphabet holds the text, without the characters that mean something there."""
    return all(" " <= character <= "_" and character not in "%?;^" for character in text)


def _digits(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not value:
        return ""
    try:
        return f"{date.fromisoformat(value):%Y%m%d}"
    except (TypeError, ValueError):
        raise ValueError(f"{name}: must be YYYY-MM-DD") from None
