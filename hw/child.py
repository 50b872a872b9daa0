"""A process that answers on its pipes, and a deadline for each answer.

Owns the process and the messages, whose form stands in `hw.camera_child`; when to start it again is its user's matter.
Always true: nothing here waits longer than its deadline; a process that is late, babbles, or is gone is `ChildFailed`,
and may then only be ended.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Callable

from hw.camera_child import ANSWER, FAILED, READY, UNUSABLE

LARGEST_ANSWER = 16 * 2**20
KILL_S = 1.0
_HEADER = 5

Wait = Callable[[int, int, float], bool]
"""Wait for a descriptor to be ready for `select.POLLIN` or `POLLOUT`; False: the time (monotonic) came first."""


class ChildFailed(Exception):
    """The process cannot be used any more; the text is the reason that people see."""


class RequestFailed(Exception):
    """The process has no answer to this request; the text is the reason that people see."""


def wait_alone(descriptor: int, events: int, until_s: float) -> bool:
    """Wait and do nothing else meanwhile; see `Wait`."""
    poll = select.poll()
    poll.register(descriptor, events)
    return bool(poll.poll(max(0.0, until_s - time.monotonic()) * 1000))


class Child:
    """One process, called `what` in reasons ("the camera")."""

    def __init__(self, command: list[str], what: str) -> None:
        self._what = what
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        except OSError as error:
            raise ChildFailed(f"{command[0]} cannot be run: {error.strerror}") from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        os.set_blocking(self._requests.fileno(), False)

    def fileno(self) -> int:
        """Return what becomes readable when the process speaks or ends."""
        return self._answers.fileno()

    def await_ready(self, until_s: float, wait: Wait) -> None:
        """Wait until the process can be asked."""
        kind, body = self._read_answer(until_s, wait)
        if kind == UNUSABLE:
            raise ChildFailed(_text(body))
        if kind != READY:
            raise self._unexpected()

    def ask(self, request: bytes, until_s: float, wait: Wait) -> bytes:
        """Return the answer to a request. Raises RequestFailed, and ChildFailed."""
        try:
            self._write(len(request).to_bytes(4, "big") + request, until_s, wait)
        except OSError:
            raise ChildFailed(f"{self._what}'s process ended") from None
        kind, body = self._read_answer(until_s, wait)
        if kind == FAILED:
            raise RequestFailed(f"{self._what} failed: {_text(body)}")
        if kind != ANSWER:
            raise self._unexpected()
        return body

    def spoke_unasked(self) -> ChildFailed:
        """Return why a process that became readable though nobody asked cannot be used."""
        try:
            self._read(_HEADER, time.monotonic(), wait_alone)
        except ChildFailed as error:
            return error
        return self._unexpected()

    def end(self, grace_s: float) -> bool:
        """End the process, by force after `grace_s`; False: it hangs in the kernel, and `is_gone` tells when not."""
        self._requests.close()  # a process that works ends by itself and lets go of its device
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            try:
                self._process.wait(KILL_S)
            except subprocess.TimeoutExpired:
                return False
        finally:
            self._answers.close()
        return True

    def is_gone(self) -> bool:
        """Tell whether the process has ended."""
        return self._process.poll() is not None

    def _write(self, message: bytes, until_s: float, wait: Wait) -> None:
        rest = memoryview(message)
        while rest:
            if not wait(self._requests.fileno(), select.POLLOUT, until_s):
                raise ChildFailed(f"{self._what} did not answer in time")
            rest = rest[os.write(self._requests.fileno(), rest) :]

    def _read_answer(self, until_s: float, wait: Wait) -> tuple[bytes, bytes]:
        header = self._read(_HEADER, until_s, wait)
        size = int.from_bytes(header[1:], "big")
        if header[:1] not in (READY, ANSWER, FAILED, UNUSABLE) or size > LARGEST_ANSWER:
            raise self._unexpected()
        return header[:1], self._read(size, until_s, wait)

    def _read(self, size: int, until_s: float, wait: Wait) -> bytes:
        received = bytearray()
        while len(received) < size:
            if not wait(self._answers.fileno(), select.POLLIN, until_s):
                raise ChildFailed(f"{self._what} did not answer in time")
            piece = os.read(self._answers.fileno(), min(size - len(received), 2**16))
            if not piece:
                raise ChildFailed(f"{self._what}'s process ended")
            received += piece
        return bytes(received)

    def _unexpected(self) -> ChildFailed:
        return ChildFailed(f"{self._what}'s process sent something unexpected")


def _text(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace")
