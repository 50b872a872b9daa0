"""PURE. From what is known of a kiosk -> what is wrong with it, worst first.

Owns the rules; the words are `central.fleet.words`, the thresholds `central.config`. No database, no clock: the moment
is an argument, so a page, an alert and a test see the same. Always true: a figure that is not known is no fault; one
fault is said once, under the name that tells best what to do (a kiosk that is offline is not silent as well); of a
kiosk's own words only names of devices get into a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from central.config import FleetSettings
from central.fleet.report import Report, moment
from central.fleet.words import WORDS, Code, Severity
from central.incidents import Kind

_URGENCY = {code: rank for rank, code in enumerate(Code)}


class Standing(StrEnum):
    """What one word says of a kiosk."""

    OK = "ok"
    DEGRADED = "degraded"  # heard, and something is wrong
    SILENT = "silent"  # said to be connected, and not heard
    OFFLINE = "offline"  # it said goodbye, or the broker lost it
    UNKNOWN = "unknown"  # registered, and never heard


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `subject` is a device, a stream or empty, `since` is None where nobody can tell."""

    code: Code
    severity: Severity
    subject: str
    what: str
    remedy: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class KioskState:
    """What the watcher last knew of a kiosk; moments are the centre's own clock."""

    kiosk: str
    heard_at: datetime | None = None
    connected_at: datetime | None = None
    offline_at: datetime | None = None
    health_at: datetime | None = None
    report: Report | None = None
    clock_offset_s: float | None = None
    queue_trend_per_h: float = 0.0
    connection: str = ""  # by its birth, as far as the watcher has heard it


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """What the collector or the watcher noticed of this kiosk and nobody has closed."""

    kind: str
    stream: str
    detail: str
    count: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Context:
    """What a kiosk is compared with: the moment, the thresholds, and the version that most of the fleet runs.

    Silence is measured in watched time: nobody is silent before `watched_from`, and while nobody listens it is None.
    """

    now: datetime
    limits: FleetSettings
    version: str = ""
    watched_from: datetime | None = None


def finding(code: Code, *, subject: str = "", value: str = "", since: datetime | None = None) -> Finding:
    """Put a finding into words."""
    severity, what, remedy = WORDS[code]
    filled = {"subject": subject or "the kiosk", "value": value}
    return Finding(code, severity, subject, what.format(**filled), remedy.format(**filled), since)


def diagnose(state: KioskState, incidents: Sequence[OpenIncident], context: Context) -> list[Finding]:
    """Return what is wrong with a kiosk, the worst first."""
    found = [*_connection(state, context), *_incidents(incidents, context)]
    if state.report is not None:
        report, told_at = state.report, state.health_at or context.now
        found += _devices(report, told_at)
        found += _store(report, context)
        found += _queue(state, report, context)
        found += _clock(state, report, context)
        found += _machine(report, context)
        if context.version and report.version and _parts(report.version) < _parts(context.version):
            found.append(finding(Code.VERSION_BEHIND, value=".".join(map(str, _parts(report.version)))))
        if report.troubles:
            found.append(finding(Code.UPLINK_TROUBLE, value=f"{report.troubles:.0f} times"))
    return sorted(found, key=lambda one: (one.severity, _URGENCY[one.code], one.subject))


def standing_of(findings: Sequence[Finding]) -> Standing:
    """Return the one word for a kiosk."""
    codes = {one.code for one in findings}
    if Code.NEVER_HEARD in codes:
        return Standing.UNKNOWN
    if Code.OFFLINE in codes:
        return Standing.OFFLINE
    if Code.SILENT in codes:
        return Standing.SILENT
    return Standing.DEGRADED if any(one.severity <= Severity.WARNING for one in findings) else Standing.OK


def is_offline(state: KioskState) -> bool:
    """Tell whether the kiosk is gone: its goodbye, or its will, is the last that was heard of it."""
    return state.offline_at is not None and (state.heard_at is None or state.heard_at <= state.offline_at)


