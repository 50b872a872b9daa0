"""A straight piece of a picture into lines of characters, each with how surely it was read.

Owns rows, the pitch and the places of characters. Always true: a line has exactly as many places as one of Doc 9303
(44, 36 or 30), because its characters stand at one pitch; what was not read keeps its place, so nothing moves over.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from hw.page.glyphs import HEIGHT, MARGIN, PITCH, Glyphs, Likeness

WIDTHS = {2: (44, 36), 3: (30,)}  # characters of a line, by the number of lines
_LINE_SPACING = (1.9, 3.3)  # between two lines, in pitches; Doc 9303-3 says 6.35 mm to 2.54 mm
_CAP_PITCHES = 0.95  # height of a capital letter, in pitches


@dataclass(frozen=True, slots=True)
class Row:
    """A band of a piece that holds one line: its rows, and the columns between which there is ink."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def middle(self) -> float:
        """Return the row in the middle."""
        return (self.top + self.bottom) / 2


def read(dark: np.ndarray, glyphs: Glyphs) -> list[list[Likeness]]:
    """Return the lines of a piece that look most like those of a zone, either way up, or none when there are none."""
    seen: list[tuple[float, list[np.ndarray], int]] = []
    for way_up in (dark, np.ascontiguousarray(dark[::-1, ::-1])):
        for rows in _groups(rows_of(way_up)):
            for count in WIDTHS[len(rows)]:
                if _is_spaced(rows, count):
                    strips = [_strip(way_up, row, count) for row in rows]
                    seen.append((worst_line([glyphs.sampled(strip, count) for strip in strips]), strips, count))
    if not seen:
        return []
    _, strips, count = max(seen, key=lambda one: one[0])
    lines = [glyphs.likenesses(strip, count) for strip in strips]
    return lines


def rows_of(dark: np.ndarray) -> list[Row]:
    """Return the bands of ink that are as wide as a line, from top to bottom."""
    profile = cv2.GaussianBlur(dark.astype(np.float32).mean(axis=1).reshape(-1, 1), (1, 5), 0).ravel()
    is_ink = profile > 0.25 * float(np.percentile(profile, 95))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_ink.astype(np.int8), [0]])))
    rows = []
    for top, bottom in edges.reshape(-1, 2).tolist():
        columns = dark[top:bottom].max(axis=0) > 110
        columns = cv2.morphologyEx(columns.astype(np.uint8).reshape(1, -1), cv2.MORPH_OPEN, np.ones((1, 2), np.uint8))
        inked = np.flatnonzero(columns.ravel())
        if bottom - top >= 10 and inked.size and inked[-1] - inked[0] > 0.6 * dark.shape[1]:
            rows.append(Row(top, bottom, int(inked[0]), int(inked[-1])))
    return rows


def _groups(rows: list[Row]) -> list[list[Row]]:
    """Return neighbours that may be one zone: the lowest first, and three before two."""
    return [rows[end - count : end] for end in range(len(rows), 1, -1) for count in (3, 2) if end >= count]


def _is_spaced(rows: list[Row], count: int) -> bool:
    pitch = max(row.right - row.left for row in rows) / count
    steps = [(lower.middle - upper.middle) / pitch for upper, lower in pairwise(rows)]
    return all(_LINE_SPACING[0] <= step <= _LINE_SPACING[1] for step in steps)


def _strip(dark: np.ndarray, row: Row, count: int) -> np.ndarray:
    """Return one line, scaled so that its pitch is the sheet's, with a margin around it."""
    left, pitch = _comb(dark[row.top : row.bottom].astype(np.float32).mean(axis=0), row, count)
    zoom = PITCH / pitch
    scaled = np.float32([[zoom, 0, MARGIN - left * zoom], [0, zoom, HEIGHT / 2 + MARGIN - row.middle * zoom]])
    size = (count * PITCH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(dark, scaled, size, flags=how).astype(np.float32)


def _comb(profile: np.ndarray, row: Row, count: int) -> tuple[float, float]:
    """Return where the first place begins and the pitch: between two characters there is the least ink."""
    guess = (row.right - row.left) / (count - 0.25)
    best = (np.inf, float(row.left), guess)
    teeth = np.arange(count + 1)
    columns = np.arange(profile.size)
    for pitch in guess * np.linspace(0.97, 1.03, 25):
        for left in row.left - np.linspace(0.0, 0.35, 15) * pitch:
            at = left + teeth * pitch
            cost = float(np.interp(at, columns, profile).mean())
            # the first and the last character stand in the middle of their places
            cost += 2.0 * abs((left + at[-1]) / 2 - (row.left + row.right) / 2) / pitch
            if cost < best[0]:
                best = (cost, float(left), float(pitch))
    return best[1], best[2]


def worst_line(lines: list[list[Likeness]]) -> float:
    """Return how much the characters of the worst line look like what they were read as; 0 for no lines."""
    return min((float(np.mean([one.score for one in line])) for line in lines), default=0.0)
