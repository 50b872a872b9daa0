"""Log lines for journald: standard error, priority in front, one line an event.

Owns the form of a line. Always true: what is logged are names of devices, streams, states and counts; whoever logs
passes words and numbers of the machine, never fields of a document.
"""

from __future__ import annotations

import sys
from enum import IntEnum
from typing import TextIO


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

    def __call__(self, priority: Priority, event: str, **facts: object) -> None:
        """Write one line; `facts` become `key=value`, quoted where they hold blanks."""
        words = [event, *(f"{key}={_word(value)}" for key, value in facts.items())]
        self._stream.write(f"<{priority.value}>{' '.join(words)}\n")
        self._stream.flush()


def _word(value: object) -> str:
    text = " ".join(str(value).split())
    return f'"{text}"' if " " in text else text
