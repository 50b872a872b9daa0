"""A camera process without a camera: a specimen photo, or what a bad camera does.

Started by `hw.camera.ChildCamera` in place of `hw.camera_child`; the behaviour comes as JSON in the first argument.
"""

from __future__ import annotations

import itertools
import os
import random
import select
import sys
import time
from collections.abc import Callable
from importlib import resources

import msgspec

from hw.camera import LARGEST_JPEG
from hw.camera_child import serve
from hw.simulated.scenario import CameraScenario

_EOI = b"\xff\xd9"
_LONGEST_COMMENT = 0xFFFF - 2


def command(scenario: CameraScenario) -> list[str]:
    """Return the command of a camera process that behaves as the scenario says."""
    return [sys.executable, "-m", "hw.simulated.camera_child", msgspec.json.encode(scenario).decode()]


def specimen_jpeg(size_bytes: int) -> bytes:
    """Return a JPEG of this size, or of its own when that is larger.

    Comment segments fill it (ITU-T T.81, B.2.4.5), with noise, which deflates as little as a picture does.
    """
    jpeg = (resources.files("hw.simulated") / "specimen.jpg").read_bytes().removesuffix(_EOI)
    missing = size_bytes - len(jpeg) - len(_EOI)
    comments, noise = bytearray(), random.Random(size_bytes)
    while missing - len(comments) >= 4:
        length = min(missing - len(comments) - 4, _LONGEST_COMMENT)
        comments += b"\xff\xfe" + (length + 2).to_bytes(2, "big") + noise.randbytes(length)
    # Comments go behind the start of image, where every reader skips them.
    return jpeg[:2] + bytes(comments) + jpeg[2:] + _EOI


def open_simulated(scenario: CameraScenario) -> Callable[[bytes], bytes]:
    """Return what takes a photo, or hangs, fails, crashes, or sends garbage, each n-th time."""
    jpeg = specimen_jpeg(scenario.size_bytes)
    numbers = itertools.count(1)

    def take(_: bytes) -> bytes:
        number = next(numbers)
        time.sleep(scenario.delay_s)
        if scenario.hang_every and number % scenario.hang_every == 0:
            _hang()
        if scenario.crash_every and number % scenario.crash_every == 0:
            os.abort()
        if scenario.fail_every and number % scenario.fail_every == 0:
            raise RuntimeError("the scenario wants this photo to fail")
        if scenario.garbage_every and number % scenario.garbage_every == 0:
            return b"this is no photo"
        if scenario.flood_every and number % scenario.flood_every == 0:
            return specimen_jpeg(LARGEST_JPEG + 1)
        return jpeg

    return take


def _hang() -> None:
    """Do nothing until the parent is gone: a test that kills it must not leave this process behind."""
    gone = select.poll()
    gone.register(0, 0)
    gone.poll()


if __name__ == "__main__":
    behaviour = msgspec.json.decode(sys.argv[1], type=CameraScenario)
    serve(lambda: open_simulated(behaviour))
