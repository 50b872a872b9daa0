"""What time it is, and how far that can be believed.

Owns the reading of the clocks: the wall clock, CLOCK_BOOTTIME, the kernel's own word on synchronisation (adjtimex(2)),
and the boot id. Always true: a clock that nobody vouches for is `unset`, and says so in every record.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path

from edge.events import Moment
from edge.wire.crossing import Clock, ClockState

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_DRIFT = 50e-6  # a Pi's crystal, or a battery-backed clock in the heat
_SERVER_ERROR_S = 1.0  # what a server may be off, and the way to it
_SYNCHRONISED_FOR_S = 86_400.0  # timesyncd asks every 34 minutes at the latest
_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SERIAL = Path("/proc/device-tree/serial-number")


class _Timex(ctypes.Structure):
    """The first fields of struct timex; the kernel writes more behind them."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


def error_bound_s() -> float | None:
    """Return a bound on the clock's error in seconds, or None when nobody synchronises it.

    The kernel knows best (adjtimex(2)). Under its unit the daemon may not ask it, since the same call sets the clock;
    it then goes by the file that systemd-timesyncd touches whenever it has heard from a server.
    """
    timex = _Timex()
    state = _libc().adjtimex(ctypes.byref(timex))
    if state < 0:
        return timesyncd_error_bound_s(_SYNCHRONISED, time.time())
    if state == _TIME_ERROR or timex.status & _STA_UNSYNC:
        return None
    return timex.maxerror / 1e6


@cache
def _libc() -> ctypes.CDLL:
    """Return the C library; opening it takes longer than asking it, and the clock is read at every event."""
    return ctypes.CDLL(None, use_errno=True)


def timesyncd_error_bound_s(touched: Path, now_s: float) -> float | None:
    """Return a bound from the age of the file that systemd-timesyncd touches, or None without it or after a day."""
    try:
        age_s = abs(now_s - touched.stat().st_mtime)
    except OSError:
        return None
    return _SERVER_ERROR_S + age_s * _DRIFT if age_s < _SYNCHRONISED_FOR_S else None


def boot_id() -> str:
    """Return the kernel's random id of this boot."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


def hardware_id() -> str:
    """Return the board's serial number, or nothing; a card moved to another board is noticed by it."""
    try:
        return _SERIAL.read_text(encoding="ascii").strip("\0\n ")
    except (OSError, UnicodeDecodeError):
        return ""


def installed_s() -> float:
    """Return when this Landfall was built or installed, as Unix time: a time that was past by the clock of that day."""
    return Path(__file__).stat().st_mtime


class SystemClock:
    """Reads the machine's clocks.

    `floor` is a time that is certainly past: before it nobody is believed. `last_known` is one that was known once:
    before it only a synchronised clock is believed, since what was known may have been wrong. `has_rtc` says that a
    battery-backed clock is fitted, which is believed after a power cut as long as it is not below either. `zone` is the
    one whose date counts at the post.
    """

    def __init__(
        self,
        *,
        floor: datetime,
        last_known: datetime | None = None,
        has_rtc: bool,
        error_bound_s: Callable[[], float | None] = error_bound_s,
        zone: tzinfo = UTC,
    ) -> None:
        self._floor = floor
        self._last_known = max(floor, last_known or floor)
        self._has_rtc = has_rtc
        self._error_bound_s = error_bound_s
        self._zone = zone
        self._boot_id = boot_id()
        self._synchronised: tuple[datetime, float] | None = None  # the last time that was, on both clocks

    def now(self) -> Moment:
        """Return the time, its state and its error bound."""
        boottime_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        at = datetime.now(UTC)
        state, bound_s = self._judged(at, boottime_s)
        return Moment(at, Clock(state, bound_s, self._boot_id, boottime_s), self._zone)

    def _judged(self, at: datetime, boottime_s: float) -> tuple[ClockState, float | None]:
        """Return what a time is worth and its error bound in seconds, if there is one; keep the last that was sure."""
        bound_s = self._error_bound_s()
        if bound_s is not None and at >= self._floor:
            self._synchronised = at, boottime_s
            return "synchronised", bound_s
        if at < self._last_known:
            return "unset", None
        if self._synchronised is not None:
            since_s = boottime_s - self._synchronised[1]
            drift_s = 1.0 + since_s * _DRIFT
            is_set_since = abs((at - self._synchronised[0]).total_seconds() - since_s) > drift_s
            return ("unset", None) if is_set_since else ("holdover", drift_s)
        return ("holdover" if self._has_rtc else "unset"), None
