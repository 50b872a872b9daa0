"""What watching 5,000 kiosks costs the centre: `python -m bench fleet_health`.

A real mosquitto, a real `landfall-central watch`, and one process that speaks for all kiosks: each has a key of its own
and signs its health every 30 s, but all of it goes over one TLS connection (what as many connections cost a broker is
`bench.fleet`'s). Measured once the first round is through: CPU time and memory of the watcher, how long it takes until
the database shows what a kiosk said, and how long a page of the whole fleet and a scrape take; on SQLite, then on
PostgreSQL. Everything runs on the one machine, the publisher too.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as paho
from joserfc.jwk import OKPKey
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Engine, insert, select

from bench.row import Row
from central import database
from central.broker import access_list
from central.config import FleetSettings
from central.database import rfc3339
from central.fleet import report, view
from central.fleet.tables import fleet_kiosk
from central.tables import kiosk_key
from edge.seal import Signer
from edge.wire.messages import HEALTH_TYP
from edge.wire.topics import health_topic
from provisioning.authority import Authority
from provisioning.local_broker import LocalBroker
from tests.harness.postgres import new_database, postgres

KIOSKS, QUICK_KIOSKS = 5_000, 300
EVERY_S = 30.0
MEASURED_S, QUICK_MEASURED_S = 60.0, 10.0
SITES = 250
VISIBLE_BAR_S = 2.0
WITHIN_S = 120.0


def run(quick: bool) -> list[Row]:
    """Watch a fleet on either database."""
    kiosks = QUICK_KIOSKS if quick else KIOSKS
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        folder = Path(home)
        authority = Authority.create(folder / "authority")
        for name in ("watcher", "bench"):
            authority.issue_collector(folder / name, name)
        fleet = _Fleet(kiosks)
        rows = _measured(folder / "sqlite", authority, fleet, f"sqlite:///{folder / 'central.db'}", quick)
        server = stack.enter_context(new_database(stack.enter_context(postgres())))
        return rows + _measured(folder / "postgresql", authority, fleet, server, quick)


class _Fleet:
    """Kiosks with keys; `health` is signed anew each time."""

    def __init__(self, kiosks: int) -> None:
        self.names = [f"site-{number % SITES}/lane-{number}" for number in range(kiosks)]
        self._keys = [OKPKey.generate_key("Ed25519") for _ in self.names]
        self._signers = [Signer(key) for key in self._keys]

    def register(self, engine: Engine) -> None:
        """Register every kiosk in one transaction."""
        at = rfc3339(datetime.now(UTC))
        rows = [
            {
                "kiosk": name,
                "kid": signer.kid,
                "public_jwk": msgspec.json.encode(key.as_dict(private=False)).decode(),
                "added_at": at,
            }
            for name, key, signer in zip(self.names, self._keys, self._signers, strict=True)
        ]
        with database.writing(engine) as connection:
            connection.execute(insert(kiosk_key), rows)

    def health(self, number: int, waiting: int = 0) -> bytes:
        """Return what a kiosk with ten devices says now."""
        now = datetime.now(UTC)
        name, at = self.names[number], rfc3339(now)
        stream = {"unreceipted": waiting, "kept": 2000, "bytes": 4_000_000, "epoch": "e" * 32, "hash": "f" * 64}
        said = {
            "kiosk": name,
            "at": at,
            "boot_id": "7a4e2c5e-0b0f-4d5c-9a37-1f0b54c0a001",
            "version": "1.2.0",
            "devices": {f"device-{n}": {"state": "ready", "since_s": 10.0, "losses": 0} for n in range(10)},
            "queue": dict.fromkeys(("crossing", "audit", "evidence"), stream),
            "uplink": {"state": "connected", "reason": "", "connections": 3, "last_receipt_at": at},
            "store": {"state": "ready", "free_bytes": 8_000_000_000, "sync_p95_ms": 4.2, "hours_left": 700.0},
            "clock": {"state": "synchronised", "error_bound_s": 0.01, "boottime_s": time.monotonic()},
            "keys": {"certificate_expires_at": rfc3339(now + timedelta(days=300))},
            "machine": {"cpu_celsius": 55.1, "memory_free_bytes": 500_000_000, "disk_free_bytes": 9_000_000_000},
            "settings_sha256": "ab" * 32,
        }
        return self._signers[number].sign(msgspec.json.encode(said), HEALTH_TYP).encode()


def _measured(folder: Path, authority: Authority, fleet: _Fleet, url: str, quick: bool) -> list[Row]:
    engine = database.connect(url)
    database.upgrade(engine)
    fleet.register(engine)
    kind = engine.dialect.name
    unstarted = LocalBroker(folder / "broker", authority)
    # Somebody may speak for every kiosk here, which no deployment lets anybody.
    access = access_list(["watcher"]) + "\nuser centre/bench\ntopic write landfall/v1/#\n"
    (folder / "broker" / "access.acl").write_text(access)
    with (
        unstarted as broker,
        _watcher(folder, broker, url) as (watcher, port),
        _publisher(folder, broker) as publish,
    ):
        _first_round(engine, fleet, publish)
        used_s, visible_s, resident = _steady(engine, fleet, publish, watcher.pid, quick)
        page_s = _timed(lambda: view.fleet(engine, datetime.now(UTC), FleetSettings()))
        scrape_s = _timed(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60).read())
    engine.dispose()
    kiosks = f"{len(fleet.names):,} kiosks over 1 connection, health every {EVERY_S:.0f} s"
    return [
        Row(f"{kind}: CPU of the watcher, of one core", used_s * 100, "%", beside=kiosks),
        Row(f"{kind}: memory of the watcher", resident / 1e6, "MB"),
        Row(f"{kind}: until the state shows it, median", statistics.median(visible_s), "s"),
        Row(f"{kind}: until the state shows it, longest", max(visible_s), "s", bar=VISIBLE_BAR_S),
        Row(f"{kind}: the whole fleet as a page sees it", page_s, "s"),
        Row(f"{kind}: one scrape", scrape_s, "s"),
    ]


def _first_round(engine: Engine, fleet: _Fleet, publish: Callable[[str, bytes], None]) -> None:
    for number, name in enumerate(fleet.names):
        publish(health_topic(name), fleet.health(number))
    deadline = time.monotonic() + WITHIN_S
    while _heard(engine) < len(fleet.names):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{_heard(engine)} of {len(fleet.names)} kiosks were heard")
        time.sleep(0.2)


def _heard(engine: Engine) -> int:
    with database.reading(engine) as connection:
        return len(connection.scalars(select(fleet_kiosk.c.kiosk)).all())


def _steady(
    engine: Engine, fleet: _Fleet, publish: Callable[[str, bytes], None], pid: int, quick: bool
) -> tuple[float, list[float], int]:
    """Let every kiosk tell each 30 s; return the share of a core that the watcher took, delays and its memory."""
    began_s, cpu_s = time.monotonic(), _cpu_s(pid)
    until_s = began_s + (QUICK_MEASURED_S if quick else MEASURED_S)
    told, marker, probe = 0, 0, -1
    sent_at_s, delays_s = 0.0, []
    while (now_s := time.monotonic()) < until_s:
        while told < (now_s - began_s) / EVERY_S * len(fleet.names):
            number, told = told % len(fleet.names), told + 1
            if probe < 0:
                probe, marker, sent_at_s = number, marker + 1, time.monotonic()
                publish(health_topic(fleet.names[number]), fleet.health(number, marker))
            else:
                publish(health_topic(fleet.names[number]), fleet.health(number))
        if probe >= 0 and _shown(engine, fleet.names[probe]) == marker * 3:
            delays_s.append(time.monotonic() - sent_at_s)
            probe = -1
        time.sleep(0.02)
    used = (_cpu_s(pid) - cpu_s) / (time.monotonic() - began_s)
    return used, delays_s, _resident_bytes(pid)


def _shown(engine: Engine, kiosk: str) -> float:
    with database.reading(engine) as connection:
        found = report.decode(connection.scalar(select(fleet_kiosk.c.health).where(fleet_kiosk.c.kiosk == kiosk)))
    return -1.0 if found is None else found.queue


@contextmanager
def _watcher(folder: Path, broker: LocalBroker, url: str) -> Iterator[tuple[subprocess.Popen, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = folder.parent / "watcher"
    (folder / "central.toml").write_text(
        f'[database]\nurl = "{url}"\n[metrics]\nport = {port}\n[broker]\nhost = "localhost"\nport = {broker.port}\n'
        f'ca = "{own}/ca.crt"\ncertificate = "{own}/client.crt"\nkey = "{own}/client.key"\n'
    )
    command = [sys.executable, "-m", "central.cli", "watch", "--config", str(folder / "central.toml")]
    with (folder / "watcher.log").open("w+") as log, subprocess.Popen(command, stderr=log) as watcher:
        try:
            deadline = time.monotonic() + WITHIN_S
            while "watcher ready" not in (folder / "watcher.log").read_text():
                if watcher.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((folder / "watcher.log").read_text())
                time.sleep(0.05)
            yield watcher, port
        finally:
            watcher.terminate()


@contextmanager
def _publisher(folder: Path, broker: LocalBroker) -> Iterator[Callable[[str, bytes], None]]:
    """Connect as somebody who may speak for every kiosk."""
    own = folder.parent / "bench"
    client: Any = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, client_id="centre/bench")
    client.tls_set(str(own / "ca.crt"), str(own / "client.crt"), str(own / "client.key"))
    client.connect("localhost", broker.port)
    client.loop_start()
    try:
        yield lambda topic, payload: client.publish(topic, payload, qos=1)
    finally:
        client.disconnect()
        client.loop_stop()


def _timed(call: Callable[[], object]) -> float:
    taken_s = []
    for _ in range(3):
        began_s = time.monotonic()
        call()
        taken_s.append(time.monotonic() - began_s)
    return statistics.median(taken_s)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
