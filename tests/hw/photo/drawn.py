"""Travellers to photograph, drawn: of nobody, with any skin, in any light, and anything else that a photo can show.

A drawing shows whether a measure follows what it measures; how often real faces are found is measured by
`python -m bench photo`.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

WIDTH, HEIGHT = 640, 480
SKINS = {  # blue, green, red; from the fairest to the darkest that people have
    "porcelain": (208, 220, 240),
    "fair": (170, 190, 230),
    "olive": (120, 150, 200),
    "brown": (80, 110, 160),
    "dark": (50, 70, 110),
    "darkest": (30, 36, 44),
}


def blank(grey: int = 150) -> np.ndarray:
    """Return a picture of a wall."""
    return np.full((HEIGHT, WIDTH, 3), grey, np.uint8)


def traveller(
    skin: str = "olive", *, size: int = 240, at: tuple[int, int] = (320, 240), wall: int = 150, turned: float = 0.0
) -> np.ndarray:
    """Return the picture of somebody whose head is `size` pixels high.

    `turned` is how far the nose is off the middle, in shares of the head's width.
    """
    return add(blank(wall), skin, size=size, at=at, turned=turned)


def add(picture: np.ndarray, skin: str, *, size: int, at: tuple[int, int], turned: float = 0.0) -> np.ndarray:
    """Draw one more person into a picture and return it."""
    tone = np.array(SKINS[skin], np.float32)
    width = 0.74 * size

    def ellipse(across: float, down: float, half: Sequence[float], colour: object) -> None:
        centre = (round(at[0] + across * width), round(at[1] + down * size))
        axes = (max(1, round(half[0] * width)), max(1, round(half[1] * size)))
        cv2.ellipse(picture, centre, axes, 0, 0, 360, np.asarray(colour, float).tolist(), -1, cv2.LINE_AA)

    ellipse(0, 0.95, (1.2, 0.5), (90, 60, 50))  # shoulders
    ellipse(0, -0.06, (0.58, 0.58), tone * 0.25)  # hair
    ellipse(0, 0.45, (0.22, 0.2), tone * 0.85)  # neck
    ellipse(0, 0.02, (0.5, 0.5), tone)
    for side in (-1, 1):
        across = side * 0.22 + turned * 0.2
        ellipse(across, -0.06, (0.13, 0.055), tone * 0.75)
        ellipse(across, -0.06, (0.1, 0.035), (225, 225, 225))
        ellipse(across, -0.06, (0.045, 0.035), (40, 40, 40))
        ellipse(across, -0.15, (0.14, 0.02), tone * 0.25)
    ellipse(turned, 0.05, (0.03, 0.08), tone * 0.9)
    ellipse(turned, 0.12, (0.09, 0.05), tone * 0.8)  # nose
    ellipse(turned * 0.6, 0.27, (0.18, 0.035), tone * (0.67, 0.5, 0.8))
    return picture


def tilted(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Return a picture whose camera, or traveller, leans."""
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, 1)
    return cv2.warpAffine(picture, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def dimmed(picture: np.ndarray, factor: float) -> np.ndarray:
    """Return a picture with so many times the light."""
    return np.clip(picture.astype(np.float32) * factor, 0, 255).astype(np.uint8)


def backlit(picture: np.ndarray, factor: float = 0.3, wall: int = 150) -> np.ndarray:
    """Return a picture in which a window is behind the person."""
    person = np.any(picture != wall, axis=2, keepdims=True)
    return np.where(person, dimmed(picture, factor), 245).astype(np.uint8)


def blurred(picture: np.ndarray, pixels: float) -> np.ndarray:
    """Return a picture that is out of focus."""
    return cv2.GaussianBlur(picture, (0, 0), pixels)


def moved(picture: np.ndarray, pixels: int, *, down: bool = False) -> np.ndarray:
    """Return a picture of somebody who moved by so many pixels while it was taken."""
    line = np.full((1, pixels), 1 / pixels)
    return cv2.filter2D(picture, -1, line.T if down else line)


def noisy(picture: np.ndarray, level: float = 6.0) -> np.ndarray:
    """Return a picture with a sensor's noise, the same each time."""
    noise = np.random.default_rng(1).normal(0, level, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def jpeg(picture: np.ndarray, quality: int = 85) -> bytes:
    """Return a picture as a JPEG."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
