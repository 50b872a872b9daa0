"""The command `diagnostics`: what takes time is collected in a thread, and awaited for a bounded time.

Owns how long a collection may hold up the commands behind it, since one is carried out after the other. Always true: a
collection that hangs ends its command and nothing else; no second one begins beside it; what it finds too late is let
go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.events import Moment
from edge.wire.commands import Result

COLLECT_S = 20.0
Answer = tuple[Result, str]


@dataclass(frozen=True, slots=True)
class DiagnosticsCollected:
    """What `diagnostics` asked for is there, or `error` says which fault kept it away."""

    content: dict[str, Any]
    error: str = ""


class Collecting:
    """Collects diagnostics; `start` runs work in a thread, `collect` is that work, `put` takes what it found."""

    def __init__(
        self,
        put: Callable[[object], None],
        start: Callable[[str, Callable[[], None]], None],
        collect: Callable[[], dict[str, Any]],
    ) -> None:
        self._put, self._start, self._collect = put, start, collect
        self._is_running = False
        self.deadline_s: float | None = None

    def begin(self, now: Moment) -> Answer | None:
        """Begin to collect; return an answer where that is not possible now."""
        if self._is_running:
            return Result.FAILED, "the collection before this one still hangs; restart the kiosk if that goes on"
        self._is_running, self.deadline_s = True, now.clock.boottime_s + COLLECT_S
        self._start("diagnostics", self._work)
        return None

    def _work(self) -> None:
        try:
            self._put(DiagnosticsCollected(self._collect()))
        except Exception as error:  # a fault in the look for faults must not end a kiosk that works
            self._put(DiagnosticsCollected({}, f"fault: {type(error).__name__}"))

    def collected(self, found: DiagnosticsCollected) -> Answer | None:
        """Take what was found; return what the command is answered, or None where it was answered already."""
        self._is_running = False
        is_awaited, self.deadline_s = self.deadline_s is not None, None
        if not is_awaited:
            return None
        return (Result.FAILED, found.error) if found.error else (Result.DONE, "")

    def tick(self, now: Moment) -> Answer | None:
        """Return the answer to a command whose collection takes too long, or None."""
        if self.deadline_s is None or now.clock.boottime_s < self.deadline_s:
            return None
        self.deadline_s = None
        return Result.FAILED, f"it took longer than {COLLECT_S:g} s; run `landfall diagnose` at the kiosk"
