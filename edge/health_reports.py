"""When the kiosk says how it is: regularly, and soon after something happened.

Owns the moments of it and what was said last; the figures are those of `edge.health`. It runs in the main loop alone.
Always true: a store that cannot be read keeps no report from being made; news waits for at most `NEWS_S`, so that a
device that comes and goes does not cost a message each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from edge.cache import CacheReader
from edge.errors import StoreError
from edge.events import Moment
from edge.health import Vitals, health
from edge.wiring import Lane

NEWS_S = 1.0


class HealthReports:
    """The reports of one kiosk (`<site>/<kiosk>`); `publish` takes each as JSON, at least every `every_s`.

    `deadline_s` is the CLOCK_BOOTTIME of the next one, `newest` the last one, which another thread may read.
    """

    def __init__(
        self,
        kiosk: str,
        version: str,
        vitals: Vitals,
        lanes: Sequence[Lane],
        publish: Callable[[bytes], None],
        *,
        every_s: float,
    ) -> None:
        self._kiosk, self._version, self._vitals, self._lanes = kiosk, version, vitals, lanes
        self._publish, self._every_s = publish, every_s
        self._reader: CacheReader | None = None
        self._published_s = 0.0
        self.newest: dict[str, Any] = {}
        self.deadline_s = 0.0

    def store_ready(self, reader: CacheReader) -> None:
        """Tell of the streams too from now on."""
        self._reader = reader

    def soon(self) -> None:
        """Publish what has happened without waiting for the next regular report."""
        self.deadline_s = min(self.deadline_s, self._published_s + NEWS_S)

    def tick(self, now: Moment) -> None:
        """Publish the report that is due."""
        if self.deadline_s <= now.clock.boottime_s:
            self.newest = self.figures(now)
            self._publish(msgspec.json.encode(self.newest))
            self._published_s = now.clock.boottime_s
            self.deadline_s = self._published_s + self._every_s

    def figures(self, now: Moment) -> dict[str, Any]:
        """Return the health of this moment."""
        heads = {}
        if self._reader is not None:
            try:
                heads = self._reader.heads()
            except StoreError as error:
                self._vitals.store_error = error.message
        lanes = {
            lane.settings.name: (lane.kiosk.state.value, lane.signal.value, lane.guidance or "") for lane in self._lanes
        }
        return msgspec.to_builtins(health(self._kiosk, self._version, self._vitals, lanes, heads, now))
