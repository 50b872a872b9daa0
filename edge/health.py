"""What the kiosk knows of itself: devices, queue, uplink, store, clock, keys, machine.

Owns the figures and their form; asks nobody, is told. Always true: nothing of a traveller is in here; a state says
since when it holds, in seconds of CLOCK_BOOTTIME; what is not known is left out; however many devices there are and
whatever they say, the message stays below `MAX_HEALTH_BYTES`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec import UNSET, UnsetType

from edge.events import Moment, Room
from edge.wire.health import (
    ClockHealth,
    DeviceHealth,
    Health,
    KeysHealth,
    MachineHealth,
    StoreHealth,
    StreamHealth,
    UplinkHealth,
)

MOST_DEVICES = 24
MOST_TROUBLES = 32
MOST_TEXT_BYTES = 160
COMMITS = 200  # that the sync time is taken from


class StreamState(Protocol):
    """What health needs of a head of the cache."""

    epoch: str
    next_sequence: int
    last_hash: str
    held_up_to: int
    count: int
    bytes: int


@dataclass(slots=True)
class DeviceState:
    """State of one device; `error` is the last reason why it was lost, `is_open` what its tamper switch says."""

    state: str = "starting"
    since_s: float = 0.0
    error: str = ""
    losses: int = 0
    is_open: bool | None = None
    door: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """What takes time to find out, and is looked at now and then by a thread of its own; None is not known."""

    machine: MachineHealth
    keys: KeysHealth | UnsetType = UNSET
    damaged_files: int | None = None
    hours_left: float | None = None
    oldest_at: Mapping[str, str] = field(default_factory=dict)
    rtc_time_s: float | None = None  # what the battery-backed clock said a moment before this was told


@dataclass(slots=True)
class Vitals:
    """Everything that health is made of; the daemon's main loop alone writes it."""

    devices: dict[str, DeviceState] = field(default_factory=dict)
    is_connected: bool = False
    uplink_since_s: float = 0.0
    uplink_reason: str = "starting"
    reconnects: int = 0
    last_receipt_at: str = ""
    troubles: Counter[str] = field(default_factory=Counter)
    is_store_ready: bool = False
    store_error: str = ""
    tombstones: int = 0
    room: Room = Room.PLENTY
    free_bytes: int | None = None
    commits_s: deque[float] = field(default_factory=lambda: deque(maxlen=COMMITS))
    survey: Survey = field(default_factory=lambda: Survey(MachineHealth()))
    settings_sha256: str = ""

    @classmethod
    def of_start(cls, devices: Iterable[str], settings_sha256: str) -> Vitals:
        """Return what is known at the start: which devices there have to be, so that a silent one is not left out."""
        return cls(devices={name: DeviceState() for name in devices}, settings_sha256=settings_sha256)

    def device(self, name: str, state: str, now: Moment, error: str = "") -> None:
        """Note that a device came or went."""
        known = self.devices.setdefault(name, DeviceState())
        known.losses += state == "lost" != known.state
        known.state, known.since_s = state, now.clock.boottime_s
        known.error = error or known.error

    def case(self, name: str, *, is_open: bool) -> None:
        """Note what a panel's tamper switch says."""
        self.devices.setdefault(name, DeviceState()).is_open = is_open

    def door(self, name: str, state: str) -> None:
        """Note what a panel's door contact says, and what that means: closed, open, forced, held_open."""
        self.devices.setdefault(name, DeviceState()).door = state

    def store(self, error: str = "") -> bool:
        """Note that the store took something, or why it did not; return whether it takes again or no longer."""
        was_ready, self.is_store_ready, self.store_error = self.is_store_ready, not error, error
        return self.is_store_ready != was_ready

    def uplink(self, is_connected: bool, reason: str, now: Moment) -> bool:
        """Note that the connection came, went, or did not come again; return whether that is news."""
        if is_connected and not self.is_connected:
            self.reconnects += 1
        is_news = (is_connected, reason) != (self.is_connected, self.uplink_reason)
        if is_connected != self.is_connected or not self.uplink_since_s:
            self.uplink_since_s = now.clock.boottime_s
        self.is_connected, self.uplink_reason = is_connected, reason
        return is_news


