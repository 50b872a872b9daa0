"""Log lines for journald: standard error, priority in front, one line an event.

Owns the form of a line. Always true: what is logged are names of devices, streams, states and counts; whoever logs
passes words and numbers of the machine, never fields of a document.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import deque
from enum import IntEnum
from types import TracebackType
from typing import TextIO

from edge.errors import place_of

TAIL_LINES = 100  # that diagnostics show


class Priority(IntEnum):
    """Priorities of sd-daemon(3)."""

    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6


class Log:
    """Writes lines such as `<6>uplink connected broker=example.org`."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    @property
    def tail(self) -> list[str]:
        """Return the last lines, the oldest first."""
        return list(self._tail)

    def __call__(self, priority: Priority, event: str, **facts: object) -> None:
        """Write one line; `facts` become `key=value`, quoted where they hold blanks."""
        words = [event, *(f"{key}={_word(value)}" for key, value in facts.items())]
        self._tail.append(" ".join(words))
        with contextlib.suppress(OSError):  # whoever read it is gone; that is no reason to close a lane
            self._stream.write(f"<{priority.value}>{' '.join(words)}\n")
            self._stream.flush()


def tell_faults_by_kind_and_place(log: Log) -> None:
    """Log an error that nobody expected, in any thread, without its text, which may quote a document."""

    def tell(where: str, kind: type[BaseException], trace: TracebackType | None) -> None:
        log(Priority.ERROR, "fault", thread=where, error=kind.__name__, at=place_of(trace))

    sys.excepthook = lambda kind, error, trace: tell("main", kind, trace)
    sys.unraisablehook = lambda fault: tell("unraisable", fault.exc_type, fault.exc_traceback)
    threading.excepthook = lambda fault: tell(getattr(fault.thread, "name", ""), fault.exc_type, fault.exc_traceback)


def _word(value: object) -> str:
    text = " ".join(str(value).split())
    return f'"{text}"' if " " in text else text
