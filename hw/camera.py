"""A camera in a process of its own, with a deadline.

Owns the process: it is started, asked, killed when it hangs and started again. What takes the photo is in
`hw.camera_child`. Always true: each request is answered once, within the camera's deadline, whatever the process does;
a crossing goes on without its photo and says why.
"""

from __future__ import annotations

import os
import queue
import select
import subprocess
import threading
import time
from collections import deque
from pathlib import Path

from hw.camera_child import FAILED, PHOTO, READY, TAKE, UNUSABLE
from hw.devices import DeviceLost, DeviceReady, Emit, PhotoFailed, PhotoTaken
from hw.settings import CameraSettings

LARGEST_JPEG = 16 * 2**20
_START_S = 20.0  # libcamera on a cold card
_GRACE_S = 1.0
_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_HEADER = 5
_SOI = b"\xff\xd8"


def picamera2_command(settings: CameraSettings) -> list[str]:
    """Return the command of the process that has picamera2, isolated: no package of ours may shadow the system's."""
    child = Path(__file__).with_name("camera_child.py")
    return [settings.python, "-I", str(child), str(settings.width), str(settings.height), str(settings.quality)]


class _ChildFailed(Exception):
    """The process cannot be used any more; the text is the reason that people see."""


class _Stopped(Exception):
    """The camera was told to stop."""


