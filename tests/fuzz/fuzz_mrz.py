"""Altered zones.

Looked for: an exception, a check without its one verdict, a field that is no text, a value of the zone in a verdict, a
date that is none.
"""

from __future__ import annotations

import re
from datetime import date

from edge.documents.mrz import CHECKS, parse
from tests.edge.documents.mrz.specimens import SPECIMENS
from tests.fuzz.altering import Target

TODAY = date(2026, 11, 22)
SEEDS = tuple("\r".join(lines) for lines in SPECIMENS.values()) + tuple("".join(lines) for lines in SPECIMENS.values())
ALPHABET = "0123456789ABDFIOPSUVZ<<<_? \r\n\x00\x02é]"
FULL_DATE = re.compile(r"(?:[0-9]{4}|XX[0-9]{2}|XXXX)-(?:[0-9]{2}|XX)-(?:[0-9]{2}|XX)")


def fuzz_mrz(data: bytes | str) -> None:
    """Read one payload and assert what holds for every payload."""
    for unrecognised in ((), (0, 7, 50)):
        document = parse(data, today=TODAY, unrecognised=unrecognised)
        names = [verdict.check for verdict in document.verdicts]
        if not document.is_understood:
            assert (names, document.fields) == (["understood"], {})
            return
        assert names == [check.__name__ for check in CHECKS[document.kind]]
        assert all(isinstance(value, str) and value for value in document.fields.values())
        assert all(FULL_DATE.fullmatch(value) for name, value in document.fields.items() if name.startswith("date_"))
        said = " ".join(verdict.detail for verdict in document.verdicts)
        assert not any(value in said for value in document.fields.values() if len(value) > 5)


TARGETS = (Target("mrz", SEEDS, ALPHABET, fuzz_mrz),)
