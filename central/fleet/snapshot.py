"""The fleet as it was at most a moment ago, read once for all who look.

Owns how old a picture may be before the database is asked again. Always true: however many pages and streams are open,
one at a time reads the fleet; who comes meanwhile waits for that reading instead of starting another.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from central.fleet.view import FleetView, KioskView

# Well below the time between two looks of a live page, or every other look would see what the one before saw.
FRESH = timedelta(seconds=0.25)


class Snapshot:
    """`read` asks the database for the fleet at a moment."""

    def __init__(self, read: Callable[[datetime], FleetView]) -> None:
        self._read = read
        self._lock = Lock()
        self._seen: FleetView | None = None
        self._by_name: dict[str, KioskView] = {}

    def fleet(self, now: datetime) -> FleetView:
        """Return the fleet as of now, or of up to a quarter of a second before."""
        return self._fresh(now)[0]

    def kiosk(self, name: str, now: datetime) -> KioskView | None:
        """Return one kiosk; None when nobody registered it."""
        return self._fresh(now)[1].get(name)

    def _fresh(self, now: datetime) -> tuple[FleetView, dict[str, KioskView]]:
        with self._lock:
            if self._seen is None or not timedelta(0) <= now - self._seen.at < FRESH:
                self._seen = self._read(now)
                self._by_name = {one.kiosk: one for one in self._seen.kiosks}
            return self._seen, self._by_name
