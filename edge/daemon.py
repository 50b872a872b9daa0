"""The kiosk daemon: builds the parts, starts the threads, runs the loop, stops in order.

Owns the main loop and nothing else: what a crossing is stands in `edge.kiosk`, what is on disk in `edge.recorder`, what
is on the wire in `edge.uplink`. Always true: all state of the lanes changes in this one thread; it waits for one inbox
and one next deadline; the watchdog hears from it alone, and only while it makes progress.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import random
import resource
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import uuid6

from edge import boots
from edge.cache import CacheReader
from edge.clock import SystemClock, boot_id, hardware_id, installed_s
from edge.config import LaneSettings, Settings
from edge.control import ControlAsked, ControlServer
from edge.disk import MB, DiskBudget, free_bytes
from edge.documents.read import read
from edge.documents.standing import age_of
from edge.documents.verdict import Result
from edge.errors import LandfallError, StoreError
from edge.events import (
    Action,
    DeadlinePassed,
    EpochEnded,
    LaneEvent,
    Moment,
    OpenGate,
    ProbeStore,
    ReceiptAccepted,
    Record,
    Recorded,
    RecordFailed,
    RecordUnreadable,
    ResendAsked,
    Room,
    RoomMeasured,
    RoomRanOut,
    Show,
    StoreChanged,
    StoreFailed,
    StoreReady,
    TakePhoto,
    UplinkChanged,
    UplinkTrouble,
)
from edge.health import Vitals, health
from edge.kiosk import Kiosk, Reads
from edge.log import Log, Priority
from edge.notify import Systemd
from edge.recorder import BOOTS, Recorder
from edge.seal import Sealer, Signer, Verifier, load_private_key, load_public_key
from edge.trust_file import load as load_trust_list
from edge.uplink.link import Endpoint
from edge.uplink.receipts import weigh_carried
from edge.uplink.uplink import Identity, Pace, Uplink
from edge.wire.topics import kiosk_id
from hw.choose import Devices, open_devices
from hw.devices import CaseClosed, CaseOpened, DeviceLost, DeviceReady, Signal
from hw.settings import DeviceSettings

STOP_S = 4.0  # with what comes before and after, a stop takes less than five
LOOP_S = 30.0  # the loop turns at least this often
_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody wants the daemon to end (SIGTERM, SIGINT)."""


@dataclass(frozen=True, slots=True)
class ThreadDied:
    """A thread of the daemon ended with an error that nobody expected."""

    thread: str
    error: str


@dataclass(slots=True)
class _Lane:
    settings: LaneSettings
    kiosk: Kiosk
    devices: Devices
    signal: Signal = Signal.CLOSED


