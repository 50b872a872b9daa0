"""The thread that looks now and then at what takes time to find out: machine, card, keys, pace of the store.

Owns that thread and its own reading connection. Always true: it changes nothing; a disk that hangs holds up this thread
alone, and the figures of its last look stay.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from edge import boots
from edge.cache import CacheReader
from edge.config import Settings
from edge.credentials import keys_health
from edge.disk import MB, free_bytes
from edge.errors import StoreError
from edge.health import Survey
from edge.machine import Machine
from edge.queue.figures import oldest_times, room
from edge.recorder import BOOTS
from edge.wire.health import MachineHealth


class Surveyor:
    """Runs in a thread of its own through `run`, and tells what it saw as a `Survey`."""

    def __init__(self, settings: Settings, machine: Machine, tell: Callable[[Survey], None], every_s: float) -> None:
        self._settings = settings
        self._store = settings.resolve(settings.store.path)
        self._machine, self._tell, self._every_s = machine, tell, every_s
        self._is_stopping = threading.Event()

    def run(self) -> None:
        """Look, tell, wait, until `stop`."""
        while True:
            self._tell(self.look())
            if self._is_stopping.wait(self._every_s):
                return

    def stop(self) -> None:
        """End the thread; may be called from any other."""
        self._is_stopping.set()

    def look(self) -> Survey:
        """Return what is known now."""
        machine = self._machine.health(self._store.parent)
        keys = keys_health(self._settings)
        damaged = len(list(self._store.parent.glob(f"{self._store.name}.damaged-[0-9]*")))
        try:
            with CacheReader.open(self._store) as reader:
                return Survey(
                    machine=_with_boots(machine, boots.decode(reader.state(BOOTS)), self._machine),
                    keys=keys,
                    damaged_files=damaged,
                    hours_left=self._hours_left(reader),
                    oldest_at=oldest_times(reader),
                )
        except StoreError:
            return Survey(machine, keys, damaged)

    def _hours_left(self, reader: CacheReader) -> float | None:
        reserve = self._settings.store.reserve_mb * MB
        return room(reader, max(0, free_bytes(self._store.parent) - reserve))["hours"]


def _with_boots(health: MachineHealth, kept: boots.Kept | None, machine: Machine) -> MachineHealth:
    if kept is None:
        return health
    health = msgspec.structs.replace(health, boots=kept.boots)
    if machine.was_reset_by_watchdog():
        return msgspec.structs.replace(health, last_end="watchdog")
    return msgspec.structs.replace(health, last_end=kept.last_end) if kept.last_end else health
