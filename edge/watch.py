"""What happens to the kiosk itself: devices that come and go, its case, its doors, its power, its clock.

Owns what of it is told to whom: all of it to health and the log, and to the audit stream what the centre must be able
to prove later. It runs in the main loop alone. Always true: nothing here changes a lane; news is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.door import News
from edge.events import Moment
from edge.health import Survey, Vitals
from edge.log import Log, Priority
from edge.recorder import Recorder
from edge.supply import PowerWatch, RtcWatch
from edge.wiring import Lane
from hw.devices import (
    CaseClosed,
    CaseOpened,
    DeviceLost,
    DeviceReady,
    DoorClosed,
    DoorOpened,
    PowerBack,
    PowerLost,
)

Watched = DeviceReady | DeviceLost | CaseOpened | CaseClosed | DoorOpened | DoorClosed | PowerLost | PowerBack


class Watch:
    """Tells what happens to the kiosk; `tell_soon` has health published, `has_rtc` says that an RTC is fitted."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        vitals: Vitals,
        recorder: Recorder,
        log: Log,
        tell_soon: Callable[[], None],
        *,
        drops_key: bool,
        stop_after_s: float,
        has_rtc: bool,
    ) -> None:
        self._lane_of_panel = {lane.settings.panel.name: lane for lane in lanes}
        self._vitals, self._recorder, self._log, self._tell_soon = vitals, recorder, log, tell_soon
        self._drops_key = drops_key
        self._power = PowerWatch(stop_after_s)
        self._rtc, self._has_rtc = RtcWatch(), has_rtc

    def take(self, event: Watched, now: Moment) -> None:
        """Take note of an event of a device that no traveller and no officer has caused."""
        match event:
            case DeviceReady():
                self._vitals.device(event.device, "ready", now)
                self._log(Priority.NOTICE, "device ready", device=event.device)
                self._tell_soon()
            case DeviceLost():
                self._vitals.device(event.device, "lost", now, event.reason)
                self._log(Priority.WARNING, "device lost", device=event.device, reason=event.reason)
                self._tell_soon()
            case CaseOpened():
                self._vitals.case(event.device, is_open=True)
                self._case_opened(event.device)
            case CaseClosed():
                self._vitals.case(event.device, is_open=False)
                self._tell("case_closed", panel=event.device)
            case DoorOpened():
                lane = self._lane_of_panel[event.device]
                self._door_changed(lane, lane.door.opened(now))
            case DoorClosed():
                lane = self._lane_of_panel[event.device]
                self._door_changed(lane, lane.door.closed())
            case PowerLost():
                self._vitals.device(event.device, "lost", now, "the mains are gone")
                if self._power.lost(now):
                    self._tell("power_lost")
            case PowerBack():
                self._vitals.device(event.device, "ready", now)
                if self._power.back():
                    self._tell("power_back")

    @property
    def deadline_s(self) -> float | None:
        """Return when `check` is due, or None."""
        times = [self._power.deadline_s, *(lane.door.deadline_s for lane in self._lane_of_panel.values())]
        return min((time for time in times if time is not None), default=None)

    def check(self, now: Moment) -> bool:
        """Look at doors that stand open; return whether the kiosk must stop, since there is no power."""
        for lane in self._lane_of_panel.values():
            if (news := lane.door.check(now)) is not None:
                self._door_changed(lane, news)
        return self._power.must_stop(now)

    def look_at_clock(self, survey: Survey, now: Moment) -> None:
        """Say when the battery-backed clock that the settings name is missing or wrong."""
        if not self._has_rtc or not self._rtc.look(survey.rtc_time_s, now):
            return
        is_well = self._rtc.state in ("right", "unknown")
        self._vitals.device("rtc", "ready" if is_well else "lost", now, "" if is_well else f"it is {self._rtc.state}")
        self._tell(f"rtc_{self._rtc.state}")

    def look_at_voltage(self, survey: Survey) -> None:
        """Tell of a supply that is too weak, each time it becomes so: it spoils cards and loses readers."""
        before, found = ("under_voltage" in (one.machine.throttled or ()) for one in (self._vitals.survey, survey))
        if found and not before:
            self._tell("under_voltage")

    def _case_opened(self, panel: str) -> None:
        if not self._drops_key:
            self._tell("case_opened", panel=panel)
            return
        self._recorder.drop_key("case_opened", panel=panel)
        self._log(Priority.ERROR, "case opened, the signing key is dropped", panel=panel)
        self._tell_soon()

    def _door_changed(self, lane: Lane, news: News | None) -> None:
        """Tell what is wrong with a door to the centre, and by the buzzer to whoever stands by."""
        panel = lane.settings.panel.name
        self._vitals.door(panel, lane.door.state)
        if news is None:
            return
        if news != "door_closed" and lane.devices.panel is not None:
            lane.devices.panel.warn()
        self._tell(news, lane=lane.settings.name, panel=panel)

    def _tell(self, what: str, **detail: str) -> None:
        self._recorder.audit(what, **detail)
        self._log(Priority.WARNING, what.replace("_", " "), **detail)
        self._tell_soon()
