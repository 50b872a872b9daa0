"""Where the faces are in a picture, the only file that knows the model.

Owns the detector: BlazeFace short range by Google (Apache-2.0), the file beside this one, from MediaPipe 0.10.21.
It was made for faces within two metres of a camera, and its model card states its precision for people of seventeen
regions of the world. Always true: a picture of any size and form gives a list, largest face first; nobody is
recognised and nothing is kept.

The model looks at 128 x 128 pixels and answers for each of 896 places (SSD anchors: 2 in each of 16 x 16 cells, 6 in
each of 8 x 8) with a box and six points relative to that place.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np

MODEL = "face_detection_short_range.tflite"
_SIDE = 128
_CELLS = ((16, 2), (8, 6))
_LEAST_SCORE = 0.5
_SAME_FACE_OVERLAP = 0.3

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Face:
    """One face in pixels of the picture; left and right are the picture's, not the person's.

    The box goes from the brow to the chin.
    """

    x: float
    y: float
    width: float
    height: float
    left_eye: Point
    right_eye: Point
    nose: Point
    mouth: Point
    score: float

    @property
    def eye_distance(self) -> float:
        """Return the distance between the eyes."""
        return float(np.hypot(self.right_eye[0] - self.left_eye[0], self.right_eye[1] - self.left_eye[1]))


class FaceFinder:
    """The detector, loaded once."""

    def __init__(self) -> None:
        model = np.frombuffer((resources.files(__package__) / MODEL).read_bytes(), np.uint8)
        self._net = cv2.dnn.readNetFromTFLite(model)
        self._places = _places()

    def faces(self, picture: np.ndarray) -> list[Face]:
        """Return the faces of a picture (BGR, 8 bits), largest first."""
        height, width = picture.shape[:2]
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        square = cv2.copyMakeBorder(
            picture, top, side - height - top, left, side - width - left, cv2.BORDER_CONSTANT, value=(0, 0, 0)
        )
        # INTER_AREA: a face of a large picture must not be made of every tenth pixel
        small = cv2.resize(square, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA if side > _SIDE else cv2.INTER_LINEAR)
        self._net.setInput(cv2.dnn.blobFromImage(small, 1 / 127.5, mean=(127.5,) * 3, swapRB=True))
        scores, numbers = self._net.forward(["classificators", "regressors"])
        likely = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -50, 50)))
        kept = np.flatnonzero(likely >= _LEAST_SCORE)
        found = [(float(likely[at]), self._face(numbers.reshape(-1, 16)[at], at)) for at in kept]
        faces = [_to_pixels(points, score, side, (left, top)) for score, points in _merged(found)]
        return sorted(faces, key=lambda face: -face.height)

    def _face(self, numbers: np.ndarray, at: int) -> np.ndarray:
        """Return centre, size and six points of one answer, in shares of the square."""
        points = numbers.reshape(8, 2) / _SIDE
        points[[0, *range(2, 8)]] += self._places[at]
        return points


def _places() -> np.ndarray:
    rows = []
    for cells, anchors in _CELLS:
        centres = (np.arange(cells) + 0.5) / cells
        across, down = np.meshgrid(centres, centres)
        rows.append(np.repeat(np.stack([across.ravel(), down.ravel()], axis=1), anchors, axis=0))
    return np.concatenate(rows)


def _merged(found: list[tuple[float, np.ndarray]]) -> list[tuple[float, np.ndarray]]:
    """Return one answer for each face: those that overlap are averaged, each with the weight of its score."""
    left = sorted(found, key=lambda one: -one[0])
    merged = []
    while left:
        best = left[0]
        same = [one for one in left if one is best or _overlap(best[1], one[1]) > _SAME_FACE_OVERLAP]
        weights = np.array([score for score, _ in same])
        merged.append((best[0], np.average([points for _, points in same], axis=0, weights=weights)))
        left = [one for one in left if all(one is not other for other in same)]
    return merged


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return the shared part of two boxes, as a share of both together."""
    least = np.maximum(one[0] - one[1] / 2, other[0] - other[1] / 2)
    most = np.minimum(one[0] + one[1] / 2, other[0] + other[1] / 2)
    shared = float(np.prod(np.clip(most - least, 0, None)))
    together = float(np.prod(one[1]) + np.prod(other[1])) - shared
    return shared / together if together > 0 else 0.0


def _to_pixels(points: np.ndarray, score: float, side: int, offset: tuple[int, int]) -> Face:
    pixels = points * side
    pixels[[0, *range(2, 8)]] -= offset
    (x, y), (width, height) = pixels[0] - pixels[1] / 2, pixels[1]
    # The model's right eye is the person's, which is on the left of the picture.
    left_eye, right_eye, nose, mouth = (tuple(map(float, pixels[at])) for at in (2, 3, 4, 5))
    return Face(float(x), float(y), float(width), float(height), left_eye, right_eye, nose, mouth, score)
