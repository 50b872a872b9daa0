"""The 37 characters of a machine readable zone as pictures, and how alike a piece of a line is to each.

Owns the sheet beside this file: OCR-B (ISO 1073-2) as Norbert Schwarz drew it, free of any condition, rendered by
`tests/hw/page/sheet.py`. Always true: the answer names the likeliest character, how alike it is, and by how much it is
ahead of the next: who asks decides what is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"
SHEET = "ocr_b.png"
PITCH, HEIGHT = 20, 32  # of one character on the sheet, in pixels; a line is scaled to it
MARGIN = 4  # around a line, in which each character is looked for
CAP_HEIGHT = 19  # of a capital letter on the sheet

_BLURS = (0.9, 1.6)  # pixels
_LEAST_CONTRAST = 500.0  # of a place in which there is a character: 20 grey levels on average


@dataclass(frozen=True, slots=True)
class Likeness:
    """One character as it was read: `score` (1 is the same picture), and `lead` over the next likely one."""

    character: str
    score: float
    lead: float


class Glyphs:
    """The characters, at the sheet's own weight and as a bolder print has them."""

    def __init__(self) -> None:
        sheet = cv2.imdecode(
            np.frombuffer((resources.files(__package__) / SHEET).read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE
        )
        plain = [sheet[:, at * PITCH : (at + 1) * PITCH].astype(np.float32) for at in range(len(CHARACTERS))]
        weights = [[cv2.GaussianBlur(glyph, (0, 0), blur).ravel() for glyph in plain] for blur in _BLURS]
        self._shapes = _normal(np.array(weights)).reshape(len(_BLURS) * len(CHARACTERS), -1).T

    def likenesses(self, line: np.ndarray, count: int) -> list[Likeness]:
        """Compare each place of a line (`PITCH` apart, with `MARGIN` around it all) with every character.

        The likeness is the correlation of two pictures (Pearson's), the best of all that fit within the margin.
        """
        return [self._likeness(line[:, at * PITCH : (at + 1) * PITCH + 2 * MARGIN]) for at in range(count)]

    def sampled(self, line: np.ndarray, count: int) -> list[Likeness]:
        """Compare a few places only, all over the line."""
        places = range(1, count, max(1, count // 7))
        return [self._likeness(line[:, at * PITCH : (at + 1) * PITCH + 2 * MARGIN]) for at in places]

    def _likeness(self, place: np.ndarray) -> Likeness:
        shifted = sliding_window_view(place, (HEIGHT, PITCH)).reshape(-1, HEIGHT * PITCH)
        products = cv2.gemm(_normal(shifted), self._shapes, 1.0, None, 0.0)  # numpy's would start a thread on each core
        alike = products.max(axis=0).reshape(len(_BLURS), -1).max(axis=0)
        second, first = np.argsort(alike)[-2:]
        return Likeness(CHARACTERS[first], float(alike[first]), float(alike[first] - alike[second]))


def _normal(pictures: np.ndarray) -> np.ndarray:
    """Return pictures without their mean, each of length 1; an empty one stays near 0 and is like nothing."""
    plain = pictures - pictures.mean(axis=-1, keepdims=True)
    return plain / np.maximum(np.linalg.norm(plain, axis=-1, keepdims=True), _LEAST_CONTRAST)
