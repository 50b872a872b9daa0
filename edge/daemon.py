"""The kiosk daemon: starts the threads, runs the loop, stops in order.

Owns the main loop, and which part an event is for: what the parts are made of stands in `edge.wiring`, what a crossing
is in `edge.kiosk`, what is on disk in `edge.recorder`, what is on the wire in `edge.uplink`. Always true: all state of
the lanes changes in this one thread; it waits for one inbox and one next deadline; the watchdog hears from it alone,
and only while it makes progress.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import resource
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import uuid6

from edge.cache import CacheReader
from edge.carried_receipts import CarriedReceipts
from edge.commands.collecting import DiagnosticsCollected
from edge.commands.office import CommandOffice
from edge.commands.settings_desk import OverlaysKept
from edge.commands.start import InForce
from edge.control import ControlAsked
from edge.diagnose import diagnostics
from edge.documents.rehearsal import rehearse
from edge.errors import LandfallError
from edge.events import (
    Action,
    CommandArrived,
    CrossingDraft,
    DeadlinePassed,
    Draft,
    EpochEnded,
    Guide,
    KeyWasDropped,
    LaneEvent,
    Moment,
    OpenGate,
    ProbeStore,
    ReceiptAccepted,
    Record,
    Recorded,
    RecordFailed,
    RecordUnreadable,
    RenewalAnswered,
    ResendAsked,
    Room,
    RoomMeasured,
    SettingsDesired,
    Show,
    StateKept,
    StoreChanged,
    StoreClosed,
    StoreFailed,
    StoreReady,
    TakePhoto,
    UplinkChanged,
    UplinkTrouble,
)
from edge.health import Survey, Vitals
from edge.health_reports import HealthReports
from edge.key_drop import KeyDrop
from edge.kiosk import State
from edge.log import Log, Priority
from edge.machine import Machine
from edge.notify import Systemd
from edge.officers import Officers
from edge.open_groups import OpenGroups
from edge.practice import Practice
from edge.renewal import Renewal, wish
from edge.settings import digest, wanted
from edge.survey import Surveyor
from edge.threads import ThreadDied, Threads
from edge.watch import Watch
from edge.wiring import Lane, build
from hw.devices import (
    Button,
    ButtonPressed,
    CaseClosed,
    CaseOpened,
    DeviceLost,
    DeviceReady,
    DoorClosed,
    DoorOpened,
    PowerBack,
    PowerLost,
)

STOP_S = 4.0  # with what comes before and after, a stop takes less than five
GOODBYE_S = 2.0
FINISH_S = 0.9  # for a record that is on its way
EXIT_NO_POWER = 75  # EX_TEMPFAIL of sysexits.h: try again later
LOOP_S = 30.0  # the loop turns at least this often
SURVEY_S = 30.0
_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody wants the daemon to end (SIGTERM, SIGINT)."""


@dataclass(frozen=True, slots=True)
class _Ending:
    exit_status: int
    until_s: float


