"""Throws altered licences at the readers for as long as asked: `python -m tests.fuzz.fuzz_aamva [seconds]`.

Always looked for: an exception, a check without its one verdict, a value of the card in a verdict, or more than 50 ms.
"""

from __future__ import annotations

from datetime import date

from edge.documents import aamva, magstripe
from tests.edge.documents.test_aamva import VERSION_1, VERSION_10
from tests.edge.documents.test_magstripe import TRACKS
from tests.fuzz.altering import altered_forever

SEEDS = (VERSION_1, VERSION_10, VERSION_10.replace("\n", ""), VERSION_10.replace("\n", " "), TRACKS)
ALPHABET = "DACSQLZV019@\n\r\x1e %;=^$?é"

if __name__ == "__main__":
    for payload in altered_forever(SEEDS, ALPHABET):
        for standard in (aamva, magstripe):
            document = standard.parse(payload, today=date(2024, 1, 1))
            expected = standard.CHECKS if document.is_understood else ("understood",)
            assert tuple(verdict.check for verdict in document.verdicts) == expected
            assert not any("SAMPLE" in verdict.detail or "RICHMOND" in verdict.detail for verdict in document.verdicts)
