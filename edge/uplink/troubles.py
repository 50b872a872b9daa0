"""Trouble that comes again and again, told once in a while. PURE.

Owns the counts. Always true: the first of a kind is told at once, the next ones together no sooner than `TROUBLE_S`
later, and none is forgotten; so a broker that floods a kiosk with lies costs one line a second and kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from edge.events import UplinkTrouble
from edge.wire.topics import Stream

TROUBLE_S = 1.0


class Troubles:
    """Counts what the uplink does not follow; times are seconds of one monotonic clock."""

    def __init__(self, tell: Callable[[UplinkTrouble], None]) -> None:
        self._tell = tell
        self._untold: Counter[tuple[str, str]] = Counter()
        self._told_at_s: dict[tuple[str, str], float] = {}

    def add(self, stream: str, what: str, now_s: float) -> bool:
        """Count trouble; return whether it was told, and not kept because its like was told a moment ago.

        `stream` may come from a stranger: what is no stream's name is not repeated.
        """
        kind = (stream if stream in set(Stream) else "unknown", str(what))
        self._untold[kind] += 1
        self.tell_due(now_s)
        return kind not in self._untold

    def tell_due(self, now_s: float) -> None:
        """Tell what was counted and is due."""
        for stream, what in list(self._untold):
            if now_s >= self._due_s((stream, what)):
                self._told_at_s[stream, what] = now_s
                self._tell(UplinkTrouble(stream, what, self._untold.pop((stream, what))))

    def wake_at_s(self) -> float | None:
        """Return when something will be due, or None."""
        return min(map(self._due_s, self._untold), default=None)

    def _due_s(self, kind: tuple[str, str]) -> float:
        return self._told_at_s.get(kind, float("-inf")) + TROUBLE_S
