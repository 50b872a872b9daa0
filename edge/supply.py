"""Whether the mains are there, and whether the battery-backed clock is right. PURE.

Owns when a kiosk that lost its power has to stop, and what is news of its clock. Always true: power that comes back in
time changes nothing; a clock is called wrong only by a synchronised one; news is told once.
"""

from __future__ import annotations

from typing import Literal

from edge.events import Moment

RTC_MAY_BE_OFF_S = 60.0

RtcState = Literal["unknown", "right", "wrong", "missing"]


class PowerWatch:
    """The supply. `stop_after_s` is how long the kiosk works on without the mains; 0 is until it is dark."""

    def __init__(self, stop_after_s: float) -> None:
        self._stop_after_s = stop_after_s
        self.is_lost = False
        self.deadline_s: float | None = None

    def lost(self, now: Moment) -> bool:
        """Take note that the mains are gone; return whether that is news."""
        was_lost, self.is_lost = self.is_lost, True
        if not was_lost and self._stop_after_s:
            self.deadline_s = now.clock.boottime_s + self._stop_after_s
        return not was_lost

    def back(self) -> bool:
        """Take note that the mains are there; return whether that is news."""
        was_lost, self.is_lost, self.deadline_s = self.is_lost, False, None
        return was_lost

    def must_stop(self, now: Moment) -> bool:
        """Tell whether it is time to stop in order, while there still is power for it."""
        return self.deadline_s is not None and now.clock.boottime_s >= self.deadline_s


class RtcWatch:
    """The battery-backed clock that the settings say is fitted."""

    def __init__(self) -> None:
        self.state: RtcState = "unknown"

    def look(self, rtc_s: float | None, now: Moment) -> bool:
        """Compare the clock with this moment; return whether its state has changed, which `unknown` to right is not."""
        before, self.state = self.state, self._judged(rtc_s, now)
        return self.state != before and (before, self.state) != ("unknown", "right")

    def _judged(self, rtc_s: float | None, now: Moment) -> RtcState:
        if rtc_s is None:
            return "missing"
        if now.clock.state != "synchronised":
            return "unknown" if self.state == "missing" else self.state
        return "right" if abs(rtc_s - now.at.timestamp()) <= RTC_MAY_BE_OFF_S else "wrong"