class ChildCamera:
    """A camera behind a process; see `hw.devices.Camera`."""

    def __init__(self, settings: CameraSettings, command: list[str]) -> None:
        self.name = settings.name
        self._deadline_s = settings.deadline_s
        self._command = command
        self._asked: queue.SimpleQueue[tuple[str, float]] = queue.SimpleQueue()
        self._waiting: deque[tuple[str, float]] = deque()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._wake: tuple[int, int] | None = None
        self._undead: list[subprocess.Popen[bytes]] = []  # could not be killed: they hang in the kernel

    def start(self, emit: Emit) -> None:
        """Start the process and begin to serve requests."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self._emit = emit
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"camera {self.name}", daemon=True)
        self._thread.start()

    def take_photo(self, request: str) -> None:
        """Ask for a photo."""
        self._asked.put((request, time.monotonic() + self._deadline_s))
        if self._wake is not None:
            os.write(self._wake[1], b"p")

    def stop(self) -> None:
        """End the process and the thread."""
        if self._thread is None or self._wake is None:
            return
        self._stopping.set()
        os.write(self._wake[1], b"s")
        self._thread.join()
        for descriptor in self._wake:
            os.close(descriptor)
        self._thread = self._wake = None

    # -- the camera's thread

    def _run(self) -> None:
        failures = 0
        while True:
            self._is_ready = self._has_delivered = False
            child = None
            try:
                child = self._spawned()
                self._serve(child)
            except _Stopped:
                self._end(child)
                return
            except Exception as error:  # the thread's wrapper: the lane hears of it, and the camera is tried again
                self._end(child)
                if self._is_ready or failures == 0:
                    self._emit(DeviceLost(self.name, _reason(error)))
            failures = 1 if self._has_delivered else failures + 1
            try:
                self._wait(None, time.monotonic() + _PAUSES_S[min(failures, len(_PAUSES_S)) - 1])
            except _Stopped:
                return

    def _spawned(self) -> subprocess.Popen[bytes]:
        self._undead = [child for child in self._undead if child.poll() is None]
        try:
            return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        except OSError as error:
            raise _ChildFailed(f"{self._command[0]} cannot be run: {error.strerror}") from error

    def _serve(self, child: subprocess.Popen[bytes]) -> None:
        kind, body = self._answer_of(child, time.monotonic() + _START_S)
        if kind != READY:
            raise _ChildFailed(_text(body) if kind == UNUSABLE else "the camera's process sent something unexpected")
        self._is_ready = True
        self._emit(DeviceReady(self.name))
        assert child.stdin is not None
        while True:
            while not self._waiting:
                self._wait(child, None)
                if not self._waiting:
                    self._answer_of(child, time.monotonic())  # it speaks unasked: most likely it is gone
                    raise _ChildFailed("the camera's process sent something unexpected")
            request, deadline = self._waiting.popleft()
            try:
                child.stdin.write(TAKE)
                self._report(request, *self._answer_of(child, deadline))
            except (_ChildFailed, OSError) as error:
                self._emit(PhotoFailed(self.name, request, _reason(error)))
                raise
            except _Stopped:
                self._emit(PhotoFailed(self.name, request, "the camera was stopped"))
                raise

    def _report(self, request: str, kind: bytes, body: bytes) -> None:
        match kind:
            case _ if kind == PHOTO and body.startswith(_SOI):
                self._has_delivered = True
                self._emit(PhotoTaken(self.name, request, body))
            case _ if kind == FAILED:
                self._emit(PhotoFailed(self.name, request, _text(body)))
            case _:
                raise _ChildFailed("the camera's process sent something unexpected")

    def _answer_of(self, child: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes]:
        header = self._read(child, _HEADER, deadline)
        size = int.from_bytes(header[1:], "big")
        if header[:1] not in (READY, PHOTO, FAILED, UNUSABLE) or size > LARGEST_JPEG:
            raise _ChildFailed("the camera's process sent something unexpected")
        return header[:1], self._read(child, size, deadline)

    def _read(self, child: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
        assert child.stdout is not None
        received = bytearray()
        while len(received) < size:
            if not self._wait(child, deadline):
                raise _ChildFailed("the camera did not answer in time")
            piece = os.read(child.stdout.fileno(), min(size - len(received), 2**16))
            if not piece:
                raise _ChildFailed("the camera's process ended")
            received += piece
        return bytes(received)

    def _wait(self, child: subprocess.Popen[bytes] | None, until: float | None) -> bool:
        """Wait until the child says something; without `until`, also until somebody asks. Raises `_Stopped`.

        Requests that become overdue meanwhile are answered.
        """
        wake = self._wake[0] if self._wake is not None else -1
        watched = [wake] if child is None or child.stdout is None else [wake, child.stdout.fileno()]
        while True:
            self._take_requests()
            if until is None and self._waiting:
                return False
            ends = [time_s for time_s in (until, *(deadline for _, deadline in self._waiting)) if time_s is not None]
            timeout_s = max(0.0, min(ends) - time.monotonic()) if ends else None
            readable = select.select(watched, [], [], timeout_s)[0]
            if wake in readable:
                os.read(wake, 4096)
            if self._stopping.is_set():
                self._take_requests()
                while self._waiting:
                    self._emit(PhotoFailed(self.name, self._waiting.popleft()[0], "the camera was stopped"))
                raise _Stopped
            if len(readable) > (wake in readable):
                return True
            if until is not None and time.monotonic() >= until:
                return False

    def _take_requests(self) -> None:
        while not self._asked.empty():
            self._waiting.append(self._asked.get())
        while self._waiting and self._waiting[0][1] <= time.monotonic():
            self._emit(PhotoFailed(self.name, self._waiting.popleft()[0], "the camera is not available"))

    def _end(self, child: subprocess.Popen[bytes] | None) -> None:
        if child is None or child.stdin is None or child.stdout is None:
            return
        child.stdin.close()  # a child that works ends by itself and lets go of the camera
        for kill, grace_s in ((False, _GRACE_S if self._stopping.is_set() else 0), (True, _GRACE_S)):
            if kill:
                child.kill()
            try:
                child.wait(grace_s)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            self._undead.append(child)
        child.stdout.close()


def _reason(error: Exception) -> str:
    if isinstance(error, _ChildFailed):
        return str(error)
    return (
        "the camera's process ended"
        if isinstance(error, OSError)
        else f"the camera's thread failed: {type(error).__name__}"
    )


def _text(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace")
