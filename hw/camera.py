"""A camera in a process of its own, with deadlines.

Owns the process: it is started, asked, killed when it hangs and started again. What takes the photo is in
`hw.camera_child`, what looks at it behind `hw.sight`. Always true: each request is answered once, within the camera's
deadline, whatever the processes do; a photo that is not good is taken again, at most twice, and the best one counts: no
photo is refused; a crossing goes on without its photo and says why.
"""

from __future__ import annotations

import os
import queue
import select
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from hw.child import Child, ChildFailed, RequestFailed
from hw.devices import DeviceError, DeviceLost, DeviceReady, Emit, Guidance, PhotoFailed, PhotoGuidance, PhotoTaken
from hw.settings import CameraSettings
from hw.sight import Sight, SightFailed

LARGEST_JPEG = 512 * 1024  # more is no photo of the size that was asked for
_START_S = 20.0  # libcamera on a cold card
_GRACE_S = 1.0
_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_PROBE_S = 20.0
_SOI = b"\xff\xd8"
_WORST_FIRST = {flaw: place for place, flaw in enumerate(Guidance)}

Quality = tuple[Guidance, ...] | None


def picamera2_command(settings: CameraSettings) -> list[str]:
    """Return the command of the process that has picamera2, isolated: no package of ours may shadow the system's."""
    child = Path(__file__).with_name("camera_child.py")
    numbers = (settings.number, settings.width, settings.height, settings.quality, settings.photo_kb * 1000)
    return [settings.python, "-I", str(child), *map(str, numbers)]


def refuse_missing_picamera2(settings: CameraSettings) -> None:
    """Raise DeviceError, with the remedy, when the interpreter of the settings has no picamera2."""
    look = "import sys; from importlib.util import find_spec; sys.exit(find_spec('picamera2') is None)"
    try:
        found = subprocess.run([settings.python, "-I", "-c", look], capture_output=True, timeout=_PROBE_S, check=False)
    except OSError as error:
        raise DeviceError(
            settings.name, f"{settings.python} cannot be run ({error.strerror})", remedy="name the system's Python"
        ) from error
    except subprocess.TimeoutExpired:
        return  # a machine under load; whether it is there turns out when the camera starts
    if found.returncode:
        raise DeviceError(
            settings.name,
            f"{settings.python} has no picamera2",
            remedy="apt install --no-install-recommends python3-picamera2",
        )


class _Stopped(Exception):
    """The camera was told to stop."""


@dataclass(slots=True)
class _Request:
    """A photo that was asked for; `best` is the one that is kept if no better one comes, `reason` why none came.

    `until_s` is the monotonic time by which it is answered.
    """

    id: str
    until_s: float
    best: PhotoTaken | None = None
    retakes: int = 0
    was_tried_again: bool = False
    reason: str = "the camera is not available"


