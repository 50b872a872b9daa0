"""One line of the report, and how it is measured: medians of rounds in which the contenders take turns.

Owns no benchmark. A module of `bench` that has `run(quick)` and returns rows is found by `python -m bench`. Always
true: a bar stands only where two things ran beside each other on this machine, or where a standard or the lane sets it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from timeit import timeit
from typing import Any, Literal

import msgspec

LEAST_ROUNDS = 5


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """A figure, and the bar that it should clear: `bar` is the most or the least that `figure` may be.

    `beside` names what ran in turns with it, and `theirs` what that took, in the same unit.
    """

    what: str
    figure: float
    unit: str
    bar: float | None = None
    bar_is: Literal["most", "least"] = "most"
    beside: str = ""
    theirs: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Tell whether the figure clears its bar; None where there is none."""
        if self.bar is None:
            return None
        return self.figure <= self.bar if self.bar_is == "most" else self.figure >= self.bar

    @property
    def is_ratio(self) -> bool:
        """Tell whether the figure is one of this run against another of it, and so says the same on any machine."""
        return self.unit == "x"


def medians_us(*contenders: Callable[[], Any], calls: int, rounds: int = LEAST_ROUNDS) -> list[float]:
    """Return the median of the rounds for each contender, in microseconds a call; they take turns."""
    if rounds < LEAST_ROUNDS:
        raise ValueError(f"a median wants at least {LEAST_ROUNDS} rounds")
    turns = [[timeit(call, number=calls) for call in contenders] for _ in range(rounds)]
    return [statistics.median(times) / calls * 1e6 for times in zip(*turns, strict=True)]
