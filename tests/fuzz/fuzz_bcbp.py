"""Altered boarding passes.

Looked for: an exception, a check without its one verdict, a value of the pass in a verdict.
"""

from __future__ import annotations

from datetime import date

from edge.documents.bcbp import CHECKS, parse
from tests.fuzz.altering import Payload, Target

SEEDS = (
    "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100^108GIWVC5EH",
    "M2DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 14D>6181WW6225BAC 00141234560032A0141234567890 "
    "1AC AC 1234567890123    20KYLX58ZDEF456 FRAGVALH 3664 227C012C0002 12E2A0140987654321 1AC AC 1234567890123    "
    "2PCNWQ^108GIWVC5EH",
)
ALPHABET = "M1234 >^0FEabcdYULFRAAC/\r\n\x00é"


def check_bcbp(payload: Payload) -> None:
    """Read one payload and assert what holds for every payload."""
    document = parse(payload, today=date(2016, 8, 14))
    expected = CHECKS if document.is_understood else ("understood",)
    assert tuple(verdict.check for verdict in document.verdicts) == expected
    assert not any("DESMARAIS" in verdict.detail for verdict in document.verdicts)


TARGETS = (Target("bcbp", SEEDS, ALPHABET, check_bcbp),)