class ChildCamera:
    """A camera behind a process; see `hw.devices.Camera`. Without `sight` nobody looks at its photos."""

    def __init__(self, settings: CameraSettings, command: list[str], sight: Sight | None = None) -> None:
        self.name = settings.name
        self._settings = settings
        self._command, self._sight = command, sight
        self._asked: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._waiting: deque[_Request] = deque()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._wake: int | None = None  # eventfd(2)
        self._undead: list[Child] = []  # could not be killed: they hang in the kernel
        self._is_blind = False

    def start(self, emit: Emit) -> None:
        """Start the process and begin to serve requests."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self._emit = emit
        self._wake = os.eventfd(0)
        self._thread = threading.Thread(target=self._run, name=f"camera {self.name}", daemon=True)
        self._thread.start()

    def take_photo(self, request: str) -> None:
        """Ask for a photo."""
        self._asked.put(_Request(request, time.monotonic() + self._settings.deadline_s))
        if self._wake is not None:
            os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """End the processes and the thread."""
        if self._thread is None or self._wake is None:
            return
        self._stopping.set()
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        os.close(self._wake)
        self._thread = self._wake = None

    # -- the camera's thread

    def _run(self) -> None:
        failures = 0
        while True:
            self._is_ready = self._has_delivered = False
            child = None
            try:
                self._undead = [undead for undead in self._undead if not undead.is_gone()]
                child = Child(self._command, "the camera")
                self._serve(child)
            except _Stopped:
                self._end(child)
                break
            except Exception as error:  # the thread's wrapper: the lane hears of it, and the camera is tried again
                self._end(child)
                if self._is_ready or failures == 0:
                    self._emit(DeviceLost(self.name, _reason(error)))
            failures = 1 if self._has_delivered else failures + 1
            try:
                self._pause(_PAUSES_S[min(failures, len(_PAUSES_S)) - 1])
            except _Stopped:
                break
        if self._sight is not None:
            self._sight.stop()

    def _serve(self, child: Child) -> None:
        self._start_sight()
        child.await_ready(time.monotonic() + _START_S, self._wait)
        self._is_ready = True
        self._emit(DeviceReady(self.name))
        while True:
            while not self._waiting:
                if self._wait_for_request(child):
                    raise child.spoke_unasked()
            request = self._waiting.popleft()
            try:
                self._photograph(child, request)
            except ChildFailed as error:
                request.reason = str(error)
                if request.was_tried_again or request.until_s <= time.monotonic():
                    self._close(request)
                else:
                    request.was_tried_again = True
                    self._waiting.appendleft(request)  # the next process may still be in time
                raise
            except _Stopped:
                request.reason = "the camera was stopped"
                self._close(request)
                raise

    def _photograph(self, child: Child, request: _Request) -> None:
        """Take photos until one is good, or there are no more attempts or no time for them."""
        while True:
            try:
                photo = child.ask(b"", min(request.until_s, time.monotonic() + self._settings.capture_s), self._wait)
            except RequestFailed as error:
                request.reason = str(error)
                break
            if not photo.startswith(_SOI) or len(photo) > LARGEST_JPEG:
                raise ChildFailed("the camera's process sent something unexpected")
            self._has_delivered = True
            quality, sharpness = self._looked_at(photo, request.until_s)
            if request.best is None or _badness(quality) <= _badness(request.best.quality):
                request.best = PhotoTaken(self.name, request.id, photo, quality, sharpness)
            next_at_s = time.monotonic() + self._settings.retake_pause_s
            if not quality or request.retakes >= self._settings.retakes or next_at_s >= request.until_s:
                break
            request.retakes += 1
            self._emit(PhotoGuidance(self.name, request.id, quality[0]))
            self._pause(self._settings.retake_pause_s)
        self._close(request)

    def _close(self, request: _Request) -> None:
        if request.best is not None:
            self._emit(request.best)
        else:
            self._emit(PhotoFailed(self.name, request.id, request.reason))

    # -- what looks at photos

    def _start_sight(self) -> None:
        try:
            if self._sight is not None:
                self._sight.start()
        except ChildFailed:
            pass  # the first photo says so

    def _looked_at(self, photo: bytes, until_s: float) -> tuple[Quality, float | None]:
        """Return what is not right with a photo, and how sharp it is; None, and told once, where nobody can look."""
        if self._sight is None:
            return None, None
        try:
            look = self._sight.look(photo, until_s, self._wait)
        except SightFailed as error:
            if not self._is_blind:
                self._is_blind = True
                self._emit(DeviceLost(f"{self.name}-sight", str(error)))
            return None, None
        if self._is_blind:
            self._is_blind = False
            self._emit(DeviceReady(f"{self.name}-sight"))
        return look

    # -- waiting

    def _wait_for_request(self, child: Child) -> bool:
        """Wait until somebody asks; True: the child said something instead."""
        return self._wait(child.fileno(), select.POLLIN, None)

    def _pause(self, seconds: float) -> None:
        self._wait(None, 0, time.monotonic() + seconds)

    def _wait(self, descriptor: int | None, events: int, until_s: float | None) -> bool:
        """Wait as `hw.child.Wait` says, without `until_s` also until somebody asks. Raises `_Stopped`.

        Requests that become overdue meanwhile are answered.
        """
        assert self._wake is not None
        wake, poll = self._wake, select.poll()
        poll.register(wake, select.POLLIN)
        if descriptor is not None:
            poll.register(descriptor, events)
        while True:
            self._take_requests()
            if until_s is None and self._waiting:
                return False
            ends_s = [request.until_s for request in self._waiting] + ([] if until_s is None else [until_s])
            ready = dict(poll.poll(max(0.0, min(ends_s) - time.monotonic()) * 1000 if ends_s else None))
            if wake in ready:
                os.eventfd_read(wake)
            if self._stopping.is_set():
                self._refuse_all()
                raise _Stopped
            if descriptor in ready:
                return True
            if until_s is not None and time.monotonic() >= until_s:
                return False

    def _take_requests(self) -> None:
        while not self._asked.empty():
            self._waiting.append(self._asked.get())
        for request in [request for request in self._waiting if request.until_s <= time.monotonic()]:
            self._waiting.remove(request)
            self._close(request)

    def _refuse_all(self) -> None:
        self._take_requests()
        while self._waiting:
            request = self._waiting.popleft()
            request.reason = "the camera was stopped"
            self._close(request)

    def _end(self, child: Child | None) -> None:
        if child is not None and not child.end(_GRACE_S if self._stopping.is_set() else 0.0):
            self._undead.append(child)


def _badness(quality: Quality) -> tuple[int, int]:
    """Order photos: by their worst flaw, then by how many there are; a good one is least, an unknown one worst."""
    if quality is None:
        return len(_WORST_FIRST) + 1, 0
    return (len(_WORST_FIRST) - _WORST_FIRST[quality[0]], len(quality)) if quality else (0, 0)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ChildFailed) else f"the camera's thread failed: {type(error).__name__}"