class Daemon:
    """One kiosk. `run` returns the exit status: 0 after `stop`, 1 when a restart is needed, 75 without power."""

    def __init__(self, in_force: InForce, log: Log, environment: dict[str, str]) -> None:
        settings, sha256 = in_force.settings, digest(in_force.settings)
        self._log = log
        self._systemd = Systemd(environment)
        self._version = version("landfall")
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        parts = build(settings, log, self._inbox.put, self._version)
        self._kiosk, self._path, self._clock = parts.kiosk, parts.store, parts.clock
        self._recorder, self._uplink, self._control = parts.recorder, parts.uplink, parts.control
        self._lanes = parts.lanes
        self._lane_of_device = {name: lane for lane in self._lanes for name in lane.devices.names()}
        self._lane_of_draft: dict[str, Lane] = {}
        self._power_line = parts.power
        self._ending: _Ending | None = None
        self._key_drop = KeyDrop(parts.signer, self._recorder, self._end_uplink, log)
        self._groups = OpenGroups(self._lanes, self._recorder, lambda: str(uuid6.uuid7()))
        self._officers = Officers(self._lanes, self._hand, self._groups)
        self._renewal = Renewal(parts.kiosk, parts.uplink.say)
        self._carried = CarriedReceipts(parts.kiosk, parts.centre, self._take)
        self._recent = parts.recent
        about = {"kiosk": parts.kiosk, "version": self._version, "settings_sha256": sha256}
        self._practice = Practice(self._lanes, parts.recent, self._recorder, parts.signer, log, about)
        self._vitals = Vitals.of_start(self._lane_of_device, sha256)
        self._health = HealthReports(
            parts.kiosk,
            self._version,
            self._vitals,
            self._lanes,
            self._publish_health,
            every_s=settings.uplink.health_s,
        )
        self._watch = Watch(
            self._lanes,
            self._vitals,
            self._recorder,
            log,
            self._health.soon,
            drops_key=settings.kiosk.tamper == "drop_key",
            stop_after_s=settings.power.stop_after_s,
            has_rtc=settings.clock.rtc,
        )
        self._surveyor = Surveyor(
            settings,
            Machine(),
            self._inbox.put,
            SURVEY_S,
            tell_fault=lambda fault: log(Priority.ERROR, "survey failed", error=fault),
            rtc_time_s=parts.rtc_time_s,
        )
        self._threads = Threads(self._inbox.put)
        self._office = CommandOffice(
            parts,
            in_force,
            self._version,
            log,
            put=self._inbox.put,
            start=self._threads.start,
            collect=lambda: diagnostics(in_force.settings, self._health.newest, log.tail),
            renew=lambda: wish(in_force.settings.resolve(in_force.settings.control.socket).parent),
        )
        self._reader: CacheReader | None = None
        self._exit_status: int | None = None

    def stop(self) -> None:
        """Ask the loop to end; safe in a signal handler."""
        self._inbox.put(StopAsked())

    def run(self) -> int:
        """Work until stopped; every part is stopped again whatever happens, the outputs first."""
        _keep_memory_private()
        try:
            self._control.start()
            self._threads.start("recorder", self._recorder.run)
            self._threads.start("survey", self._surveyor.run)
            for lane in self._lanes:
                lane.devices.start(self._inbox.put)
            if self._power_line is not None:
                self._power_line.start(self._inbox.put)
            self._log(Priority.NOTICE, "kiosk started", kiosk=self._kiosk, version=self._version)
            self._systemd.notify("READY=1")
            while self._exit_status is None:
                self._turn()
        finally:
            self._shut_down()
        return self._exit_status

    # --- the loop ----------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Take one event, or pass one deadline."""
        now = self._clock.now()
        timeout_s = max(0.0, min(self._next_deadline_s(), now.clock.boottime_s + LOOP_S) - now.clock.boottime_s)
        if self._systemd.watchdog_s is not None:
            timeout_s = min(timeout_s, self._systemd.watchdog_s / 3)
        with contextlib.suppress(queue.Empty):
            event = self._inbox.get(timeout=timeout_s)
            self._take(event, self._clock.now())
        now = self._clock.now()
        for lane in self._lanes:
            if lane.kiosk.deadline_s is not None and lane.kiosk.deadline_s <= now.clock.boottime_s:
                self._hand(lane, DeadlinePassed(), now)
        self._groups.close_idle(now)
        self._practice.tick(now)
        self._health.tick(now)
        if self._watch.check(now) and self._ending is None:
            self._log(Priority.WARNING, "stopping in order, there is no power")
            self._end(EXIT_NO_POWER, now)
        self._office.tick(now)
        if self._office.wants_restart(now) and self._ending is None:
            self._end(0, now)
        self._key_drop.check(now)
        if self._ending is not None:
            self._finish(self._ending, now)
        self._systemd.notify("WATCHDOG=1")

    def _next_deadline_s(self) -> float:
        ends_s = self._office.deadline_s if self._ending is None else self._ending.until_s
        times = [self._watch.deadline_s, self._groups.deadline_s, self._practice.deadline_s, ends_s]
        times += [self._key_drop.deadline_s, *(lane.kiosk.deadline_s for lane in self._lanes)]
        return min([self._health.deadline_s, *(time for time in times if time is not None)])

    def _take(self, event: Any, now: Moment) -> None:
        self._office.take(event, now)
        self._recent.take(event, now)
        match event:
            case StoreReady():
                self._store_ready(now)
            case Recorded() | RecordFailed():
                self._recorded(event, now)
            case DeviceReady() | DeviceLost() | CaseOpened() | CaseClosed() | DoorOpened() | DoorClosed():
                self._watch.take(event, now)
            case PowerLost() | PowerBack():
                self._watch.take(event, now)
            case RoomMeasured():
                self._room_measured(event, now)
            case StoreChanged():
                self._uplink.store_changed(event.rewound)
                if event.commit_s is not None:
                    self._vitals.commits_s.append(event.commit_s)
            case Survey():
                self._watch.look_at_voltage(event)
                self._watch.look_at_clock(event, now)
                self._vitals.survey = event
            case CommandArrived() | SettingsDesired() | StateKept() | OverlaysKept() | DiagnosticsCollected():
                pass  # the office's alone
            case RenewalAnswered():
                self._renewal.take(event)
            case ReceiptAccepted() | ResendAsked() | RecordUnreadable() | EpochEnded():
                self._follow(event, now)
            case UplinkChanged():
                if self._vitals.uplink(event.is_connected, event.reason, now):
                    state = "connected" if event.is_connected else "disconnected"
                    self._log(Priority.NOTICE, f"uplink {state}", reason=event.reason)
                    self._health.soon()
            case UplinkTrouble():
                self._vitals.troubles[event.what] += event.count
                self._log(Priority.WARNING, "uplink trouble", stream=event.stream, what=event.what, count=event.count)
            case KeyWasDropped():
                self._key_was_dropped(event, now)
            case ButtonPressed(button=Button.GROUP):
                self._groups.press(self._lane_of_device[event.device], now)
            case ControlAsked():
                event.reply(self._answer(event, now))
            case StoreFailed():
                self._log(Priority.ERROR, "store failed, restart salvages it", reason=event.reason)
                self._exit_status = 1
            case ThreadDied():
                self._log(Priority.ERROR, "thread died, restart needed", thread=event.thread, error=event.error)
                self._exit_status = 1
            case StopAsked():
                self._end(0, now)
            case _:
                self._hand(self._lane_of_device[event.device], event, now)

    def _hand(self, lane: Lane, event: LaneEvent, now: Moment) -> list[Draft]:
        """Give an event to a lane and do what it asks for, in that order; return what it wants recorded."""
        actions = lane.kiosk.handle(event, now)
        for action in actions:
            self._perform(lane, action)
        return [action.draft for action in actions if isinstance(action, Record)]

    def _perform(self, lane: Lane, action: Action) -> None:
        devices = lane.devices
        match action:
            case Show():
                lane.signal = action.signal
                self._recent.shown(lane.settings.name, action.signal, self._clock.now())
                if devices.panel is not None:
                    devices.panel.show(action.signal)
            case OpenGate():
                if devices.panel is not None:
                    lane.door.let_pass(self._clock.now())
                    devices.panel.open_gate()
            case TakePhoto():
                if devices.camera is not None:
                    devices.camera.take_photo(action.request)
            case Guide():
                lane.guidance = action.guidance
            case Record():
                self._lane_of_draft[action.draft.id] = lane
                self._officers.drafted(action.draft)
                if isinstance(action.draft, CrossingDraft):
                    self._recent.decided(lane.settings.name, action.draft, self._clock.now())
                self._recorder.record(action.draft)
            case ProbeStore():
                self._recorder.probe()

    def _store_ready(self, now: Moment) -> None:
        if self._reader is None:
            self._reader = CacheReader.open(self._path)
            self._threads.start("uplink", self._uplink.run)
            classes = wanted(lane.settings for lane in self._lanes)
            self._threads.start("rehearsal", lambda: rehearse(classes))  # beside open lanes: a traveller may come
            self._groups.restore(self._reader, now)
            self._recorder.audit("kiosk_started", version=self._version)
            self._health.store_ready(self._reader)
            self._office.store_ready(self._reader, now)
            self._key_drop.store_ready(self._reader)
            self._log(Priority.NOTICE, "store ready", heads=len(self._reader.heads()))
        self._vitals.store()
        for lane in self._lanes:
            self._hand(lane, StoreReady(), now)
            if self._vitals.room is Room.NONE:
                self._hand(lane, StoreClosed(), now)  # it is open, and has room for nobody: ask again

    def _recorded(self, event: Recorded | RecordFailed, now: Moment) -> None:
        # An amendment or a form may fail while a lane goes on: the next record then says that the store works.
        error = event.reason if isinstance(event, RecordFailed) else ""
        if error:
            self._log(Priority.ERROR, "record failed", reason=error)
        if self._vitals.store(error):
            self._health.soon()
        self._officers.recorded(event)
        lane = self._lane_of_draft.pop(event.id, None)
        if lane is not None:
            self._hand(lane, event, now)

    def _room_measured(self, event: RoomMeasured, now: Moment) -> None:
        if event.room is not self._vitals.room:
            priority = Priority.NOTICE if event.room is Room.PLENTY else Priority.ERROR
            self._log(priority, "disk room changed", room=event.room.value, free_bytes=event.free_bytes)
            self._health.soon()
        self._vitals.room, self._vitals.free_bytes = event.room, event.free_bytes
        if event.room is Room.NONE:
            for lane in self._lanes:
                self._hand(lane, StoreClosed(), now)

    def _follow(self, event: ReceiptAccepted | ResendAsked | RecordUnreadable | EpochEnded, now: Moment) -> None:
        self._recorder.follow(event)
        match event:
            case ReceiptAccepted():
                self._vitals.last_receipt_at = now.text
            case ResendAsked():
                self._log(Priority.WARNING, "centre asks to send again", stream=event.stream, after=event.after)
            case RecordUnreadable():
                self._vitals.tombstones += 1
                self._log(Priority.ERROR, "record set aside", stream=event.stream, sequence=event.sequence)
            case EpochEnded():
                self._log(Priority.ERROR, "epoch ended", stream=event.stream, reason=event.reason)

    # --- what it says of itself --------------------------------------------------------------------------------------

    def _publish_health(self, figures: bytes) -> None:
        if self._key_drop.has_key:
            self._uplink.publish_health(figures)

    def _answer(self, asked: ControlAsked, now: Moment) -> dict[str, Any]:
        match asked.verb:
            case "status":
                spoken = {"groups": self._groups.all_shown(), "crossings": self._officers.crossings(now)}
                return {**self._health.figures(now), **spoken, **self._practice.status(now)}
            case "rearm":
                return self._rearm(asked, now)
            case "receipts":
                return self._carried.answer(asked.arguments.get("receipts"), self._reader, now)
            case "renew":
                return self._renewal.answer(asked.arguments, is_connected=self._vitals.is_connected)
        answer = self._officers.answer(asked.verb, asked.arguments, now)
        if answer is None:
            answer = self._practice.answer(asked.verb, asked.arguments, now)
        return {"error": f"unknown verb {asked.verb!r}"} if answer is None else answer

    def _key_was_dropped(self, event: KeyWasDropped, now: Moment) -> None:
        self._key_drop.dropped(event, self._vitals, now)
        for lane in self._lanes:
            self._hand(lane, StoreClosed(), now)
        self._health.soon()

    def _rearm(self, asked: ControlAsked, now: Moment) -> dict[str, Any]:
        answer = self._key_drop.rearm(asked, self._vitals.devices.values(), now)
        if "error" not in answer:
            self._end(1, now)
        return answer

    # --- the end -----------------------------------------------------------------------------------------------------

    def _end(self, exit_status: int, now: Moment) -> None:
        """Begin to end: no lane takes anybody any more, and a record that is on its way gets its lamp."""
        if self._ending is None:
            self._ending = _Ending(exit_status, now.clock.boottime_s + FINISH_S)

    def _finish(self, ending: _Ending, now: Moment) -> None:
        for lane in self._lanes:
            self._hand(lane, StoreClosed(), now)
        is_recording = any(lane.kiosk.state is State.RECORDING for lane in self._lanes)
        if self._exit_status is None and (not is_recording or now.clock.boottime_s >= ending.until_s):
            self._exit_status = ending.exit_status

    def _shut_down(self) -> None:
        self._systemd.notify("STOPPING=1")
        with contextlib.ExitStack() as last:  # what comes last stands first; a part that fails keeps none from its end
            last.callback(self._log, Priority.NOTICE, "kiosk stopped", kiosk=self._kiosk)
            if self._reader is not None:
                last.callback(self._reader.close)
            last.callback(self._threads.join, STOP_S)
            last.callback(self._control.stop)
            for lane in reversed(self._lanes):
                last.callback(lane.devices.stop)
            if self._power_line is not None:
                last.callback(self._power_line.stop)
            self._surveyor.stop()
            self._uplink.stop()
            self._recorder.stop()

    def _end_uplink(self) -> None:
        self._uplink.stop()
        self._threads.join(GOODBYE_S, "uplink")


def _keep_memory_private() -> None:
    """Leave no core dump and no other process a way into this one's memory, which holds the record-signing key."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise LandfallError(f"prctl(PR_SET_DUMPABLE): {os.strerror(ctypes.get_errno())}")
