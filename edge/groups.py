"""People who travel together: a ferry, a coach, a family. PURE.

Owns which group the next crossings of a lane belong to, and its count against the expected number. Always true: a
group holds a conveyance and numbers, and nothing of a traveller; the count is of crossings on disk without those that
were voided, kept by the recorder in the transaction that appends them, so a power cut changes it by nothing.
"""

from __future__ import annotations

import msgspec

from edge.events import Moment
from edge.wire.crossing import Conveyance


class Group(msgspec.Struct, frozen=True, omit_defaults=True):
    """One group; `id` is a UUIDv7, `expected` how many people the officer was told of, None if nobody said."""

    id: str
    opened_at: str
    expected: int | None = None
    conveyance: Conveyance | None = None
    officer: str = ""


class LaneGroup:
    """The open group of one lane, if there is one. Times are seconds of CLOCK_BOOTTIME."""

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._last_s = 0.0
        self.group: Group | None = None
        self.count = 0

    @property
    def deadline_s(self) -> float | None:
        """Return when the group is idle for too long and has to be closed, or None."""
        return None if self.group is None else self._last_s + self._idle_s

    def open(self, group: Group, now: Moment, *, count: int = 0) -> None:
        """Let the next crossings belong to this group; `count` have already, where it is one from before a restart."""
        self.group, self.count, self._last_s = group, count, now.clock.boottime_s

    def close(self) -> Group | None:
        """Return the group that was open; the next crossings belong to none."""
        group, self.group = self.group, None
        return group

    def crossed(self, group: str | None, now: Moment) -> None:
        """Take note that a crossing is on disk."""
        if self.group is not None and self.group.id == group:
            self.count += 1
            self._last_s = now.clock.boottime_s

    def voided(self, group: str | None) -> None:
        """Take note that a crossing was voided; None: none was, or one of no group."""
        if self.group is not None and self.group.id == group:
            self.count -= 1


def count_of(group: str) -> str:
    """Return the key under which the store keeps how many crossings a group has."""
    return f"crossings_of.{group}"


def group_of(lane: str) -> str:
    """Return the key under which the store keeps a lane's open group."""
    return f"group_of.{lane}"


def encode(group: Group) -> str:
    """Return what the store keeps, as text."""
    return msgspec.json.encode(group).decode()


def decode(text: str | None) -> Group | None:
    """Return what the store kept; None for nothing, or for text that another version wrote."""
    try:
        return msgspec.json.decode(text, type=Group) if text else None
    except msgspec.DecodeError:
        return None
