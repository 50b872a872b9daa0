"""A terminal of 80 columns with somebody at its keyboard, who reads the screen, types, and is counted.

Owns what is typed and when: an answer once its question is on the screen. Always true: a line and a single key are one
input each; everything that was shown is kept.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType

COLUMNS, LINES = 80, 24
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[78]|\r")

# What the screen says (a regular expression), and what is typed then, or what is done with the hands.
Reactions = Mapping[str, str | Callable[[re.Match[str]], None]]
NONE: Reactions = MappingProxyType({})


class Terminal:
    """A program on a pseudo-terminal of its own; a context manager. `typed` counts what was typed."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
        self.typed = 0
        self._shown = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._read = 0  # up to here what is shown was reacted to
        self._keyboard, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        shows = {"TERM": "vt100", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
        # A session whose terminal this is: passwords are asked for there, whatever stdin is.
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command],
            stdin=side,
            stdout=side,
            stderr=side,
            env={**environment, **shows},
        )
        os.close(side)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._keyboard)  # hangs up
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def plain(self) -> str:
        """Return all that was shown, without what steers a terminal."""
        return _CONTROLS.sub("", self._shown)

    def type(self, keys: str) -> None:
        """Type a line (with its `\\n`) or a key, and count it."""
        self.typed += 1
        os.write(self._keyboard, keys.encode())

    def follow(self, until: str, reactions: Reactions = NONE, *, within_s: float) -> str:
        """Read on and react until the screen says `until`; return what was shown meanwhile.

        Raises AssertionError with the screen when that does not come in time, or the program ends before.
        """
        return self._follow(re.compile(until), reactions, within_s)

    def work(self, reactions: Reactions, *, within_s: float) -> int:
        """Read on and react until the program ends; return its exit status."""
        self._follow(None, reactions, within_s)
        return self._process.wait(timeout=10)

    def _follow(self, until: re.Pattern[str] | None, reactions: Reactions, within_s: float) -> str:
        begun, deadline_s = self._read, time.monotonic() + within_s
        while True:
            if self._react(reactions):
                continue
            if until is not None and (found := until.search(self.plain, self._read)):
                self._read = found.end()
                return self.plain[begun : found.start()]
            assert time.monotonic() < deadline_s, f"{until and until.pattern} did not come:\n{self.plain[begun:]}"
            if not self._look():
                assert until is None, f"it ended before {until.pattern}:\n{self.plain[begun:]}"
                return self.plain[begun:]

    def _react(self, reactions: Reactions) -> bool:
        """React to the first thing on the screen that somebody waits for."""
        found = [match for pattern in reactions if (match := re.compile(pattern).search(self.plain, self._read))]
        if not found:
            return False
        first = min(found, key=lambda match: match.start())
        self._read = first.end()
        reaction = reactions[first.re.pattern]
        self.type(reaction) if isinstance(reaction, str) else reaction(first)
        return True

    def _look(self) -> bool:
        """Read what is there, for a moment; tell whether the program may say more."""
        if select.select([self._keyboard], [], [], 0.05)[0]:
            try:
                self._shown += self._decoder.decode(os.read(self._keyboard, 65536))
            except OSError:  # the other side has closed
                return False
            return True
        return self._process.poll() is None
