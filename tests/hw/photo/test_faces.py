"""Where faces are found, and where none is."""

from __future__ import annotations

import numpy as np
import pytest

from hw.photo.faces import FaceFinder
from tests.hw.photo.drawn import SKINS, add, backlit, blank, blurred, dimmed, noisy, tilted, traveller


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize("size", [170, 240, 340])
def test_a_face_of_any_skin_is_found_with_its_eyes(finder, skin, size) -> None:
    (face,) = finder.faces(noisy(traveller(skin, size=size)))
    eyes = 0.44 * 0.74 * size
    assert face.eye_distance == pytest.approx(eyes, rel=0.2)
    for eye, side in ((face.left_eye, -1), (face.right_eye, 1)):
        assert eye == pytest.approx((320 + side * eyes / 2, 240 - 0.06 * size), abs=4 + 0.04 * size)
    assert face.x < face.left_eye[0] < face.nose[0] < face.right_eye[0] < face.x + face.width
    assert face.y < face.left_eye[1] < face.nose[1] < face.mouth[1] < face.y + face.height


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize(
    "seen",
    [backlit, lambda one: dimmed(one, 0.4), lambda one: tilted(one, 25), lambda one: blurred(one, 4)],
    ids=["backlit", "in the dark", "leaning", "out of focus"],
)
def test_a_face_is_found_in_bad_photos_too(finder, skin, seen) -> None:
    assert len(finder.faces(seen(traveller(skin)))) == 1


def test_the_largest_face_comes_first(finder) -> None:
    both = add(traveller(size=220, at=(180, 240)), "dark", size=140, at=(480, 200))
    larger, smaller = finder.faces(both)
    assert larger.height > smaller.height
    assert larger.nose[0] < 320 < smaller.nose[0]


@pytest.mark.parametrize("grey", [0, 150, 255])
def test_a_wall_is_no_face(finder, grey) -> None:
    assert finder.faces(blank(grey)) == []


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (2464, 3280)])
def test_a_picture_of_any_form_is_looked_at(finder, shape) -> None:
    assert finder.faces(np.zeros((*shape, 3), np.uint8)) == []
