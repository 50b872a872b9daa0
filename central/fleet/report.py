"""PURE. What a kiosk says of itself -> figures that a page, an alert or a metric may show.

Owns the limits of a health message: how many devices, how long a word, how large a number. Always true: whatever a sick
or hostile kiosk sends, what comes out is bounded, printable and of the right type; a field that is of no use costs that
field alone, and is counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from edge.errors import ContractError

MAX_HEALTH_BYTES = 64 * 1024
MAX_ENTRIES = 32  # of devices, of streams, of words in a list
MAX_CHARACTERS = 120
LARGEST = 2.0**53

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,47}")
_UNPRINTABLE = re.compile(r"[^ -~]")

T = TypeVar("T")


class Device(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One device or lane; `since_s` is the CLOCK_BOOTTIME at which its state began."""

    state: str = ""
    since_s: float | None = None
    error: str = ""
    signal: str = ""
    case: str = ""
    door: str = ""
    losses: float = 0.0


class Stream(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What of one stream is on the kiosk, and what of that awaits its receipt."""

    unreceipted: float = 0.0
    kept: float = 0.0
    bytes: float = 0.0
    oldest_at: str = ""


class Machine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The board and its card."""

    model: str = ""
    cpu_celsius: float | None = None
    throttled: tuple[str, ...] = ()
    throttled_since_boot: tuple[str, ...] = ()
    memory_bytes: float | None = None
    memory_free_bytes: float | None = None
    daemon_bytes: float | None = None
    disk_bytes: float | None = None
    disk_free_bytes: float | None = None
    card_life_used_percent: float | None = None
    card_end_of_life: str = ""
    uptime_s: float | None = None
    boots: float | None = None
    last_end: str = ""


class Report(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A health message, cut to what the centre keeps; empty or None is what the kiosk did not say.

    `oldest_s` is how long the oldest record had waited for its receipt, by the kiosk's own clock; `same_at_since_s` the
    CLOCK_BOOTTIME of the first message with this `at`, where this is not the first; `seen_boots` the last that was
    heard of each of the last boots before this one.
    """

    at: str = ""
    boot_id: str = ""
    boottime_s: float | None = None
    same_at_since_s: float | None = None
    seen_boots: dict[str, float] = {}
    version: str = ""
    settings_sha256: str = ""
    devices: dict[str, Device] = {}
    streams: dict[str, Stream] = {}
    oldest_s: float | None = None
    hours_left: float | None = None
    uplink_state: str = ""
    uplink_reason: str = ""
    last_receipt_at: str = ""
    troubles: float = 0.0
    store_state: str = ""
    store_error: str = ""
    free_bytes: float | None = None
    tombstones: float = 0.0
    damaged_files: float = 0.0
    sync_p95_s: float | None = None
    clock_state: str = ""
    error_bound_s: float | None = None
    certificate_expires_at: str = ""
    authority_expires_at: str = ""
    machine: Machine = Machine()

    @property
    def queue(self) -> float:
        """Return how many records of all streams await their receipt."""
        return sum(stream.unreceipted for stream in self.streams.values())


def read_report(kiosk: str, payload: bytes) -> tuple[Report, int]:
    """Return what the centre keeps of a verified health message, and how many of its fields were of no use.

    Raise `ContractError` for what is no health message of this kiosk at all.
    """
    try:
        said = msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ContractError("not a health message: no JSON object") from None
    if said.get("kiosk") != kiosk:
        raise ContractError("health of another kiosk")
    cut = _Cut()
    uplink, store, clock, keys = (cut.section(said.get(name)) for name in ("uplink", "store", "clock", "keys"))
    streams = cut.entries(said.get("queue"), cut.stream)
    sync_p95_ms = cut.number(store.get("sync_p95_ms"))
    report = Report(
        at=cut.moment(said.get("at")),
        boot_id=cut.word(said.get("boot_id")),
        boottime_s=cut.number(clock.get("boottime_s")),
        version=cut.word(said.get("version")),
        settings_sha256=cut.word(said.get("settings_sha256")),
        devices=cut.entries(said.get("devices"), cut.device),
        streams=streams,
        oldest_s=_oldest_s(said.get("at"), streams),
        hours_left=cut.number(store.get("hours_left")),
        uplink_state=cut.word(uplink.get("state")),
        uplink_reason=cut.word(uplink.get("reason")),
        last_receipt_at=cut.moment(uplink.get("last_receipt_at") or None),
        troubles=sum(cut.number(count) or 0.0 for count in cut.section(uplink.get("troubles")).values()),
        store_state=cut.word(store.get("state")),
        store_error=cut.word(store.get("error")),
        free_bytes=cut.number(store.get("free_bytes")),
        tombstones=cut.number(store.get("tombstones")) or 0.0,
        damaged_files=cut.number(store.get("damaged_files")) or 0.0,
        sync_p95_s=None if sync_p95_ms is None else sync_p95_ms / 1000,
        clock_state=cut.word(clock.get("state")),
        error_bound_s=cut.number(clock.get("error_bound_s")),
        certificate_expires_at=cut.moment(keys.get("certificate_expires_at")),
        authority_expires_at=cut.moment(keys.get("authority_expires_at")),
        machine=cut.machine(said.get("machine")),
    )
    return report, cut.spoiled


def moment(text: str) -> datetime | None:
    """Return a moment with its zone, in UTC; None for text that is none."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _oldest_s(at: object, streams: Mapping[str, Stream]) -> float | None:
    now = moment(at) if isinstance(at, str) else None
    waiting = [found for stream in streams.values() if (found := moment(stream.oldest_at)) is not None]
    if now is None or not waiting:
        return None if any(stream.unreceipted for stream in streams.values()) else 0.0
    return max(0.0, (now - min(waiting)).total_seconds())


class _Cut:
    """Takes values one by one, and counts those that were of no use; what is not there at all is no fault."""

    def __init__(self) -> None:
        self.spoiled = 0

    def word(self, value: object) -> str:
        """Return printable ASCII of a bounded length."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.spoiled += 1
            return ""
        cut = _UNPRINTABLE.sub("?", value[:MAX_CHARACTERS])
        self.spoiled += cut != value
        return cut

    def moment(self, value: object) -> str:
        """Return an RFC 3339 moment."""
        text = self.word(value)
        if text and moment(text) is None:
            self.spoiled += 1
            return ""
        return text

    def number(self, value: object, *, least: float = 0.0) -> float | None:
        """Return a finite number that is not below `least`."""
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not least <= value <= LARGEST or not math.isfinite(value):  # type: ignore[operator, arg-type]
            self.spoiled += 1
            return None
        return float(value)  # type: ignore[arg-type]

    def words(self, value: object) -> tuple[str, ...]:
        """Return a list of words."""
        if not isinstance(value, list):
            self.spoiled += value is not None
            return ()
        self.spoiled += len(value) > MAX_ENTRIES
        return tuple(self.word(one) for one in value[:MAX_ENTRIES])

    def section(self, value: object) -> Mapping[str, Any]:
        """Return an object; an empty one for anything else."""
        if isinstance(value, dict):
            return value
        self.spoiled += value is not None
        return {}

    def entries(self, value: object, read: Callable[[Any], T]) -> dict[str, T]:
        """Return the entries of an object whose names may be shown anywhere, the first `MAX_ENTRIES` of them."""
        found: dict[str, T] = {}
        for name, one in self.section(value).items():
            if len(found) == MAX_ENTRIES or not _NAME.fullmatch(name):
                self.spoiled += 1
            elif one is not None:
                found[name] = read(one)
        return found

    def device(self, value: object) -> Device:
        """Return one device."""
        said = self.section(value)
        words = {name: self.word(said.get(name)) for name in ("state", "error", "signal", "case", "door")}
        return Device(**words, since_s=self.number(said.get("since_s")), losses=self.number(said.get("losses")) or 0.0)

    def stream(self, value: object) -> Stream:
        """Return one stream."""
        said = self.section(value)
        counts = (self.number(said.get(name)) or 0.0 for name in ("unreceipted", "kept", "bytes"))
        return Stream(*counts, oldest_at=self.moment(said.get("oldest_at")))

    def machine(self, value: object) -> Machine:
        """Return what is known of the board."""
        said = self.section(value)
        names = ("memory_bytes", "memory_free_bytes", "daemon_bytes", "disk_bytes", "disk_free_bytes")
        names += ("card_life_used_percent", "uptime_s", "boots")
        return Machine(
            model=self.word(said.get("model")),
            cpu_celsius=self.number(said.get("cpu_celsius"), least=-100.0),
            throttled=self.words(said.get("throttled")),
            throttled_since_boot=self.words(said.get("throttled_since_boot")),
            card_end_of_life=self.word(said.get("card_end_of_life")),
            last_end=self.word(said.get("last_end")),
            **{name: self.number(said.get(name)) for name in names},
        )


_decoder = msgspec.json.Decoder(Report)


def encode(report: Report) -> str:
    """Return a report as the text that the database keeps."""
    return msgspec.json.encode(report).decode()


def decode(text: str | None) -> Report | None:
    """Return a report that the database kept; None where there is none, or one that another version wrote."""
    try:
        return None if text is None else _decoder.decode(text)
    except msgspec.DecodeError:
        return None
