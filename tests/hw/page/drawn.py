"""Data pages as a camera sees them, drawn with Debian's fonts-ocr-b: straight, askew, and in every bad light."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = Path("/usr/share/fonts/opentype/ocr-b")
PRINTS = {"plain": "OCRB.otf", "sharp": "OCRBS.otf", "oblique": "OCRBL.otf"}
DESK = 120
_PITCH_MM, _LINE_MM = 2.54, 6.35  # Doc 9303-3, 4.2
_SIZES_MM = {44: (125, 88), 36: (105, 74), 30: (85.6, 54)}  # ID-3, ID-2, ID-1


def page(lines: list[str], *, pixels_per_mm: float = 10, font: str = "plain") -> np.ndarray:
    """Return a data page on a desk: a portrait, some words, and the zone at its place."""
    width, height = (round(side * pixels_per_mm) for side in _SIZES_MM[len(lines[0])])
    image = Image.new("L", (width, height), 235)
    draw, pitch = ImageDraw.Draw(image), _PITCH_MM * pixels_per_mm
    file = str(FONTS / PRINTS[font])
    size = pitch / (ImageFont.truetype(file, 1000).getlength("0") / 1000)
    letters, words = ImageFont.truetype(file, size), ImageFont.truetype(file, size * 0.8)
    draw.rectangle((width * 0.04, height * 0.1, width * 0.3, height * 0.55), fill=150)
    for number, text in enumerate(("UTOPIA SPECIMEN", "TYPE P  CODE UTO", "DATE OF ISSUE 01 JAN 2020")):
        draw.text((width * 0.35, height * (0.1 + number * 0.12)), text, fill=90, font=words)
    left, top = (width - len(lines[0]) * pitch) / 2, height - (len(lines) * _LINE_MM + 2) * pixels_per_mm
    for down, line in enumerate(lines):
        for across, character in enumerate(line):
            place = (left + across * pitch, top + down * _LINE_MM * pixels_per_mm)
            draw.text(place, character, fill=25, font=letters)
    return np.pad(np.asarray(image), round(8 * pixels_per_mm), constant_values=DESK)


def turned(seen: np.ndarray, degrees: float) -> np.ndarray:
    """Return a page that lies askew; nothing of it is cut off up to 12 degrees, nor the other way up."""
    height, width = seen.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(seen, turn, (width, height), borderValue=DESK)


def leaning(seen: np.ndarray) -> np.ndarray:
    """Return a page of which one side is nearer to the camera."""
    height, width = seen.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + np.array([[30, 24], [-8, 0], [-48, -16], [0, 0]], np.float32)
    return cv2.warpPerspective(seen, cv2.getPerspectiveTransform(corners, moved), (width, height), borderValue=DESK)


def blurred(seen: np.ndarray, pixels: float = 2.0) -> np.ndarray:
    """Return a page out of focus."""
    return cv2.GaussianBlur(seen, (0, 0), pixels)


def moved(seen: np.ndarray, pixels: int = 9) -> np.ndarray:
    """Return a page that was not held still."""
    return cv2.filter2D(seen, -1, np.full((1, pixels), 1 / pixels))


def unevenly_lit(seen: np.ndarray) -> np.ndarray:
    """Return a page with the lamp on one side."""
    return np.clip(seen * np.linspace(0.25, 1.05, seen.shape[1])[None, :], 0, 255).astype(np.uint8)


def faint(seen: np.ndarray) -> np.ndarray:
    """Return a page behind a dull foil."""
    return (seen * 0.3 + 120).astype(np.uint8)


def noisy(seen: np.ndarray, level: float = 20.0) -> np.ndarray:
    """Return a page in the dark, the same each time."""
    noise = np.random.default_rng(1).normal(0, level, seen.shape)
    return np.clip(seen + noise, 0, 255).astype(np.uint8)


def glaring(seen: np.ndarray) -> np.ndarray:
    """Return a page on which a lamp is mirrored."""
    across = np.arange(seen.shape[1])
    glare = 235 * np.exp(-(((across - seen.shape[1] * 0.55) / 60) ** 2))
    return np.maximum(seen, glare[None, :].astype(np.uint8))


def cut(seen: np.ndarray, share: float = 0.8) -> np.ndarray:
    """Return a page that is only partly in the picture."""
    return np.ascontiguousarray(seen[:, : int(seen.shape[1] * share)])


LIGHTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "in good light": lambda seen: seen,
    "out of focus": blurred,
    "far out of focus": lambda seen: blurred(seen, 3.5),
    "moved": moved,
    "unevenly lit": unevenly_lit,
    "faint": faint,
    "noisy": noisy,
    "leaning": leaning,
    "with glare": glaring,
    "cut off": cut,
}


def file_of(seen: np.ndarray, form: str = ".jpg") -> bytes:
    """Return a picture file of what is seen."""
    return cv2.imencode(form, seen)[1].tobytes()
