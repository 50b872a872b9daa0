"""The daemon's threads: started by name, waited for at the end.

Owns the wrapper that makes the death of a thread an event. Always true: nothing is started but through here, so nothing
dies in silence; a thread that has ended is not kept, however many were started since the daemon runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThreadDied:
    """A thread of the daemon ended with an error that nobody expected."""

    thread: str
    error: str


class Threads:
    """Starts threads; `put` is told of one that died. Used by the main loop alone."""

    def __init__(self, put: Callable[[ThreadDied], None]) -> None:
        self._put = put
        self._running: list[threading.Thread] = []

    def __len__(self) -> int:
        return len(self._running)

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` in a thread; its death is an event like any other."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:  # the thread wrapper: its text may quote data, so only its kind is told
                self._put(ThreadDied(name, type(error).__name__))

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._running = [*(one for one in self._running if one.is_alive()), thread]
        thread.start()

    def join(self, timeout_s: float, *names: str) -> None:
        """Wait for the threads of these names, or for all of them, for so long together."""
        until_s = time.monotonic() + timeout_s
        for thread in self._running:
            if not names or thread.name in names:
                thread.join(timeout=max(0.0, until_s - time.monotonic()))
