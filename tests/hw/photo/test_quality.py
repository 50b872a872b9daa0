"""What is said of a photo, skin by skin: the limits follow the light and the lens, never the person."""

from __future__ import annotations

import math

import cv2
import pytest

from hw.devices import Guidance
from hw.photo.faces import Face
from hw.photo.quality import LEAST_SHARPNESS, Examiner, is_frontal
from tests.hw.photo.drawn import SKINS, add, backlit, blank, blurred, dimmed, moved, noisy, tilted, traveller

every_skin = pytest.mark.parametrize("skin", SKINS)


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return Examiner()


@every_skin
@pytest.mark.parametrize("wall", [60, 150, 240])
def test_a_good_photo_has_no_flaw_whatever_the_skin_and_the_wall(examiner, skin, wall) -> None:
    assert examiner.flaws(noisy(traveller(skin, wall=wall))) == ()


@every_skin
@pytest.mark.parametrize(
    ("seen", "flaw"),
    [
        (lambda one: dimmed(one, 0.3), Guidance.TOO_DARK),
        (backlit, Guidance.BACKLIGHT),
        (lambda one: blurred(one, 3), Guidance.HOLD_STILL),
        (lambda one: moved(one, 15), Guidance.HOLD_STILL),
        (lambda one: moved(one, 15, down=True), Guidance.HOLD_STILL),
        (lambda one: tilted(one, 24), Guidance.LOOK_AT_CAMERA),
        (lambda one: tilted(one, -24), Guidance.LOOK_AT_CAMERA),
    ],
    ids=["dark", "backlit", "out of focus", "moved sideways", "moved down", "leaning left", "leaning right"],
)
def test_what_is_wrong_is_said_and_nothing_else(examiner, skin, seen, flaw) -> None:
    assert examiner.flaws(seen(traveller(skin))) == (flaw,)


def test_how_sharp_the_face_is_comes_as_a_number_and_none_without_a_face(examiner) -> None:
    (_, sharp), (_, soft) = examiner.look(traveller()), examiner.look(blurred(traveller(), 3))
    assert sharp > 0.2 > LEAST_SHARPNESS > soft > 0
    assert examiner.look(blank(120)) == ((Guidance.NOBODY_THERE,), None)


@every_skin
def test_nobody_is_asked_to_hold_still_for_a_photo_that_is_as_sharp_as_a_lens_makes_it(examiner, skin) -> None:
    assert examiner.flaws(noisy(blurred(traveller(skin), 0.8))) == ()


@every_skin
@pytest.mark.parametrize(("size", "flaw"), [(140, Guidance.CLOSER), (470, Guidance.FARTHER)])
def test_a_face_that_is_too_small_or_too_large_is_said(examiner, skin, size, flaw) -> None:
    assert flaw in examiner.flaws(traveller(skin, size=size))


@pytest.mark.parametrize("skin", ["porcelain", "fair", "olive"])
def test_a_face_that_is_burnt_out_is_too_bright(examiner, skin) -> None:
    assert Guidance.TOO_BRIGHT in examiner.flaws(dimmed(traveller(skin, wall=100), 2.2))


def face(*, roll: float = 0.0, turn: float = 0.0) -> Face:
    """Return a face whose head is rolled by so many degrees and whose nose is off the middle between the eyes."""
    across, down = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    eyes = [(300 + side * 40 * across, 200 + side * 40 * down) for side in (-1, 1)]
    nose = (300 + turn * 80 * across - 30 * down, 200 + turn * 80 * down + 30 * across)
    return Face(200, 150, 200, 200, *eyes, nose=nose, mouth=(300, 260), score=0.9)


@pytest.mark.parametrize(("roll", "turn"), [(0, 0), (12, 0), (-12, 0), (0, 0.15), (0, -0.15), (12, 0.15)])
def test_a_head_that_is_held_as_people_hold_it_is_frontal(roll, turn) -> None:
    assert is_frontal(face(roll=roll, turn=turn))


@pytest.mark.parametrize(("roll", "turn"), [(20, 0), (-20, 0), (90, 0), (180, 0), (0, 0.3), (0, -0.3), (12, -0.3)])
def test_a_head_that_leans_or_looks_aside_is_not(roll, turn) -> None:
    assert not is_frontal(face(roll=roll, turn=turn))


def test_two_at_the_camera_are_one_too_many_and_who_waits_behind_is_not(examiner) -> None:
    beside = add(traveller(size=220, at=(180, 240)), "dark", size=200, at=(480, 240))
    behind = add(traveller(size=260, at=(240, 240)), "dark", size=110, at=(540, 160))
    assert examiner.flaws(beside)[0] is Guidance.ONE_PERSON_PLEASE
    assert examiner.flaws(behind) == ()


@pytest.mark.parametrize(("grey", "flaw"), [(150, Guidance.NOBODY_THERE), (5, Guidance.TOO_DARK)])
def test_a_picture_without_a_face_says_whether_one_could_have_been_seen(examiner, grey, flaw) -> None:
    assert examiner.flaws(blank(grey)) == (flaw,)


def test_the_worst_comes_first(examiner) -> None:
    both = examiner.flaws(blurred(traveller(size=150), 3))
    assert both == (Guidance.CLOSER, Guidance.HOLD_STILL)


@pytest.mark.parametrize("width", [320, 1280, 2560])
def test_sharpness_is_judged_at_one_size_of_face(examiner, width) -> None:
    sharp = cv2.resize(
        traveller(size=400 if width == 320 else 240), (width, width * 3 // 4), interpolation=cv2.INTER_AREA
    )
    assert Guidance.HOLD_STILL not in examiner.flaws(sharp)
