"""IMO ship identification numbers (IMO Resolution A.1117(30)): seven digits, the last of which checks the others.

Owns the check. A number that does not add up may have been misheard; it says nothing about the ship.
"""

from __future__ import annotations

import re

from edge.documents.verdict import Result, Verdict

_NUMBER = re.compile(r"(?:IMO ?)?([0-9]{7})")


def imo_number(text: str) -> str:
    """Return the seven digits of `IMO 9074729`, or the text as it is where that is none."""
    found = _NUMBER.fullmatch(text.strip().upper())
    return found[1] if found else text.strip()


def imo_number_check(number: str) -> Verdict:
    """Return whether the digits, weighted 7 to 2, end in the check digit; anything else is doubtful, never failed."""
    if not _NUMBER.fullmatch(number):
        return Verdict("imo_number_check", Result.DOUBTFUL, "not seven digits")
    total = sum(weight * int(digit) for weight, digit in zip(range(7, 1, -1), number, strict=False))
    if total % 10 != int(number[-1]):
        return Verdict("imo_number_check", Result.DOUBTFUL, "the check digit differs")
    return Verdict("imo_number_check", Result.OK)
