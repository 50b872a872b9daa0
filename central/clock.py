"""The present moment, and how long to pause before the next try.

Owns the shape of the pauses that all who connect to the broker make. Always true: nothing here waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Pause:
    """Decorrelated jitter: each pause is random, between the shortest and three times the one before."""

    random: Random = field(default_factory=Random)
    last_s: float = SHORTEST_PAUSE_S

    def next_s(self) -> float:
        """Return how long to wait now."""
        self.last_s = min(LONGEST_PAUSE_S, self.random.uniform(SHORTEST_PAUSE_S, self.last_s * 3))
        return self.last_s

    def reset(self) -> None:
        """Begin with short pauses again."""
        self.last_s = SHORTEST_PAUSE_S
