"""What looks at pictures, behind a process of its own.

Owns that process: it is started, asked, killed when it is late, and started again by the next request. How it sees is
in `hw.photo` and `hw.page`. Always true: no question waits longer than its deadline, and one that is not answered
raises `SightFailed`; a photo is never lost by being looked at.
"""

from __future__ import annotations

import select
import sys
import time
from importlib.util import find_spec

import msgspec

from hw.child import Child, ChildFailed, RequestFailed, Wait, wait_alone
from hw.devices import DeviceError, Frame, Guidance
from hw.sight_child import DOCUMENTS, LOOK

LOOK_S = 2.0
READ_S = 10.0  # a page without a zone, searched for barcodes at every angle, on a Pi
_START_S = 20.0  # OpenCV from a cold card
_GRACE_S = 1.0


Look = tuple[tuple[Guidance, ...], float | None]  # flaws, worst first, and the sharpness of the face if there is one


class SightFailed(Exception):
    """Nobody looked; the text is the reason that people see."""


def command() -> list[str]:
    """Return the command of the process."""
    return [sys.executable, "-m", "hw.sight_child"]


def refuse_missing_opencv(device: str) -> None:
    """Raise DeviceError, with the remedy, when pictures cannot be looked at for a device."""
    if find_spec("cv2") is None:
        raise DeviceError(
            device,
            "opencv-python-headless is not installed",
            remedy="install landfall with the extra `pi`, or do without (check = false)",
        )


class Sight:
    """Looks at pictures for one thread."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._child: Child | None = None
        self._is_ready = False
        self._undead: list[Child] = []

    def start(self) -> None:
        """Start the process, so that it is ready when it is needed."""
        if self._child is None:
            self._undead = [child for child in self._undead if not child.is_gone()]
            self._child, self._is_ready = Child(self._command, "what looks at pictures"), False
            self._ready_by_s = time.monotonic() + _START_S

    def look(self, photo: bytes, until_s: float, wait: Wait = wait_alone) -> Look:
        """Return what is not right with a photo, worst first, and how sharp its face is. Raises SightFailed."""
        answer = self._ask(LOOK + photo, until_s, LOOK_S, wait)
        try:
            words, _, sharpness = answer.decode("ascii").partition(" ")
            flaws = tuple(Guidance(word) for word in words.split(",") if word)
            return flaws, float(sharpness) if sharpness else None
        except ValueError:
            self._end(0.0)
            raise SightFailed("what looks at pictures sent something unexpected") from None

    def documents(self, picture: bytes, until_s: float, wait: Wait = wait_alone) -> list[Frame]:
        """Return the documents in a picture. Raises SightFailed."""
        answer = self._ask(DOCUMENTS + picture, until_s, READ_S, wait)
        try:
            return msgspec.json.decode(answer, type=list[Frame])
        except msgspec.MsgspecError:
            self._end(0.0)
            raise SightFailed("what looks at pictures sent something unexpected") from None

    def stop(self) -> None:
        """End the process; may be called twice."""
        self._end(_GRACE_S)

    def _ask(self, request: bytes, until_s: float, within_s: float, wait: Wait) -> bytes:
        try:
            self.start()
            assert self._child is not None
            if not self._is_ready:
                if until_s < self._ready_by_s and not wait(self._child.fileno(), select.POLLIN, until_s):
                    raise SightFailed("what looks at pictures is still starting")
                self._child.await_ready(self._ready_by_s, wait)
                self._is_ready = True
            return self._child.ask(request, min(until_s, time.monotonic() + within_s), wait)
        except RequestFailed as error:
            raise SightFailed(str(error)) from None
        except ChildFailed as error:
            self._end(0.0)
            raise SightFailed(str(error)) from None

    def _end(self, grace_s: float) -> None:
        child, self._child = self._child, None
        if child is not None and not child.end(grace_s):
            self._undead.append(child)
