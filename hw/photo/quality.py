"""What is not right with a photo of a traveller.

Owns the measures and their limits. Always true: the answer is a list of `Guidance`, worst first, and empty for a good
photo. No limit depends on the tone of a skin: light is judged by the brightest hundredth of a face, the white of the
eyes and what shines, which is as bright on everybody, and sharpness by how steep the edges in a face are, whatever
their contrast.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hw.devices import Guidance
from hw.photo.faces import Face, FaceFinder

LEAST_EYE_DISTANCE = 60.0  # pixels: with fewer, a face cannot be compared with a passport's
MOST_HEIGHT = 0.66  # of the picture, from brow to chin: hair and chin are cut off from here on
BYSTANDER = 0.6  # of the largest face: whoever is smaller waits behind the line
MOST_ROLL_DEGREES = 15.0
MOST_TURN = 0.2  # of the eye distance: how far the nose is off the middle between the eyes, at 20 degrees or so
LEAST_BRIGHTEST = 90.0  # grey level of the brightest hundredth of a face
BACKLIT_BRIGHTEST = 130.0  # the same, where what is around outshines the face
BACKLIGHT_DIFFERENCE = 80.0  # by which it does
MOST_CLIPPED = 0.15  # share of a face without any drawing left in it
LEAST_SHARPNESS = 0.09  # a blur of about 2 pixels at 60 between the eyes
_MEASURED_EYE_DISTANCE = 60.0
_STEEP, _WIDE = 1, 4  # pixels
_NIGHT = 40  # the brightest tenth of a picture in which a face could not be seen


@dataclass(frozen=True, slots=True)
class Light:
    """How a face is lit: grey levels (0-255) of its brightest hundredth and tenth and of what is around; a share."""

    brightest: float
    bright: float
    clipped: float
    around: float


class Examiner:
    """Looks at photos, one after the other."""

    def __init__(self) -> None:
        self._finder = FaceFinder()

    def flaws(self, picture: np.ndarray) -> tuple[Guidance, ...]:
        """Return what is not right with a picture (BGR, 8 bits), worst first."""
        return self.look(picture)[0]

    def look(self, picture: np.ndarray) -> tuple[tuple[Guidance, ...], float | None]:
        """Return the flaws of a picture, worst first, and how sharp its face is; None where it shows none."""
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        faces = self._finder.faces(picture)
        if not faces:
            is_night = np.percentile(grey, 90) < _NIGHT
            return (Guidance.TOO_DARK,) if is_night else (Guidance.NOBODY_THERE,), None
        face = faces[0]
        sharp = sharpness(grey, face)
        found = {
            Guidance.ONE_PERSON_PLEASE: any(other.height > BYSTANDER * face.height for other in faces[1:]),
            **_place(face, grey.shape[0]),
            **_exposure(light(grey, face)),
            Guidance.LOOK_AT_CAMERA: not is_frontal(face),
            Guidance.HOLD_STILL: sharp < LEAST_SHARPNESS,
        }
        return tuple(one for one in Guidance if found.get(one)), sharp


def is_frontal(face: Face) -> bool:
    """Tell whether a face is upright and looks this way."""
    across, down = face.right_eye[0] - face.left_eye[0], face.right_eye[1] - face.left_eye[1]
    roll = np.degrees(np.arctan2(down, across))
    middle = ((face.left_eye[0] + face.right_eye[0]) / 2, (face.left_eye[1] + face.right_eye[1]) / 2)
    # how far the nose is off the middle, measured along the line between the eyes
    turn = ((face.nose[0] - middle[0]) * across + (face.nose[1] - middle[1]) * down) / max(face.eye_distance, 1.0) ** 2
    return bool(abs(roll) <= MOST_ROLL_DEGREES and abs(turn) <= MOST_TURN)


def light(grey: np.ndarray, face: Face) -> Light:
    """Measure how a face and what is around it are lit."""
    skin, outside = _inner(grey, face), np.ones(grey.shape, bool)
    left, top = int(face.x - face.width / 4), int(face.y - face.height / 2)
    right, bottom = int(face.x + face.width * 1.25), int(face.y + face.height * 1.5)
    outside[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = False
    around = grey[outside] if outside.any() else skin.ravel()
    brightest, bright = np.percentile(skin, (99, 90))
    return Light(float(brightest), float(bright), float(np.mean(skin >= 252)), float(np.median(around)))


def sharpness(grey: np.ndarray, face: Face) -> float:
    """Return how steep the edges in a face of one size are: near 0 for none, 0.2 and more for a sharp photo.

    An edge that is gone within one pixel differs as much there as over four, a blurred one by a quarter. The worse of
    both directions counts: a face that moved is blurred in one.
    """
    scale = _MEASURED_EYE_DISTANCE / max(face.eye_distance, 1.0)
    skin = _inner(grey, face).astype(np.float32)
    if scale < 1:
        skin = cv2.resize(skin, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    skin = cv2.GaussianBlur(skin, (0, 0), 0.8)  # noise is steep too
    return min(_steepness(skin), _steepness(skin.T))


def _place(face: Face, height: int) -> dict[Guidance, bool]:
    return {
        Guidance.CLOSER: face.eye_distance < LEAST_EYE_DISTANCE,
        Guidance.FARTHER: face.height > MOST_HEIGHT * height,
    }


def _exposure(lit: Light) -> dict[Guidance, bool]:
    is_backlit = lit.brightest < BACKLIT_BRIGHTEST and lit.around - lit.bright > BACKLIGHT_DIFFERENCE
    return {
        Guidance.BACKLIGHT: is_backlit,
        Guidance.TOO_DARK: lit.brightest < LEAST_BRIGHTEST and not is_backlit,
        Guidance.TOO_BRIGHT: lit.clipped > MOST_CLIPPED,
    }


def _steepness(skin: np.ndarray) -> float:
    steep, wide = (float(np.mean((skin[:, by:] - skin[:, :-by]) ** 2)) for by in (_STEEP, _WIDE))
    return _WIDE * float(np.sqrt(steep / max(wide, 1e-6))) - 1.0 if wide > 0 else 0.0


def _inner(grey: np.ndarray, face: Face) -> np.ndarray:
    """Return the part of a face from the brows to the mouth, without hair and background; never empty."""
    height, width = grey.shape
    left, right = int(face.x + 0.15 * face.width), int(face.x + 0.85 * face.width)
    top, bottom = int(face.y + 0.1 * face.height), int(face.y + 0.95 * face.height)
    left, top = min(max(left, 0), width - 2), min(max(top, 0), height - 2)
    return grey[top : max(top + 2, bottom), left : max(left + 2, right)]
