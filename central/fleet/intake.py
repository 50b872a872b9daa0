"""What kiosks tell of themselves -> their present state, in memory, one kiosk at a time.

Owns what is believed: a good signature of the kiosk on whose branch a message came, nothing that was said before, and
of many messages the newest. Knows no broker and no database. Always true: a message costs what a cut of its topic costs
until it is looked at, and of one kiosk at most one health and two statuses (a birth, and the death of the connection
before) are looked at a turn, so nobody who floods takes the turn of others; whatever is refused is an incident of that
kiosk alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import exp

import msgspec

from central.config import FleetSettings
from central.fleet import boot_order
from central.fleet.diagnosis import KioskState, is_offline
from central.fleet.history import Metric
from central.fleet.report import MAX_HEALTH_BYTES, Report, moment, read_report
from central.incidents import Incident, Kind
from edge.errors import ContractError, SealError
from edge.seal import Verifier
from edge.wire.messages import HEALTH_TYP, STATUS_TYP, Status, decode
from edge.wire.topics import parse_topic

TREND_OVER_S = 900.0
FLOOD_WINDOW_S = 60.0
STANDS_STILL_S = 10.0  # of CLOCK_BOOTTIME without the time of day going on
MAX_KIOSKS = 100_000  # whom the authority gave a certificate; a bound all the same


@dataclass(slots=True)
class _Slot:
    """What came of one kiosk since it was looked at, and how much of it in this window."""

    health: bytes | None = field(default=None, repr=False)
    statuses: deque[tuple[bytes, bool]] = field(default_factory=lambda: deque(maxlen=2), repr=False)
    is_health_older: bool = False  # than the status: a death counts, whatever was said just before
    too_large: int = 0
    counted: int = 0
    counted_from: datetime | None = None
    told_of_flood: bool = False
    sampled_at_s: int = 0


@dataclass(slots=True)
class Heard:
    """What a turn has brought: states that changed, samples that are due, and what has to be looked at."""

    states: list[KioskState] = field(default_factory=list)
    samples: list[dict[str, object]] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)


class Intake:
    """The fleet in memory; `states` are all kiosks that were heard, `verifier_of` gives the keys that count."""

    def __init__(
        self,
        states: Mapping[str, KioskState],
        verifier_of: Callable[[str], Verifier | None],
        settings: FleetSettings,
    ) -> None:
        self.states = {name: state for name, state in states.items() if state.heard_at is not None}
        self._verifier_of = verifier_of
        self._settings = settings
        self._slots: dict[str, _Slot] = {}
        self._waiting: set[str] = set()

    def put(self, name: str, payload: bytes, now: datetime, *, is_retained: bool = False) -> None:
        """Take a message from the broker; the newest of a kiosk takes the place of the one before."""
        try:
            topic = parse_topic(name)
        except ContractError:
            return  # the subscription lets nothing else through
        if topic.kiosk not in self._slots and len(self._slots) >= MAX_KIOSKS:
            return
        slot = self._slots.setdefault(topic.kiosk, _Slot())
        self._count(slot, now)
        if len(payload) > MAX_HEALTH_BYTES:
            slot.too_large += 1
        elif topic.kind == "status":
            slot.statuses.append((payload, is_retained))
            slot.is_health_older = slot.health is not None
        elif not is_retained:  # health never is: it would be of yesterday
            slot.health = payload
            slot.is_health_older = False
        self._waiting.add(topic.kiosk)

    def turn(self, now: datetime, latencies: Mapping[str, float]) -> Heard:
        """Look at what came; `latencies` are of crossings that were stored lately, for the samples."""
        heard = Heard()
        waiting, self._waiting = self._waiting, set()
        for kiosk in sorted(waiting):
            slot = self._slots[kiosk]
            before = self.states.get(kiosk)
            self._look(kiosk, slot, now, heard)
            state = self.states.get(kiosk)
            if state is not None and state is not before:
                heard.states.append(state)
                self._sample(state, slot, now, latencies.get(kiosk), heard)
        return heard

    def _count(self, slot: _Slot, now: datetime) -> None:
        if slot.counted_from is None or (now - slot.counted_from).total_seconds() >= FLOOD_WINDOW_S:
            slot.counted, slot.counted_from, slot.told_of_flood = 0, now, False
        slot.counted += 1

    def _look(self, kiosk: str, slot: _Slot, now: datetime, heard: Heard) -> None:
        statuses, too_large = list(slot.statuses), slot.too_large
        slot.statuses.clear()
        slot.too_large = 0
        if too_large:
            detail = f"larger than {MAX_HEALTH_BYTES // 1024} KiB"
            heard.incidents.append(Incident(Kind.HEALTH, kiosk, detail=detail, count=too_large))
        is_health_first, slot.is_health_older = slot.is_health_older, False
        health = None if self._is_held_back(kiosk, slot, now, heard) else slot.health
        if health is not None or is_health_first:  # one that is held back and older than a status is of no use later
            slot.health = None
        if is_health_first and health is not None:
            self._take_health(kiosk, health, now, heard)
        for payload, is_retained in statuses:
            if payload:  # an empty one says that a retained status was cleared
                self._take_status(kiosk, payload, is_retained, now, heard)
        if not is_health_first and health is not None:
            self._take_health(kiosk, health, now, heard)

    def _take_status(self, kiosk: str, payload: bytes, is_retained: bool, now: datetime, heard: Heard) -> None:
        try:
            self._status(kiosk, payload, is_retained, now)
        except (SealError, ContractError) as error:
            heard.incidents.append(_refused(kiosk, "status", error))

    def _take_health(self, kiosk: str, payload: bytes, now: datetime, heard: Heard) -> None:
        try:
            self._health(kiosk, payload, now, heard)
        except (SealError, ContractError) as error:
            heard.incidents.append(_refused(kiosk, "health", error))

    def _is_held_back(self, kiosk: str, slot: _Slot, now: datetime, heard: Heard) -> bool:
        """Tell whether a kiosk that floods has had its share; the newest then gets its turn when it is due."""
        if slot.counted <= self._settings.health_per_minute:
            return False
        if not slot.told_of_flood:
            heard.incidents.append(Incident(Kind.FLOOD, kiosk, detail="more than agreed in a minute"))
            slot.told_of_flood = True
        state = self.states.get(kiosk)
        share = timedelta(seconds=FLOOD_WINDOW_S / self._settings.health_per_minute)
        if slot.health is None or state is None or state.health_at is None or now - state.health_at >= share:
            return False
        self._waiting.add(kiosk)
        return True

    def _status(self, kiosk: str, payload: bytes, is_retained: bool, now: datetime) -> None:
        status = decode(Status, _verified(self._verifier_of(kiosk), payload, STATUS_TYP))
        if status.kiosk != kiosk:
            raise ContractError("status of another kiosk")
        state = self.states.get(kiosk) or KioskState(kiosk, heard_at=now)
        match status.state:
            case "online" if is_retained and state.connected_at is not None and not is_offline(state):
                if state.connection != status.connection:  # it was connected when we left, and is
                    state = replace(state, connection=status.connection)
            case "online":
                heard_at = state.heard_at if is_retained else now
                connection = status.connection
                state = replace(state, connected_at=now, offline_at=None, heard_at=heard_at, connection=connection)
            case "offline" if state.connection and status.connection != state.connection:
                pass  # of a connection before this one, whose end the broker noticed late; or somebody plays it back
            case "offline" if not is_offline(state):
                state = replace(state, offline_at=now)
            case "offline":
                pass
            case _:
                raise ContractError("status is neither online nor offline")
        self.states[kiosk] = state

    def _health(self, kiosk: str, payload: bytes, now: datetime, heard: Heard) -> None:
        report, spoiled = read_report(kiosk, _verified(self._verifier_of(kiosk), payload, HEALTH_TYP))
        if spoiled:
            heard.incidents.append(Incident(Kind.HEALTH, kiosk, detail=f"{spoiled} fields are of no use"))
        state = self.states.get(kiosk) or KioskState(kiosk)
        last = state.report
        quiet_s = 0.0 if state.health_at is None else (now - state.health_at).total_seconds()
        if last is not None and boot_order.is_old(report, last, quiet_s=quiet_s):
            return
        told_at = moment(report.at)
        self.states[kiosk] = replace(
            state,
            heard_at=now,
            health_at=now,
            offline_at=None,
            connected_at=state.connected_at if state.connected_at and not is_offline(state) else now,
            report=boot_order.remembering(_with_clock_watched(report, last), last),
            clock_offset_s=None if told_at is None else round((told_at - now).total_seconds(), 3),
            queue_trend_per_h=_trend(state, report, now),
        )

    def _sample(self, state: KioskState, slot: _Slot, now: datetime, latency_s: float | None, heard: Heard) -> None:
        every_s = self._settings.sample_every_s
        at_s = int(now.timestamp()) // every_s * every_s
        if at_s == slot.sampled_at_s or state.report is None or state.health_at != now:
            return
        slot.sampled_at_s = at_s
        report = state.report
        heard.samples.append(
            {
                "kiosk": state.kiosk,
                "resolution_s": 0,
                "at_s": at_s,
                str(Metric.QUEUE): report.queue,
                str(Metric.OLDEST): report.oldest_s,
                str(Metric.LATENCY): latency_s,
                str(Metric.TEMPERATURE): report.machine.cpu_celsius,
                str(Metric.MEMORY): report.machine.memory_free_bytes,
                str(Metric.DISK): report.free_bytes,
                str(Metric.SYNC): report.sync_p95_s,
            }
        )


def _verified(verifier: Verifier | None, payload: bytes, typ: str) -> bytes:
    if verifier is None:
        raise SealError("kiosk is not registered here")
    try:
        return verifier.verify(payload.decode("ascii"), typ)
    except (UnicodeDecodeError, RecursionError):
        raise SealError("signature is not valid") from None


def _refused(kiosk: str, stream: str, error: SealError | ContractError) -> Incident:
    """Return what a refused message is: a forgery, or nonsense that the kiosk itself has signed."""
    kind = Kind.REJECTED if isinstance(error, SealError) else Kind.HEALTH
    return Incident(kind, kiosk, stream, detail=error.message)


def _with_clock_watched(report: Report, last: Report | None) -> Report:
    """Say of a clock that stands still that it is stopped: the boot's own seconds go on, the time of day does not.

    It is looked at over all messages with the same time, however quickly they follow each other.
    """
    if last is None or report.boot_id != last.boot_id or report.boottime_s is None:
        return report
    if report.at != last.at or last.boottime_s is None:
        return report
    since_s = last.boottime_s if last.same_at_since_s is None else last.same_at_since_s
    is_stopped = report.boottime_s - since_s >= STANDS_STILL_S
    state = "stopped" if is_stopped else report.clock_state
    return msgspec.structs.replace(report, clock_state=state, same_at_since_s=since_s)


def _trend(state: KioskState, report: Report, now: datetime) -> float:
    """Return by how many records an hour the queue grows, smoothed over a quarter of an hour."""
    if state.report is None or state.health_at is None:
        return 0.0
    passed_s = (now - state.health_at).total_seconds()
    if not 1.0 <= passed_s <= TREND_OVER_S:
        return state.queue_trend_per_h if passed_s < 1.0 else 0.0
    rate = (report.queue - state.report.queue) / passed_s * 3600
    weight = 1 - exp(-passed_s / TREND_OVER_S)
    return round(state.queue_trend_per_h + weight * (rate - state.queue_trend_per_h), 3)
