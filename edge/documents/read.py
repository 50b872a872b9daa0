"""Route a payload to the standard that understands it.

Owns the choice alone: by the AIM symbology identifier where one says it, otherwise by how the content begins. The
modules of the standards are imported when the first payload of their kind comes; see `edge.documents.rehearsal`.
Always true: any bytes up to 64 KiB give a document, at worst one of kind `unknown`; longer ones are not looked at.

    begins with                     standard
    AIM `]o`                        machine readable zone, nothing else
    M0 to M9, no < near it          IATA boarding pass
    HC1:                            EU digital certificate
    @ ... ANSI or AAMVA             driving licence (AAMVA)
    % ; +                           magnetic stripe
    byte DC                         ICAO visible digital seal
    {, with "data" and "sig"        ICAO VDS-NC
    anything else                   machine readable zone, if it has the shape of one; else a boarding pass, if it has
                                    a flight where passes have theirs: its first characters were lost or misread
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from edge.documents.verdict import Document, Result, Verdict

if TYPE_CHECKING:
    from edge.documents.trust import TrustList

LONGEST_PAYLOAD = 65_536

# ISO/IEC 15424: a modifier follows; of the symbologies that carry documents only Aztec has letters among its own.
# Readers put control characters and byte order marks before it, behind it, or there alone.
_FRAMING = r"(?:[\x00-\x1f\x7f\ufeff]|\xef\xbb\xbf)*"
_BEFORE = re.compile(rf"{_FRAMING}(\](?:z[0-9A-C]?|[A-Za-z][0-9]?))?{_FRAMING}", re.ASCII)
_BOARDING_PASS = re.compile(r"[Mm][0-9]", re.ASCII)
_LICENCE = re.compile(r"@[^A-Z]{0,8}(?i:ANSI|A?AMVA)|(?i:ANSI|A?AMVA) ?[0-9]{6}", re.ASCII)
_SEAL = ("\xdc", "\xc3\x9c")  # the byte as it is, or made UTF-8 by a reader that took it for text
_OCR = "]o"
_EXPECTED = (
    "neither a machine readable zone (2 lines of 44 or 36 characters, 3 of 30) nor a boarding pass (M1), "
    "licence (@ ANSI, or % ; of its stripe), seal (byte DC, or JSON) or certificate (HC1:)"
)


def read(
    payload: bytes | str,
    *,
    today: date | None,
    symbology: str | None = None,
    unrecognised: tuple[int, ...] = (),
    health: bool = False,
    trust: TrustList | None = None,
) -> Document:
    """Return what the payload of one frame says, with a verdict for each check.

    `today` is the local date, None while the clock is unset; `symbology` the AIM identifier (`]L`) where the reader
    sent one apart from the payload; `unrecognised` offsets in `payload` of characters that the reader flagged; `health`
    whether this post may read health certificates; `trust` whose signatures to believe. A payload that nothing
    understands has kind `unknown`, the source that its symbology or else a document reader suggests, no fields, and the
    one verdict `understood`, failed.
    """
    if len(payload) > LONGEST_PAYLOAD:
        return _unknown(symbology, f"longer than {LONGEST_PAYLOAD} characters")
    text = payload if isinstance(payload, str) else payload.decode("latin-1")
    before = _BEFORE.match(text)
    if cut := before.end():
        symbology = symbology or (before[1] and before[1][:2])
        payload, text = payload[cut:], text[cut:]
        unrecognised = tuple(offset - cut for offset in unrecognised if offset >= cut)
    if symbology is not None and symbology.startswith(_OCR):
        return _machine_readable_zone(payload, today, symbology, unrecognised)
    return _by_content(payload, text, today, symbology, unrecognised, health, trust)


def _by_content(
    payload: bytes | str,
    text: str,
    today: date | None,
    symbology: str | None,
    unrecognised: tuple[int, ...],
    health: bool,
    trust: TrustList | None,
) -> Document:
    begins = text[:64].lstrip()
    if _BOARDING_PASS.match(begins) and "<" not in begins:  # else the number of a document whose lines were turned
        from edge.documents import bcbp

        return bcbp.parse(payload, today=today)
    if begins[:4].upper() == "HC1:":
        from edge.documents import dcc

        return dcc.parse(payload, today=today, trust=trust, health=health)
    if _LICENCE.match(begins):
        from edge.documents import aamva

        return aamva.parse(payload, today=today)
    if begins.startswith(("%", ";", "+")):
        from edge.documents import magstripe

        return magstripe.parse(payload, today=today)
    if text.startswith(_SEAL):
        from edge.documents import vds

        return vds.parse(payload, today=today, trust=trust, health=health)
    if begins.startswith("{") and '"data"' in text and '"sig"' in text:
        from edge.documents import vds_nc

        return vds_nc.parse(payload, today=today, trust=trust, health=health)
    return _by_shape(payload, text, today, symbology, unrecognised)


def _by_shape(
    payload: bytes | str, text: str, today: date | None, symbology: str | None, unrecognised: tuple[int, ...]
) -> Document:
    zone = _machine_readable_zone(payload, today, symbology, unrecognised)
    if zone.is_understood and ("<" in text or not zone.of(Result.FAILED)):
        return zone
    from edge.documents import bcbp

    return bcbp.parse(payload, today=today) if bcbp.is_boarding_pass(text) else zone


def _machine_readable_zone(
    payload: bytes | str, today: date | None, symbology: str | None, unrecognised: tuple[int, ...]
) -> Document:
    from edge.documents import mrz

    document = mrz.parse(payload, today=today, unrecognised=unrecognised)
    return document if document.is_understood else _unknown(symbology, _EXPECTED)


def _unknown(symbology: str | None, reason: str) -> Document:
    source = "bcbp" if symbology is not None and not symbology.startswith(_OCR) else "mrz"
    return Document("unknown", source, {}, (Verdict("understood", Result.FAILED, reason),))
