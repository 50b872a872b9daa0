"""One measured figure, as the table shows it and as JSON holds it.

Owns what a figure is and when it meets its goal; measures nothing. Always true: a goal that is a ratio is judged by two
things that were measured in the same run, so a slow or a busy machine does not decide it.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A value in `unit`; `ratio` is what the goal speaks of where there is one, otherwise it is the value.

    `beside` names what the ratio is taken to, or says in a few words what else must be known of the figure.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    beside: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Tell whether the goal is met, None when there is none."""
        judged = self.value if self.ratio is None else self.ratio
        if self.at_most is not None:
            return judged <= self.at_most
        return None if self.at_least is None else judged >= self.at_least

    @property
    def goal(self) -> str:
        """Return the goal in words, empty when there is none."""
        if self.at_most is not None:
            return f"at most {self.at_most:g}"
        return "" if self.at_least is None else f"at least {self.at_least:g}"


def percentile(found: Sequence[float], percent: int) -> float:
    """Return a percentile of what was measured, by linear interpolation."""
    return statistics.quantiles(found, n=100, method="inclusive")[percent - 1]
