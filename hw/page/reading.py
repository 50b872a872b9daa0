"""The machine readable zone of a picture, as a reader would have sent it.

Owns the search and what counts as surely read. Always true: a character that is not surely read stands in the frame
with its place flagged, so that the checks that rest on it are doubtful and not good; nothing is changed to make a check
digit fit.
"""

from __future__ import annotations

import numpy as np

from hw.devices import Frame
from hw.page.glyphs import Glyphs, Likeness
from hw.page.lines import read, worst_line
from hw.page.zone import candidates

FAMILY = "camera"
SURE_SCORE, SURE_LEAD = (
    0.75,
    0.04,
)  # `python -m bench photo`: every wrong one was below
LEAST_SCORE = 0.82  # of a whole line: with less, it is some other writing
_GOOD_SCORE = 0.92  # no other piece of the picture needs to be looked at


class ZoneReader:
    """Reads zones, one picture after the other."""

    def __init__(self) -> None:
        self._glyphs = Glyphs()

    def zone(self, grey: np.ndarray) -> Frame | None:
        """Return the zone of a picture (8 bits), or None when there is none that can be read."""
        best: list[list[Likeness]] = []
        for piece in candidates(grey):
            best = max(best, read(piece, self._glyphs), key=worst_line)
            if worst_line(best) >= _GOOD_SCORE:
                break
        return _frame(best) if worst_line(best) >= LEAST_SCORE else None


def _is_sure(one: Likeness) -> bool:
    return one.score >= SURE_SCORE and one.lead >= SURE_LEAD


def _frame(lines: list[list[Likeness]]) -> Frame:
    payload, unsure = [], []
    for number, line in enumerate(lines):
        start = number * (len(line) + 1)
        payload.append("".join(one.character for one in line))
        unsure += [start + place for place, one in enumerate(line) if not _is_sure(one)]
    return Frame("\n".join(payload).encode("ascii"), FAMILY, unrecognised=tuple(unsure))
