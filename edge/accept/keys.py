"""The keys that a technician presses, one at a time and without Enter.

Owns the terminal's mode, which it puts back whatever happens. Always true: who gives no terminal gives lines, of which
the first letter counts; when they have ended nothing is pressed any more.
"""

from __future__ import annotations

import os
import select
import termios
import time
import tty
from types import TracebackType
from typing import Any

ENTER = "\n"


class Keys:
    """Reads a descriptor, standard input by default; a context manager."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self.is_terminal = os.isatty(descriptor)
        self._before: list[Any] | None = None
        self.has_ended = False

    def __enter__(self) -> Keys:
        if self.is_terminal:
            self._before = termios.tcgetattr(self._descriptor)
            tty.setcbreak(self._descriptor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    def forget(self) -> None:
        """Pass over what was typed before it was asked for."""
        if self.is_terminal:
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def pressed(self, timeout_s: float) -> str:
        """Return the next key in lower case, `ENTER`, or nothing when none came in time."""
        if self.has_ended:
            time.sleep(timeout_s)
            return ""
        if not select.select([self._descriptor], [], [], timeout_s)[0]:
            return ""
        typed = self._key() if self.is_terminal else self._line()
        return ENTER if typed in ("\n", "\r") else typed.lower()

    def _key(self) -> str:
        try:
            typed = os.read(self._descriptor, 16)
        except OSError:  # the terminal is gone
            typed = b""
        self.has_ended = not typed
        return typed[:1].decode("ascii", "replace")

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            letter = os.read(self._descriptor, 1)
            if not letter:
                self.has_ended = True
                break
            line += letter
        return line.strip()[:1].decode("ascii", "replace") or (ENTER if line else "")
