"""The thread that looks now and then at what takes time to find out: machine, card, keys, pace of the store, RTC.

Owns that thread and its own reading connection. Always true: it changes nothing; a disk or a bus that hangs holds up
this thread alone, and the figures of its last look stay; a look that fails is told, and closes no lane.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import msgspec

from edge import boots
from edge.cache import CacheReader
from edge.credentials import keys_health
from edge.disk import MB, free_bytes
from edge.errors import StoreError
from edge.health import Survey
from edge.machine import Machine
from edge.queue.figures import oldest_times, room
from edge.recorder import BOOTS
from edge.settings import Settings
from edge.wire.health import MachineHealth


class Surveyor:
    """Runs in a thread of its own through `run`, and tells what it saw as a `Survey`, or which fault kept it from that.

    `rtc_time_s` reads the battery-backed clock, None where none is fitted.
    """

    def __init__(
        self,
        settings: Settings,
        machine: Machine,
        tell: Callable[[Survey], None],
        every_s: float,
        *,
        tell_fault: Callable[[str], None],
        rtc_time_s: Callable[[], float | None] | None = None,
    ) -> None:
        self._settings = settings
        self._store = settings.resolve(settings.store.path)
        self._machine, self._tell, self._every_s = machine, tell, every_s
        self._tell_fault, self._rtc_time_s = tell_fault, rtc_time_s
        self._is_stopping = threading.Event()

    def run(self) -> None:
        """Look, tell, wait, until `stop`."""
        while True:
            try:
                self._tell(self.look())
            except Exception as error:  # a figure that cannot be had is no reason to end the daemon, again and again
                self._tell_fault(type(error).__name__)
            if self._is_stopping.wait(self._every_s):
                return

    def stop(self) -> None:
        """End the thread; may be called from any other."""
        self._is_stopping.set()

    def look(self) -> Survey:
        """Return what is known now."""
        found = self._look()
        if self._rtc_time_s is None:
            return found
        return replace(found, rtc_time_s=self._rtc_time_s())  # last, since it is compared with the time of telling

    def _look(self) -> Survey:
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
