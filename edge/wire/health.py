"""What a kiosk says of itself, on `health`: figures and states of its devices, queue, uplink, store, clock and machine.

Owns the fields. Always true: everything but `state` may be missing, and what is not known is missing and never zero;
no field can hold anything of a traveller; a whole message is at most `MAX_HEALTH_BYTES`, which who fills it sees to.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

MAX_HEALTH_BYTES = 16 * 1024

Text = str | UnsetType
Count = int | UnsetType
Number = float | UnsetType
Words = tuple[str, ...] | UnsetType


class DeviceHealth(msgspec.Struct, frozen=True):
    """One lane or device."""

    state: str
    signal: Text = UNSET
    guidance: Text = UNSET
    since_s: Number = UNSET
    error: Text = UNSET
    losses: Count = UNSET
    case: Text = UNSET
    door: Text = UNSET


class StreamHealth(msgspec.Struct, frozen=True):
    """What the kiosk keeps of one stream."""

    unreceipted: Count = UNSET
    kept: Count = UNSET
    bytes: Count = UNSET
    epoch: Text = UNSET
    next_sequence: Count = UNSET
    hash: Text = UNSET
    held_up_to: Count = UNSET
    oldest_at: Text = UNSET


class UplinkHealth(msgspec.Struct, frozen=True):
    """The connection to the broker, and what the centre says."""

    state: str
    since_s: Number = UNSET
    reason: Text = UNSET
    connections: Count = UNSET
    last_receipt_at: Text = UNSET
    troubles: dict[str, int] | UnsetType = UNSET


class StoreHealth(msgspec.Struct, frozen=True):
    """The local cache and the room that it has."""

    state: str
    error: Text = UNSET
    free_bytes: int | UnsetType | None = UNSET
    tombstones: Count = UNSET
    damaged_files: Count = UNSET
    sync_p95_ms: Number = UNSET
    hours_left: Number = UNSET


class ClockHealth(msgspec.Struct, frozen=True):
    """How far the kiosk's clock can be trusted."""

    state: str
    error_bound_s: float | UnsetType | None = UNSET
    boottime_s: Number = UNSET


class KeysHealth(msgspec.Struct, frozen=True):
    """Which keys the kiosk works with, and until when its certificate is good. Key ids are thumbprints (RFC 7638)."""

    certificate_expires_at: Text = UNSET
    certificate_serial: Text = UNSET
    authority_expires_at: Text = UNSET
    record_key: Text = UNSET
    opening_key: Text = UNSET
    receipt_keys: Words = UNSET


class MachineHealth(msgspec.Struct, frozen=True):
    """The board, its memory, its card, and how its last boot ended."""

    model: Text = UNSET
    cpu_celsius: Number = UNSET
    throttled: Words = UNSET
    throttled_since_boot: Words = UNSET
    memory_bytes: Count = UNSET
    memory_free_bytes: Count = UNSET
    daemon_bytes: Count = UNSET
    disk_bytes: Count = UNSET
    disk_free_bytes: Count = UNSET
    card_life_used_percent: Count = UNSET
    card_end_of_life: Text = UNSET
    uptime_s: Number = UNSET
    boots: Count = UNSET
    last_end: Text = UNSET


class Health(msgspec.Struct, frozen=True):
    """What a kiosk knows of itself: figures and states of devices, queue, uplink, store, clock and machine."""

    kiosk: str
    at: str
    boot_id: str
    version: str
    devices: dict[str, DeviceHealth] | UnsetType = UNSET
    queue: dict[str, StreamHealth] | UnsetType = UNSET
    uplink: UplinkHealth | UnsetType = UNSET
    store: StoreHealth | UnsetType = UNSET
    clock: ClockHealth | UnsetType = UNSET
    keys: KeysHealth | UnsetType = UNSET
    machine: MachineHealth | UnsetType = UNSET
    settings_sha256: Text = UNSET