class Daemon:
    """One kiosk. `run` returns the exit status: 0 after `stop`, 1 when a restart is needed."""

    def __init__(self, settings: Settings, log: Log, environment: dict[str, str]) -> None:
        self._settings = settings
        self._log = log
        self._systemd = Systemd(environment)
        self._version = version("landfall")
        self._kiosk = kiosk_id(settings.kiosk.site, settings.kiosk.name)
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        floor = datetime.fromisoformat(settings.clock.not_before).replace(tzinfo=UTC)
        self._path = settings.resolve(settings.store.path)
        last_known = max(floor, _last_known(self._path))
        self._clock = SystemClock(floor=floor, last_known=last_known, has_rtc=settings.clock.rtc)
        signer = Signer(load_private_key(settings.resolve(settings.keys.record)))
        self._recorder = Recorder(
            self._kiosk,
            self._path,
            sealer=Sealer(load_public_key(settings.resolve(settings.keys.opening))),
            signer=signer,
            put=self._inbox.put,
            now=self._clock.now,
            hardware=hardware_id(),
            keep_receipted_s=settings.store.keep_receipted_h * 3600,
            budget=DiskBudget(settings.store.photos_stop_below_mb * MB, settings.store.reserve_mb * MB),
            free_bytes=free_bytes,
            floor_s=last_known.timestamp(),
        )
        self._centre = Verifier([load_public_key(settings.resolve(path)) for path in settings.keys.receipt])
        self._uplink = self._make_uplink(signer)
        self._control = ControlServer(settings.resolve(settings.control.socket), self._inbox.put)
        self._read = self._make_read()
        self._lanes = [self._make_lane(lane) for lane in settings.lanes]
        self._lane_of_device = {name: lane for lane in self._lanes for name in lane.devices.names()}
        self._lane_of_draft: dict[str, _Lane] = {}
        self._vitals = Vitals()
        self._threads: list[threading.Thread] = []
        self._reader: CacheReader | None = None
        self._health_at_s = 0.0
        self._exit_status: int | None = None

    def stop(self) -> None:
        """Ask the loop to end; safe in a signal handler."""
        self._inbox.put(StopAsked())

    def run(self) -> int:
        """Work until stopped; every part is stopped again whatever happens, the outputs first."""
        _keep_memory_private()
        try:
            self._control.start()
            self._start("recorder", self._recorder.run)
            for lane in self._lanes:
                lane.devices.start(self._inbox.put)
            self._log(Priority.NOTICE, "kiosk started", kiosk=self._kiosk, version=self._version)
            self._systemd.notify("READY=1")
            while self._exit_status is None:
                self._turn()
        finally:
            self._shut_down()
        return self._exit_status

    # --- parts -------------------------------------------------------------------------------------------------------

    def _make_read(self) -> Reads:
        """Return the reading of documents with the post's trust list and switches put in, and say how old the list is.

        Raises SettingError for a list that cannot be read.
        """
        settings = self._settings.documents
        if not settings.trust_list:
            return partial(read, health=settings.health)
        trust = load_trust_list(self._settings.resolve(settings.trust_list))
        age = age_of(trust, self._clock.now().today)
        self._log(
            Priority.WARNING if age.result is Result.DOUBTFUL or trust.unreadable else Priority.NOTICE,
            "trust list loaded",
            issued_at=trust.issued_at.isoformat(),
            fresh_until=trust.fresh_until.isoformat(),
            age=age.detail or "fresh",
            signers=trust.signer_count,
            unreadable=len(trust.unreadable),
        )
        return partial(read, trust=trust, health=settings.health)

    def _make_lane(self, lane: LaneSettings) -> _Lane:
        kiosk = Kiosk(lane, new_id=lambda: str(uuid6.uuid7()), read=self._read, memory_key=secrets.token_bytes(32))
        folder = self._settings.resolve("")
        scenario = str(folder / lane.scenario) if lane.scenario and (folder / lane.scenario).exists() else lane.scenario
        devices = open_devices(
            DeviceSettings(
                readers=lane.readers,
                camera=lane.camera,
                panel=lane.panel,
                scenario=scenario,
                state_folder=str(self._path.parent),
            )
        )
        return _Lane(lane, kiosk, devices)

    def _make_uplink(self, signer: Signer) -> Uplink:
        settings, uplink = self._settings, self._settings.uplink
        endpoint = Endpoint(
            host=uplink.host,
            port=uplink.port,
            ca=settings.resolve(uplink.ca),
            certificate=settings.resolve(uplink.certificate),
            key=settings.resolve(uplink.key),
            client_id=self._kiosk,
            keepalive_s=uplink.keepalive_s,
            connect_timeout_s=uplink.connect_timeout_s,
        )
        return Uplink(
            Identity(self._kiosk, self._version, boot_id()),
            endpoint,
            open_reader=lambda: CacheReader.open(self._path),
            signer=signer,
            centre=self._centre,
            put=self._inbox.put,
            now=self._clock.now,
            pace=Pace(uplink.retry_least_s, uplink.retry_most_s, uplink.receipt_timeout_s),
            jitter=random.Random(secrets.randbits(64)),
        )

    def _start(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` in a thread; its death is an event like any other."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:  # the thread wrapper: its text may quote data, so only its kind is told
                self._inbox.put(ThreadDied(name, type(error).__name__))

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

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
        if self._health_at_s <= now.clock.boottime_s:
            self._publish_health(now)
        self._systemd.notify("WATCHDOG=1")

    def _next_deadline_s(self) -> float:
        deadlines = [lane.kiosk.deadline_s for lane in self._lanes if lane.kiosk.deadline_s is not None]
        return min([self._health_at_s, *deadlines])

    def _take(self, event: Any, now: Moment) -> None:
        match event:
            case StoreReady():
                self._store_ready(now)
            case Recorded() | RecordFailed():
                self._recorded(event, now)
            case DeviceReady() | DeviceLost() | CaseOpened() | CaseClosed():
                self._device_changed(event, now)
            case RoomMeasured():
                self._room_measured(event, now)
            case StoreChanged():
                self._uplink.store_changed(event.rewound)
            case ReceiptAccepted() | ResendAsked() | RecordUnreadable() | EpochEnded():
                self._follow(event, now)
            case UplinkChanged():
                if self._vitals.uplink(event.is_connected, event.reason, now):
                    state = "connected" if event.is_connected else "disconnected"
                    self._log(Priority.NOTICE, f"uplink {state}", reason=event.reason)
            case UplinkTrouble():
                self._vitals.troubles[event.what] += event.count
                self._log(Priority.WARNING, "uplink trouble", stream=event.stream, what=event.what, count=event.count)
            case ControlAsked():
                event.reply(self._answer(event, now))
            case StoreFailed():
                self._log(Priority.ERROR, "store failed, restart salvages it", reason=event.reason)
                self._exit_status = 1
            case ThreadDied():
                self._log(Priority.ERROR, "thread died, restart needed", thread=event.thread, error=event.error)
                self._exit_status = 1
            case StopAsked():
                self._exit_status = 0
            case _:
                self._hand(self._lane_of_device[event.device], event, now)

    def _hand(self, lane: _Lane, event: LaneEvent, now: Moment) -> None:
        """Give an event to a lane and do what it asks for, in that order."""
        for action in lane.kiosk.handle(event, now):
            self._perform(lane, action)

    def _perform(self, lane: _Lane, action: Action) -> None:
        devices = lane.devices
        match action:
            case Show():
                lane.signal = action.signal
                if devices.panel is not None:
                    devices.panel.show(action.signal)
            case OpenGate():
                if devices.panel is not None:
                    devices.panel.open_gate()
            case TakePhoto():
                if devices.camera is not None:
                    devices.camera.take_photo(action.request)
            case Record():
                self._lane_of_draft[action.draft.id] = lane
                self._recorder.record(action.draft)
            case ProbeStore():
                self._recorder.probe()

    def _store_ready(self, now: Moment) -> None:
        if self._reader is None:
            self._reader = CacheReader.open(self._path)
            self._start("uplink", self._uplink.run)
            self._recorder.audit("kiosk_started", version=self._version)
            self._log(Priority.NOTICE, "store ready", heads=len(self._reader.heads()))
        self._vitals.is_store_ready, self._vitals.store_error = True, ""
        for lane in self._lanes:
            self._hand(lane, StoreReady(), now)

    def _recorded(self, event: Recorded | RecordFailed, now: Moment) -> None:
        if isinstance(event, RecordFailed):
            self._vitals.is_store_ready, self._vitals.store_error = False, event.reason
            self._log(Priority.ERROR, "record failed, lane closed", reason=event.reason)
        lane = self._lane_of_draft.pop(event.id, None)
        if lane is not None:
            self._hand(lane, event, now)

    def _room_measured(self, event: RoomMeasured, now: Moment) -> None:
        if event.room is not self._vitals.room:
            priority = Priority.NOTICE if event.room is Room.PLENTY else Priority.ERROR
            self._log(priority, "disk room changed", room=event.room.value, free_bytes=event.free_bytes)
            self._health_at_s = now.clock.boottime_s
        self._vitals.room, self._vitals.free_bytes = event.room, event.free_bytes
        if event.room is Room.NONE:
            for lane in self._lanes:
                self._hand(lane, RoomRanOut(), now)

    def _device_changed(self, event: DeviceReady | DeviceLost | CaseOpened | CaseClosed, now: Moment) -> None:
        match event:
            case DeviceReady():
                self._vitals.device(event.device, "ready", now)
                self._log(Priority.NOTICE, "device ready", device=event.device)
            case DeviceLost():
                self._vitals.device(event.device, "lost", now, event.reason)
                self._log(Priority.WARNING, "device lost", device=event.device, reason=event.reason)
            case CaseOpened() | CaseClosed():
                what = "case_opened" if isinstance(event, CaseOpened) else "case_closed"
                self._recorder.audit(what, panel=event.device)
                self._log(Priority.WARNING, what.replace("_", " "), panel=event.device)
        self._health_at_s = now.clock.boottime_s

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

    def _health(self, now: Moment) -> dict[str, Any]:
        heads = {}
        if self._reader is not None:
            try:
                heads = self._reader.heads()
            except StoreError as error:
                self._vitals.store_error = error.message
        lanes = {lane.settings.name: (lane.kiosk.state.value, lane.signal.value) for lane in self._lanes}
        return msgspec.to_builtins(health(self._kiosk, self._version, self._vitals, lanes, heads, now))

    def _publish_health(self, now: Moment) -> None:
        self._uplink.publish_health(msgspec.json.encode(self._health(now)))
        self._health_at_s = now.clock.boottime_s + self._settings.uplink.health_s

    def _answer(self, asked: ControlAsked, now: Moment) -> dict[str, Any]:
        match asked.verb:
            case "status":
                return self._health(now)
            case "receipts":
                return self._take_receipts(asked.arguments.get("receipts"), now)
        return {"error": f"unknown verb {asked.verb!r}"}

    def _take_receipts(self, receipts: object, now: Moment) -> dict[str, Any]:
        """Follow receipts that were carried here, or report them, as the uplink does with those that come by MQTT.

        They are judged in this thread: while the network is gone, the uplink may hang in an attempt to connect.
        """
        if not isinstance(receipts, list) or not all(isinstance(receipt, str) for receipt in receipts):
            return {"error": "receipts are a list of texts"}
        if self._reader is None:
            return {"error": "the store is not open yet"}
        answers = []
        try:
            for receipt in receipts:
                weighed = weigh_carried(receipt, self._kiosk, self._centre, self._reader)
                for event in weighed.consequences:
                    self._take(event, now)
                answers.append({"meaning": weighed.meaning, **weighed.position})
        except StoreError as error:
            return {"error": error.message}
        return {"receipts": answers}

    # --- the end -----------------------------------------------------------------------------------------------------

    def _shut_down(self) -> None:
        self._systemd.notify("STOPPING=1")
        with contextlib.ExitStack() as last:  # what comes last stands first; a part that fails keeps none from its end
            last.callback(self._log, Priority.NOTICE, "kiosk stopped", kiosk=self._kiosk)
            if self._reader is not None:
                last.callback(self._reader.close)
            last.callback(self._join_threads, time.monotonic() + STOP_S)
            last.callback(self._control.stop)
            for lane in reversed(self._lanes):
                last.callback(lane.devices.stop)
            self._uplink.stop()
            self._recorder.stop()

    def _join_threads(self, until_s: float) -> None:
        for thread in self._threads:
            thread.join(timeout=max(0.0, until_s - time.monotonic()))


def _last_known(store: Path) -> datetime:
    """Return the latest time that was known once: of this installation, or the last one in the store."""
    known_s = installed_s()
    with contextlib.suppress(StoreError), CacheReader.open(store) as reader:
        if (kept := boots.decode(reader.state(BOOTS))) is not None:
            known_s = max(known_s, kept.known_s)
    return datetime.fromtimestamp(known_s, UTC)


def _keep_memory_private() -> None:
    """Leave no core dump and no other process a way into this one's memory, which holds the record-signing key."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise LandfallError(f"prctl(PR_SET_DUMPABLE): {os.strerror(ctypes.get_errno())}")
