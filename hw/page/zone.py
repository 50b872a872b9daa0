"""Where a machine readable zone may be in a picture, and that piece made straight.

Owns the search. Always true: candidates come largest first and only a few of them, each with dark letters made bright
on black, its lines level and its longer side across; which of two ways up it is, is not known here.

The zone is the longest piece of a page that is full of small dark strokes close to each other (Doc 9303-3, 4.2).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

WIDTH = 1280  # of a candidate: 44 characters at 29 pixels
_SEARCHED = 900.0  # longer side of the picture in which is searched
_MOST_CANDIDATES = 3
_LEAST_SHARE = 0.35  # of the picture's longer side
_LEAST_ASPECT, _MOST_ASPECT = 4.0, 90.0
_MARGIN_ACROSS, _MARGIN_DOWN = 0.03, 0.15  # of its longer side: a box may hold one line, with two more on either side
_FINE_DEGREES = np.arange(-2.5, 2.51, 0.25)


def candidates(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Yield pieces of a picture that may be a zone, straightened, as ink (0: paper, 255: ink)."""
    scale = min(1.0, _SEARCHED / max(grey.shape))
    if min(grey.shape) * scale < 1:
        return  # a thread, and no page
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    boxes = [box for down in (False, True) for box in _boxes(small, down)]
    boxes.sort(key=lambda box: -max(box[1]))
    for box in boxes[:_MOST_CANDIDATES]:
        yield _leveled(ink(_cut(grey, box, 1 / scale)))


def ink(grey: np.ndarray) -> np.ndarray:
    """Return how much darker than the paper around it each pixel is, whatever the light there."""
    side = max(15, grey.shape[0] // 4) | 1
    paper = cv2.GaussianBlur(cv2.dilate(grey, np.ones((side // 2, side // 2), np.uint8)), (0, 0), side / 4)
    dark = 1.0 - grey.astype(np.float32) / np.maximum(paper.astype(np.float32), 1.0)
    dark -= np.percentile(dark, 30)  # the paper itself
    return (np.clip(dark / max(float(np.percentile(dark, 99)), 0.05), 0, 1) * 255).astype(np.uint8)


def _boxes(small: np.ndarray, down: bool) -> Iterator[tuple[tuple[float, float], tuple[float, float], float]]:
    """Yield rotated boxes (centre, (long, short), degrees) around long pieces of small dark strokes."""
    seen = small.T if down else small
    strokes = cv2.morphologyEx(np.ascontiguousarray(seen), cv2.MORPH_BLACKHAT, np.ones((9, 15), np.uint8))
    edges = np.abs(cv2.Sobel(strokes, cv2.CV_32F, 1, 0))
    edges = (255 * edges / max(float(edges.max()), 1.0)).astype(np.uint8)
    closed = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((9, 19), np.uint8))
    _, mask = cv2.threshold(closed, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 7), np.uint8))
    for contour in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
        points = contour[:, 0, ::-1] if down else contour[:, 0]
        centre, (width, height), degrees = cv2.minAreaRect(np.ascontiguousarray(points))
        if width < height:
            width, height, degrees = height, width, degrees - 90
        is_long = width >= _LEAST_SHARE * max(small.shape) and height > 4
        if is_long and _LEAST_ASPECT <= width / height <= _MOST_ASPECT:
            yield centre, (width, height), degrees


def _cut(grey: np.ndarray, box: tuple[tuple[float, float], tuple[float, float], float], scale: float) -> np.ndarray:
    (x, y), (across, down), degrees = box
    down += 2 * _MARGIN_DOWN * across
    across *= 1 + 2 * _MARGIN_ACROSS
    zoom = WIDTH / (across * scale)
    turn = cv2.getRotationMatrix2D((x * scale, y * scale), degrees, zoom)
    height = max(32, int(WIDTH * down / across))
    turn[:, 2] += (WIDTH / 2 - x * scale, height / 2 - y * scale)
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(grey, turn, (WIDTH, height), flags=how, borderMode=cv2.BORDER_REPLICATE)


def _leveled(dark: np.ndarray) -> np.ndarray:
    """Turn a piece by the last degrees: its lines are level when its rows differ most."""
    return max((turned(dark, degrees) for degrees in _FINE_DEGREES), key=lambda one: float(one.mean(axis=1).var()))


def turned(dark: np.ndarray, degrees: float) -> np.ndarray:
    """Return a piece turned around its middle."""
    height, width = dark.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(degrees), 1)
    return cv2.warpAffine(dark, turn, (width, height), flags=cv2.INTER_LINEAR)
