"""Throws altered boarding passes at the reader for as long as asked: `python -m tests.fuzz.fuzz_bcbp [seconds]`.

Always looked for: an exception, a check without its one verdict, a value of the pass in a verdict, or more than 50 ms.
"""

from __future__ import annotations

from datetime import date

from edge.documents.bcbp import CHECKS, parse
from tests.fuzz.altering import altered_forever

SEEDS = (
    "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100^108GIWVC5EH",
    "M2DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 14D>6181WW6225BAC 00141234560032A0141234567890 "
    "1AC AC 1234567890123    20KYLX58ZDEF456 FRAGVALH 3664 227C012C0002 12E2A0140987654321 1AC AC 1234567890123    "
    "2PCNWQ^108GIWVC5EH",
)
ALPHABET = "M1234 >^0FEabcdYULFRAAC/\r\n\x00é"

if __name__ == "__main__":
    for payload in altered_forever(SEEDS, ALPHABET):
        document = parse(payload, today=date(2016, 8, 14))
        expected = CHECKS if document.is_understood else ("understood",)
        assert tuple(verdict.check for verdict in document.verdicts) == expected
        assert not any("DESMARAIS" in verdict.detail for verdict in document.verdicts)
