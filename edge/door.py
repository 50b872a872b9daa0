"""The door behind a lane's gate, as its contact tells. PURE.

Owns when an opening is a pass, when the door was forced, and when it has stood open for too long. It has no clock of
its own. Always true: whoever passes while the gate is open for them is no news; the contact opens on a cut wire, so a
cut wire reads as a forced door.
"""

from __future__ import annotations

from typing import Literal

from edge.events import Moment

News = Literal["door_forced", "door_held_open", "door_closed"]


class Door:
    """One door. `pass_s` is how long after the gate's pulse it may be opened, `open_s` how long it may stay open."""

    def __init__(self, pass_s: float, open_s: float) -> None:
        self._pass_s, self._open_s = pass_s, open_s
        self._may_open_until_s = float("-inf")
        self._wrong: News | None = None
        self.is_open = False
        self.deadline_s: float | None = None

    @property
    def state(self) -> str:
        """Return closed, open, forced, or held_open."""
        if not self.is_open:
            return "closed"
        return "open" if self._wrong is None else self._wrong.removeprefix("door_")

    def let_pass(self, now: Moment) -> None:
        """Take note that the gate opens for somebody who passed."""
        self._may_open_until_s = now.clock.boottime_s + self._pass_s

    def opened(self, now: Moment) -> News | None:
        """Take note that the door was opened; return whether that is news."""
        self.is_open, self.deadline_s = True, now.clock.boottime_s + self._open_s
        self._wrong = "door_forced" if now.clock.boottime_s > self._may_open_until_s else None
        return self._wrong

    def closed(self) -> News | None:
        """Take note that the door is closed; that is news only after something was wrong."""
        was_wrong, self._wrong = self._wrong, None
        self.is_open, self.deadline_s = False, None
        return "door_closed" if was_wrong else None

    def check(self, now: Moment) -> News | None:
        """Return the news that the door has stood open for too long, once."""
        if self.deadline_s is None or now.clock.boottime_s < self.deadline_s:
            return None
        self._wrong, self.deadline_s = "door_held_open", None
        return self._wrong
