"""Kiosks that tell of themselves, for the tests of the watcher: health as a real one signs it, or worse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Engine

from central import database, registry
from central.database import rfc3339
from central.fleet import lease, state
from central.fleet.centre import WATCHER
from central.fleet.diagnosis import KioskState
from central.fleet.report import read_report
from edge.wire.messages import HEALTH_TYP, STATUS_TYP
from tests.harness.kiosk_records import FakeKiosk

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def health_of(kiosk: str, at: datetime = NOW, **sections: Any) -> dict[str, Any]:
    """Return what a kiosk without a fault says of itself; sections are merged into it, one level deep."""
    said: dict[str, Any] = {
        "kiosk": kiosk,
        "at": rfc3339(at),
        "boot_id": "7a4e2c5e-0b0f-4d5c-9a37-1f0b54c0a001",
        "version": "1.2.0",
        "devices": {"passport": {"state": "ready", "since_s": 10.0, "error": ""}, "lane-1": {"state": "lane ready"}},
        "queue": {"crossing": {"unreceipted": 0, "kept": 20, "bytes": 40_000}},
        "uplink": {"state": "connected", "reason": "", "last_receipt_at": rfc3339(at), "troubles": {}},
        "store": {"state": "ready", "free_bytes": 8_000_000_000, "sync_p95_ms": 4.0, "hours_left": 900.0},
        "clock": {"state": "synchronised", "error_bound_s": 0.05, "boottime_s": 1000.0},
        "keys": {"certificate_expires_at": rfc3339(at + timedelta(days=400))},
        "machine": {"cpu_celsius": 51.5, "memory_free_bytes": 700_000_000, "disk_free_bytes": 9_000_000_000},
        "settings_sha256": "ab" * 32,
    }
    for name, section in sections.items():
        said[name] = said[name] | section if isinstance(section, dict) and isinstance(said.get(name), dict) else section
    return said


def signed_health(kiosk: FakeKiosk, said: dict[str, Any]) -> bytes:
    """Return health as it comes from the broker."""
    return kiosk.signer.sign(msgspec.json.encode(said), HEALTH_TYP).encode()


def signed_status(kiosk: FakeKiosk, state: str, at: datetime = NOW, connection: str = "c") -> bytes:
    """Return a birth or a death as it comes from the broker."""
    said = {
        "kiosk": kiosk.name,
        "state": state,
        "connection": connection,
        "boot_id": "b",
        "version": "1",
        "at": rfc3339(at),
    }
    return kiosk.signer.sign(msgspec.json.encode(said), STATUS_TYP).encode()


def register(engine: Engine, *names: str) -> None:
    """Register kiosks by their names alone."""
    for name in names:
        registry.add_kiosk(engine, name, FakeKiosk(name).key, NOW)


def told(kiosk: str, heard_at: datetime = NOW, said: dict[str, Any] | None = None, **known: Any) -> KioskState:
    """Return the state of a kiosk that was heard."""
    report, _ = read_report(kiosk, msgspec.json.encode(said or health_of(kiosk, heard_at)))
    return KioskState(
        **{
            "kiosk": kiosk,
            "heard_at": heard_at,
            "connected_at": heard_at,
            "health_at": heard_at,
            "report": report,
            "clock_offset_s": 0.0,
            **known,
        }
    )


def put(engine: Engine, *kiosks: KioskState) -> None:
    """Write states as the watcher does."""
    with database.writing(engine) as connection:
        state.put(connection, kiosks)


def watch(engine: Engine, now: datetime = NOW, *, since: datetime = NOW - timedelta(days=1)) -> None:
    """Let somebody watch."""
    with database.writing(engine) as connection:
        assert lease.take(connection, WATCHER, "test", now, 15.0, since)
