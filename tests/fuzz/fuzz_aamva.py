"""Altered driving licences: the barcode of AAMVA and its magnetic stripe.

Looked for: an exception, a check without its one verdict, a value of the card in a verdict.
"""

from __future__ import annotations

from datetime import date

from edge.documents import aamva, magstripe
from tests.edge.documents.test_aamva import VERSION_1, VERSION_10
from tests.edge.documents.test_magstripe import TRACKS
from tests.fuzz.altering import Payload, Target

LICENCES = (VERSION_1, VERSION_10, VERSION_10.replace("\n", ""), VERSION_10.replace("\n", " "))
ALPHABET = "DACSQLZV019@\n\r\x1e %;=^$?é"
TODAY = date(2024, 1, 1)


def check_aamva(payload: Payload) -> None:
    """Read one payload as a barcode and assert what holds for every payload."""
    _check(aamva, payload)


def check_magstripe(payload: Payload) -> None:
    """Read one payload as a stripe and assert what holds for every payload."""
    _check(magstripe, payload)


def _check(standard, payload: Payload) -> None:
    document = standard.parse(payload, today=TODAY)
    expected = standard.CHECKS if document.is_understood else ("understood",)
    assert tuple(verdict.check for verdict in document.verdicts) == expected
    assert not any("SAMPLE" in verdict.detail or "RICHMOND" in verdict.detail for verdict in document.verdicts)


TARGETS = (
    Target("aamva", (*LICENCES, TRACKS), ALPHABET, check_aamva),
    Target("magstripe", (TRACKS, VERSION_10), ALPHABET, check_magstripe),
)
