"""How much one reader may deliver in a second, so that one that never rests neither fills the inbox nor takes the CPU.

Pure: the caller brings the time. A person reads a document or two in a second; what is allowed is far above that, and
far below what stops a lane. A line that sends more is left to wait in the kernel, whose buffer is small. What is passed
over unread, behind a message without an end, is hardly counted: whoever comes next must not wait until it is through.
"""

from __future__ import annotations

from dataclasses import dataclass

_WINDOW_S = 1.0
# What it costs to look, in bytes, so that many small pieces are bounded too. A keyboard may report 1,000 times a second
# and must not be kept waiting: the kernel keeps 64 of its events or a few more, and loses the others.
_BYTES_OF_A_READ = 4
_PASSED_OVER_FOR_ONE = 32  # it costs a fiftieth of what is framed, 0.03 s of a desktop's CPU for a MiB


@dataclass(slots=True)
class Allowance:
    """What is left of the present second."""

    bytes_per_s: int = 32 * 1024  # twice the longest message; the worst rubbish costs 0.2 s of a desktop's CPU
    messages_per_s: int = 100
    _ends_at_s: float = float("-inf")
    _bytes: int = 0
    _messages: int = 0

    def pause_s(self, now_s: float) -> float:
        """Return how long nothing more should be read; 0 almost always."""
        self._turn(now_s)
        return self._ends_at_s - now_s if self._bytes >= self.bytes_per_s else 0

    def read(self, size: int, now_s: float, *, is_passed_over: bool = False) -> None:
        """Count what was read."""
        self._turn(now_s)
        self._bytes += (size // _PASSED_OVER_FOR_ONE if is_passed_over else size) + _BYTES_OF_A_READ

    def admit(self, now_s: float) -> bool | None:
        """Tell whether one more message may go on: False for the first in a second that may not, None after that."""
        self._turn(now_s)
        self._messages += 1
        if self._messages <= self.messages_per_s:
            return True
        return False if self._messages == self.messages_per_s + 1 else None

    def _turn(self, now_s: float) -> None:
        if now_s >= self._ends_at_s:
            self._ends_at_s, self._bytes, self._messages = now_s + _WINDOW_S, 0, 0
