"""What the kiosk knows of itself: devices, queue, uplink, store, clock.

Owns the figures and their form; asks nobody, is told. Always true: nothing of a traveller is in here; a state says
since when it holds, in seconds of CLOCK_BOOTTIME.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from edge.events import Moment, Room
from edge.wire.messages import Health


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
    """State of one device; `error` is the last reason why it was lost."""

    state: str = "starting"
    since_s: float = 0.0
    error: str = ""


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

    def device(self, name: str, state: str, now: Moment, error: str = "") -> None:
        """Note that a device came or went."""
        self.devices[name] = DeviceState(state, now.clock.boottime_s, error)

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


def queue_figures(heads: Mapping[str, StreamState]) -> dict[str, Any]:
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
    return Health(
        kiosk=kiosk,
        at=now.text,
        boot_id=now.clock.boot_id,
        version=version,
        devices={
            **{
                name: {"state": f"lane {state}", "signal": signal, **({"guidance": guidance} if guidance else {})}
                for name, (state, signal, guidance) in lanes.items()
            },
            **{
                name: {"state": device.state, "since_s": round(device.since_s, 3), "error": device.error}
                for name, device in vitals.devices.items()
            },
        },
        queue=queue_figures(heads),
        uplink={
            "state": "connected" if vitals.is_connected else "disconnected",
            "since_s": round(vitals.uplink_since_s, 3),
            "reason": vitals.uplink_reason,
            "connections": vitals.reconnects,
            "last_receipt_at": vitals.last_receipt_at,
            "troubles": dict(vitals.troubles),
        },
        store={
            "state": store_state(vitals),
            "error": vitals.store_error,
            "free_bytes": vitals.free_bytes,
            "tombstones": vitals.tombstones,
        },
        clock={"state": now.clock.state, "error_bound_s": now.clock.error_bound_s, "boottime_s": now.clock.boottime_s},
    )
