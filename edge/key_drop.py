"""The signing key, dropped because the case was opened, and what brings it back.

Owns when this process lets go of the key, and who may have it loaded again. It runs in the main loop alone. Always
true: the alarm is signed before, and has a moment to go out; after that this process signs nothing; a restart alone
brings nothing back, since the store remembers (`edge.recorder`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from edge.cache import CacheReader
from edge.control import ControlAsked
from edge.errors import KeyDropped
from edge.events import KeyWasDropped, Moment
from edge.health import DeviceState, Vitals
from edge.log import Log, Priority
from edge.recorder import KEY_DROPPED, REARMED, Recorder
from edge.seal import Signer

LAST_WORDS_S = 3.0  # for the alarm to reach a broker that is there


class KeyDrop:
    """What became of the key. `end_uplink` says goodbye to the broker and waits for that, for a bounded time."""

    def __init__(self, signer: Signer, recorder: Recorder, end_uplink: Callable[[], None], log: Log) -> None:
        self._signer, self._recorder, self._end_uplink, self._log = signer, recorder, end_uplink, log
        self._is_dropped = False
        self.has_key = True
        self.deadline_s: float | None = None

    def dropped(self, event: KeyWasDropped, vitals: Vitals, now: Moment) -> None:
        """Take note that nothing is signed for the store any more; the caller closes the lanes."""
        self._is_dropped = True
        vitals.is_store_ready, vitals.store_error = False, KeyDropped().message
        self.deadline_s = now.clock.boottime_s + (LAST_WORDS_S if event.is_new else 0.0)
        self._log(Priority.ERROR, "lanes are closed, no key to sign with", remedy="landfall rearm")

    def check(self, now: Moment) -> None:
        """Let go of the key when its last words have had their time."""
        if self.deadline_s is not None and now.clock.boottime_s >= self.deadline_s:
            self.deadline_s, self.has_key = None, False
            self._end_uplink()
            self._signer.forget()

    def rearm(self, asked: ControlAsked, devices: Iterable[DeviceState], now: Moment) -> dict[str, Any]:
        """Have the key loaded again at the next start, which the caller brings about; answer why not otherwise."""
        if not asked.is_root:
            return {"error": "only root may rearm a kiosk"}
        if not self._is_dropped:
            return {"error": "the key was not dropped"}
        if any(device.is_open for device in devices):
            return {"error": "close the case first"}
        self._recorder.keep(REARMED, now.text)
        self._recorder.keep(KEY_DROPPED, "")
        self._log(Priority.NOTICE, "rearmed, starting anew")
        return {"rearmed": True}

    def store_ready(self, reader: CacheReader) -> None:
        """Tell the centre of a kiosk that was rearmed before this start."""
        if reader.state(REARMED):
            self._recorder.audit("kiosk_rearmed")
            self._recorder.keep(REARMED, "")
