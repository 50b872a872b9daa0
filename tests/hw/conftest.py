"""What the tests of devices share: an inbox that waits with a deadline, and a look at what was left behind."""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from hw.devices import DeviceEvent

Event = TypeVar("Event")
DEADLINE_S = 60.0


class Inbox:
    """Events as the kiosk would take them: in order, from any thread."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[DeviceEvent] = queue.SimpleQueue()
        self.seen: list[DeviceEvent] = []

    def put(self, event: DeviceEvent) -> None:
        self._events.put(event)

    def next(self) -> DeviceEvent:
        """Return the next event."""
        event = self._events.get(timeout=DEADLINE_S)
        self.seen.append(event)
        return event

    def next_within(self, timeout_s: float) -> DeviceEvent | None:
        """Return the next event, or None when none came in time."""
        try:
            self.seen.append(self._events.get(timeout=timeout_s))
        except queue.Empty:
            return None
        return self.seen[-1]

    def wait_for(self, kind: type[Event]) -> Event:
        """Return the next event of a kind, passing over the others."""
        while True:
            event = self.next()
            if isinstance(event, kind):
                return event

    def rest(self) -> list[DeviceEvent]:
        """Return what has come so far and was not taken."""
        taken = []
        while not self._events.empty():
            taken.append(self._events.get())
        return taken


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.002)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    with contextlib.suppress(ImportError):  # where there is one, it begins a thread that it never ends
        importlib.import_module("lgpio")
    threads, descriptors = set(threading.enumerate()), set(os.listdir("/proc/self/fd"))
    yield
    eventually(lambda: set(threading.enumerate()) <= threads)
    assert len(os.listdir("/proc/self/fd")) <= len(descriptors)


@pytest.fixture(autouse=True)
def a_busy_machine_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the processes of cameras a minute to start and to look; a test that wants one to be late says when."""
    limits = {
        "camera": ("_PROBE_S", "_START_S"),
        "page_camera": ("_START_S", "_CAPTURE_S", "_READ_S"),
        "sight": ("_START_S", "LOOK_S", "READ_S"),
    }
    for module, names in limits.items():
        for name in names:
            monkeypatch.setattr(f"hw.{module}.{name}", DEADLINE_S)