def span(seconds: float) -> str:
    """Return a time in the unit in which people say it."""
    for size_s, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size_s:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def size(bytes: float) -> str:
    """Return a number of bytes in the unit in which people say it."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB")):
        if bytes >= factor:
            return f"{bytes / factor:.1f} {unit}"
    return f"{bytes / 1e3:.0f} kB"


@lru_cache(maxsize=256)  # a fleet runs few of them, and asks for each kiosk
def _parts(version: str) -> tuple[int, ...]:
    """Return a version as numbers that can be compared."""
    return tuple(int(part) for part in re.findall(r"[0-9]{1,9}", version))


def _connection(state: KioskState, context: Context) -> Iterator[Finding]:
    if state.heard_at is None and state.offline_at is None:
        yield finding(Code.NEVER_HEARD)
    elif is_offline(state):
        yield finding(Code.OFFLINE, since=state.offline_at)
    elif state.heard_at is not None and context.watched_from is not None:
        unheard = context.now - max(state.heard_at, context.watched_from)
        if unheard.total_seconds() >= context.limits.silent_after_s:
            yield finding(Code.SILENT, value=f"{state.heard_at:%Y-%m-%d %H:%M} UTC", since=state.heard_at)


# What an incident is called here, and for how many hours after it was seen last it matters (none: until it is closed).
_OF_INCIDENTS: dict[str, tuple[Code, float | None]] = {
    Kind.FORK: (Code.FORK, None),
    Kind.GAP: (Code.GAP, None),
    Kind.TOMBSTONE: (Code.TOMBSTONE, None),
    Kind.QUARANTINE: (Code.QUARANTINE, None),
    Kind.NEW_EPOCH: (Code.NEW_EPOCH, 24),
    Kind.ROLLED_BACK: (Code.ROLLED_BACK, None),
    Kind.CUT_TAIL: (Code.CUT_TAIL, None),
    Kind.REJECTED: (Code.REFUSED, 1),
    Kind.CENTRE_RESTORED: (Code.CENTRE_RESTORED, None),
    Kind.HEALTH: (Code.HEALTH_SPOILED, 1),
    Kind.FLOOD: (Code.FLOOD, 1),
    Kind.TOO_MANY_EPOCHS: (Code.TOO_MANY_EPOCHS, 24),
    Kind.TAMPER: (Code.TAMPER, None),
    Kind.DOOR_FORCED: (Code.DOOR_FORCED, None),
    Kind.SETTINGS_ROLLED_BACK: (Code.SETTINGS_ROLLED_BACK, None),
}


def _incidents(incidents: Sequence[OpenIncident], context: Context) -> Iterator[Finding]:
    """Give one finding for each kind and stream, however many positions are concerned."""
    together: dict[tuple[Code, str], list[OpenIncident]] = {}
    for one in incidents:
        if one.kind not in _OF_INCIDENTS:
            continue
        code, hours = _OF_INCIDENTS[one.kind]
        if hours is None or one.last_seen >= context.now - timedelta(hours=hours):
            stream = "" if code in (Code.TAMPER, Code.DOOR_FORCED, Code.SETTINGS_ROLLED_BACK) else one.stream
            together.setdefault((code, stream), []).append(one)
    for (code, stream), ones in together.items():
        count = sum(one.count for one in ones)
        value = "once" if count == 1 else f"{count} times"
        yield finding(code, subject=stream, value=value, since=min(one.first_seen for one in ones))


_OF_STATES = {"lost": Code.DEVICE_LOST, "lane closed": Code.LANE_CLOSED}


def _devices(report: Report, told_at: datetime) -> Iterator[Finding]:
    for name, device in report.devices.items():
        if (code := _OF_STATES.get(device.state)) is not None:
            since = None
            if device.since_s is not None and report.boottime_s is not None:
                since = told_at - timedelta(seconds=max(0.0, report.boottime_s - device.since_s))
            yield finding(code, subject=name, since=since)
        if device.case == "open":
            yield finding(Code.TAMPER, subject=name)
        if device.door == "forced":
            yield finding(Code.DOOR_FORCED, subject=name)
        elif device.door == "held_open":
            yield finding(Code.DOOR_HELD_OPEN, subject=name)


def _store(report: Report, context: Context) -> Iterator[Finding]:
    match report.store_state:
        case "closed":
            yield finding(Code.STORE_CLOSED)
        case "full":
            yield finding(Code.DISK_FULL)
        case "no_photos":
            yield finding(Code.DISK_SHORT)
    if report.damaged_files:
        yield finding(Code.STORE_DAMAGED, value=f"{report.damaged_files:.0f}")
    if (hours := report.hours_left) is not None and report.queue and hours < context.limits.room_left_below_h:
        yield finding(Code.QUEUE_FULL_SOON, value=span(hours * 3600))


def _queue(state: KioskState, report: Report, context: Context) -> Iterator[Finding]:
    if is_offline(state):
        return  # it is known why
    limits = context.limits
    if report.oldest_s is not None and report.oldest_s >= limits.queue_older_than_h * 3600:
        yield finding(Code.QUEUE_OLD, value=span(report.oldest_s))
    elif state.queue_trend_per_h >= limits.queue_growing_per_h and report.queue >= limits.queue_growing_per_h:
        yield finding(Code.QUEUE_GROWING, value=f"{state.queue_trend_per_h:.0f} records an hour")


def _clock(state: KioskState, report: Report, context: Context) -> Iterator[Finding]:
    offset_s = state.clock_offset_s
    if report.clock_state == "unset":
        yield finding(Code.CLOCK_UNSET)
    elif offset_s is not None and abs(offset_s) >= context.limits.clock_off_s:
        yield finding(Code.CLOCK_OFF, value=span(abs(offset_s)))
    if report.clock_state == "stopped":
        yield finding(Code.CLOCK_STOPPED)
    expires = moment(report.certificate_expires_at)
    if expires is not None and expires <= context.now:
        yield finding(Code.CERTIFICATE_EXPIRED, value=f"{expires:%Y-%m-%d}", since=expires)
    elif expires is not None and expires <= context.now + timedelta(days=context.limits.certificate_days):
        yield finding(Code.CERTIFICATE_EXPIRES, value=f"{expires:%Y-%m-%d}")


def _machine(report: Report, context: Context) -> Iterator[Finding]:
    machine, limits = report.machine, context.limits
    if "under_voltage" in machine.throttled:
        yield finding(Code.UNDER_VOLTAGE)
    elif "under_voltage" in machine.throttled_since_boot:
        yield finding(Code.WAS_UNDER_VOLTAGE)
    celsius = machine.cpu_celsius
    if celsius is not None and celsius >= limits.hot_celsius:
        yield finding(Code.OVERHEATING, value=f"{celsius:.0f} degrees Celsius")
    elif "throttled" in machine.throttled or "soft_temperature_limit" in machine.throttled:
        yield finding(Code.OVERHEATING, value="it slows down")
    used = machine.card_life_used_percent
    if machine.card_end_of_life in ("warning", "urgent") or (used is not None and used >= 100):
        yield finding(Code.CARD_WORN_OUT)
    elif used is not None and used >= limits.card_life_percent:
        yield finding(Code.CARD_WORN, value=f"{used:.0f} %")
    if machine.last_end in ("interrupted", "watchdog"):
        yield finding(Code.INTERRUPTED, value=machine.last_end)