def store_state(vitals: Vitals) -> str:
    """Return ready, no_photos (crossings go on without them), full (the lanes are closed), or closed (any other)."""
    if vitals.room is Room.NONE:
        return "full"
    if not vitals.is_store_ready:
        return "closed"
    return "no_photos" if vitals.room is Room.SHORT else "ready"


def queue_figures(heads: Mapping[str, StreamState]) -> dict[str, dict[str, Any]]:
    """Return, for each stream, what is kept, what awaits its receipt, and where the stream stands."""
    return {
        name: {
            "unreceipted": head.next_sequence - 1 - head.held_up_to,
            "kept": head.count,
            "bytes": head.bytes,
            "epoch": head.epoch,
            "next_sequence": head.next_sequence,
            "hash": head.last_hash,
            "held_up_to": head.held_up_to,
        }
        for name, head in heads.items()
    }


def health(
    kiosk: str,
    version: str,
    vitals: Vitals,
    lanes: Mapping[str, tuple[str, str, str]],
    heads: Mapping[str, StreamState],
    now: Moment,
) -> Health:
    """Put the figures of this moment together; `lanes` are state, signal and guidance of each lane."""
    survey, clock = vitals.survey, now.clock
    return Health(
        kiosk=kiosk,
        at=now.text,
        boot_id=clock.boot_id,
        version=version,
        devices=_devices(vitals, lanes),
        queue={
            name: StreamHealth(
                **stream, oldest_at=survey.oldest_at.get(name, UNSET) if stream["unreceipted"] else UNSET
            )
            for name, stream in queue_figures(heads).items()
        },
        uplink=UplinkHealth(
            state="connected" if vitals.is_connected else "disconnected",
            since_s=round(vitals.uplink_since_s, 3),
            reason=_short(vitals.uplink_reason),
            connections=vitals.reconnects,
            last_receipt_at=vitals.last_receipt_at or UNSET,
            troubles={_short(what): count for what, count in vitals.troubles.most_common(MOST_TROUBLES)},
        ),
        store=StoreHealth(
            state=store_state(vitals),
            error=_short(vitals.store_error) or UNSET,
            free_bytes=_known(vitals.free_bytes),
            tombstones=vitals.tombstones,
            damaged_files=_known(survey.damaged_files),
            sync_p95_ms=_p95_ms(vitals.commits_s),
            hours_left=_known(survey.hours_left),
        ),
        clock=ClockHealth(clock.state, _known(clock.error_bound_s), clock.boottime_s),
        keys=survey.keys,
        machine=survey.machine,
        settings_sha256=vitals.settings_sha256 or UNSET,
    )


def _devices(vitals: Vitals, lanes: Mapping[str, tuple[str, str, str]]) -> dict[str, DeviceHealth]:
    """Return lanes and devices, in trouble first, so that those which do not fit are well."""
    found = {
        name: DeviceHealth(f"lane {state}", signal, guidance or UNSET)
        for name, (state, signal, guidance) in lanes.items()
    }
    for name, device in sorted(vitals.devices.items(), key=lambda item: item[1].state == "ready"):
        found[name] = DeviceHealth(
            state=device.state,
            since_s=round(device.since_s, 3),
            error=_short(device.error) or UNSET,
            losses=device.losses,
            case=UNSET if device.is_open is None else "open" if device.is_open else "closed",
            door=device.door or UNSET,
        )
    return dict(list(found.items())[:MOST_DEVICES])


def _known(value: Any) -> Any:
    return UNSET if value is None else value


def _p95_ms(commits_s: deque[float]) -> float | UnsetType:
    if not commits_s:
        return UNSET
    return round(1000 * sorted(commits_s)[len(commits_s) * 95 // 100], 1)


def _short(text: str) -> str:
    """Return text of at most `MOST_TEXT_BYTES`, which JSON does not make longer."""
    plain = "".join(char if char.isprintable() and char not in '"\\' else "'" for char in text)
    return plain.encode("utf-8", "replace")[:MOST_TEXT_BYTES].decode("utf-8", "ignore")
