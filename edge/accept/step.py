"""A step of the guided check, and how its findings are written. PURE but for what a step does.

Owns their form. Always true: a finding fits the report, whatever a device called itself or said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edge.accept.running import RunningKiosk
from edge.accept.screen import Screen
from edge.printable import printable
from edge.settings import Settings
from edge.wire.acceptance import Finding, Verdict

_MOST_WHAT, _MOST_TEXT = 60, 240


@dataclass(frozen=True, slots=True)
class Scene:
    """What every step works with."""

    settings: Settings
    kiosk: RunningKiosk
    screen: Screen


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the word by which `--only` names it, its title, and what it does, finding by finding.

    `do` raises `edge.accept.screen.Skipped`, or a `LandfallError`, which is a finding too.
    """

    name: str
    title: str
    do: Callable[[], Iterator[Finding]]


def ok(what: str, detail: str = "", **measured: float | None) -> Finding:
    """Return a good finding."""
    return finding(what, Verdict.OK, detail, "", **measured)


def warn(what: str, detail: str, remedy: str, **measured: float | None) -> Finding:
    """Return something that somebody should look at."""
    return finding(what, Verdict.WARN, detail, remedy, **measured)


def failed(what: str, detail: str, remedy: str, **measured: float | None) -> Finding:
    """Return something that keeps the kiosk from its work."""
    return finding(what, Verdict.FAILED, detail, remedy, **measured)


def skipped(what: str, remedy: str) -> Finding:
    """Return something at which nobody has looked."""
    return finding(what, Verdict.SKIPPED, "nobody has looked", remedy)


def finding(what: str, verdict: Verdict, detail: str, remedy: str, **measured: float | None) -> Finding:
    """Return a finding whose texts fit the report; figures that are not known are left out."""
    figures = {name: round(float(value), 2) for name, value in measured.items() if value is not None}
    return Finding(_fit(what, _MOST_WHAT) or "?", verdict, _fit(detail), _fit(remedy), figures)


def _fit(text: str, most: int = _MOST_TEXT) -> str:
    shown = printable(text, " ")
    return shown if len(shown) <= most else shown[: most - 3] + "..."
