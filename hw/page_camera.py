"""A camera over the place where documents are laid: a document reader for lanes without an OCR reader.

Owns how often it looks; the camera's process is `hw.camera_child`, what reads the picture is behind `hw.sight`, which
also knows what it has seen already. Always true: both processes have deadlines, and one that fails is `DeviceLost`,
once, and tried again.
"""

from __future__ import annotations

import os
import select
import threading
import time

from hw.child import Child, ChildFailed, RequestFailed
from hw.devices import DeviceError, DeviceLost, DeviceReady, DocumentRead, Emit
from hw.settings import CameraSettings
from hw.sight import Sight, SightFailed

LOOK_EVERY_S = 0.5
WIDTH, HEIGHT, QUALITY, MOST_KB = 1920, 1080, 90, 1500  # 12 pixels a millimetre over an open passport
_START_S, _CAPTURE_S, _READ_S = 20.0, 3.0, 15.0
_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


def page_camera_settings(name: str, number: str) -> CameraSettings:
    """Return the settings of the camera with this number. Raises DeviceError when it is none."""
    if not number.isdecimal():
        raise DeviceError(
            name, f"path {number} is no camera's number", remedy="give one of rpicam-hello --list-cameras"
        )
    return CameraSettings(name=name, number=int(number), width=WIDTH, height=HEIGHT, quality=QUALITY, photo_kb=MOST_KB)


class _Stopped(Exception):
    """The reader was told to stop."""


class PageCamera:
    """A document reader that is a camera; see `hw.devices.DocumentReader`."""

    def __init__(self, name: str, command: list[str], sight: Sight, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self.name = name
        self._command, self._sight, self._look_every_s = command, sight, look_every_s
        self._thread: threading.Thread | None = None
        self._wake: int | None = None  # eventfd(2)

    def start(self, emit: Emit) -> None:
        """Begin to look in a thread of its own."""
        if self._thread is None:
            self._emit, self._wake = emit, os.eventfd(0)
            self._thread = threading.Thread(target=self._run, name=f"page camera {self.name}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread and the processes; may be called twice."""
        if self._thread is None or self._wake is None:
            return
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        os.close(self._wake)
        self._thread = self._wake = None

    def _run(self) -> None:
        failures = 0
        try:
            while True:
                self._is_ready = False
                try:
                    self._look_until_it_fails()
                except _Stopped:
                    raise
                except Exception as error:  # the thread's wrapper: the lane hears of it, and it is tried again
                    if self._is_ready or failures == 0:
                        self._emit(DeviceLost(self.name, _reason(error)))
                failures = 1 if self._is_ready else failures + 1
                self._pause(_PAUSES_S[min(failures, len(_PAUSES_S)) - 1])
        except _Stopped:
            pass
        finally:
            self._sight.stop()

    def _look_until_it_fails(self) -> None:
        child = Child(self._command, "the camera")
        try:
            self._sight.start()
            child.await_ready(time.monotonic() + _START_S, self._wait)
            self._is_ready = True
            self._emit(DeviceReady(self.name))
            while True:
                self._look(child)
                self._pause(self._look_every_s)
        finally:
            child.end(0.2)

    def _look(self, child: Child) -> None:
        """Take one picture and tell the documents in it."""
        try:
            picture = child.ask(b"", time.monotonic() + _CAPTURE_S, self._wait)
        except RequestFailed:
            return  # one picture; the next one is half a second away
        for frame in self._sight.documents(picture, time.monotonic() + _READ_S, self._wait):
            self._emit(DocumentRead(self.name, frame))

    def _pause(self, seconds: float) -> None:
        self._wait(-1, 0, time.monotonic() + seconds)

    def _wait(self, descriptor: int, events: int, until_s: float) -> bool:
        """Wait as `hw.child.Wait` says. Raises `_Stopped`."""
        assert self._wake is not None
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if descriptor >= 0:
            poll.register(descriptor, events)
        ready = dict(poll.poll(max(0.0, until_s - time.monotonic()) * 1000))
        if self._wake in ready:
            raise _Stopped
        return descriptor in ready


def _reason(error: Exception) -> str:
    is_known = isinstance(error, ChildFailed | SightFailed)
    return str(error) if is_known else f"the camera's thread failed: {type(error).__name__}"
