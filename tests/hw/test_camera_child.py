"""What the camera's own process decides before it gives a photo away."""

from __future__ import annotations

import io
import random
import subprocess
import sys

import pytest
from PIL import Image

from hw import camera_child
from hw.camera_child import encoded, is_settled

LIBCAMERA_OF_2023 = {"AeLocked": True, "AfState": 2}


@pytest.mark.parametrize(
    ("said", "settled"),
    [
        ({"AeState": 2, "AfState": 2}, True),
        ({"AeState": 1, "AfState": 2}, False),
        ({"AeState": 2, "AfState": 1}, False),
        ({"AeState": 2, "AfState": 3}, True),  # focus was not found, and is not looked for any more
        ({"AeState": 0}, True),  # exposure is fixed
        ({"AeState": 1, "AeLocked": True}, False),
        (LIBCAMERA_OF_2023, True),
        ({"AeLocked": False}, False),
        ({}, True),  # neither: a fixed camera
    ],
)
def test_a_camera_has_settled_once_neither_exposure_nor_focus_is_on_its_way(said, settled) -> None:
    assert is_settled(said) is settled


def grain(side: int) -> Image.Image:
    return Image.frombytes("RGB", (side, side), random.Random(1).randbytes(3 * side * side))


def test_quality_goes_down_until_the_photo_is_small_enough() -> None:
    image = grain(160)
    good, small = encoded(image, 90, 10**9), encoded(image, 90, 18_000)
    assert len(good) > 18_000 >= len(small)
    for jpeg in (good, small):
        assert Image.open(io.BytesIO(jpeg)).size == (160, 160)


def test_a_photo_that_cannot_get_small_enough_is_still_a_photo() -> None:
    assert encoded(grain(64), 90, 10) == encoded(grain(64), 25, 10)


def test_a_photo_carries_no_exif_even_where_the_picture_has_some() -> None:
    image = grain(32)
    image.getexif()[0x010F] = "a maker"
    assert b"Exif" not in encoded(image, 80, 10**6)


def test_the_process_needs_nothing_but_the_standard_library_to_say_what_is_missing() -> None:
    check = (
        f"import sys, runpy; runpy.run_path({camera_child.__file__!r}); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names) - {'__main__'}))"
    )
    shown = subprocess.run([sys.executable, "-I", "-S", "-c", check], capture_output=True, text=True)
    assert (shown.stdout, shown.stderr) == ("[]\n", "")
