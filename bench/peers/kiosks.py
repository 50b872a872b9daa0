"""A whole fleet over one TLS connection: signed health of every kiosk each 30 s, and crossings.

    python -m bench.peers.kiosks KIOSKS KEYS OPENING_KEY PORT CERTIFICATES

Every kiosk has a key of its own, signs what it says of itself, and seals its crossings in a chain of its own. About
`SICK` of them have lost a reader, so that they stand first on the page of the fleet, and count in their queue how often
they have spoken. It says `ready` when it is connected, publishes until SIGTERM, waits for the receipts that are still
to come, and then prints one line of JSON: a `Told`. Times are Unix seconds, as a browser on this machine has them.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from joserfc.jwk import OKPKey
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from central.database import rfc3339
from edge.seal import load_public_key
from edge.wire.messages import HEALTH_TYP
from edge.wire.record import encode_batch
from edge.wire.topics import Stream, health_topic, parse_topic, stream_topic
from tests.harness.kiosk_records import CentreKeys, FakeKiosk

HEALTH_EVERY_S = 30.0
CROSSINGS_PER_S = 20
SICK = 40
SITES = 250
TICK_S = 0.02
LAST_RECEIPTS_S = 20.0


class Told(msgspec.Struct):
    """What happened: `spoken` are kiosk, count and moment of the sick ones, `receipts` sending and receipt."""

    spoken: list[tuple[str, int, float]] = []
    receipts: list[tuple[float, float]] = []
    unanswered: int = 0


def name_of(number: int) -> str:
    """Return the name of a kiosk."""
    return f"site-{number % SITES}/lane-{number}"


def new_keys(kiosks: int) -> list[dict[str, Any]]:
    """Return a private key for each kiosk."""
    return [OKPKey.generate_key("Ed25519").as_dict(private=True) for _ in range(kiosks)]


class Fleet:
    """All kiosks, and who waits for a receipt since when."""

    def __init__(self, keys: Sequence[dict[str, Any]], opening_key: OKPKey) -> None:
        centre = CentreKeys(letters=opening_key)
        self._kiosks = [
            FakeKiosk(name_of(number), centre=centre, epoch=f"{number:032x}", key=OKPKey.import_key(key))
            for number, key in enumerate(keys)
        ]
        self._counts = [0] * len(self._kiosks)
        self._waiting: dict[str, float] = {}
        self.told = Told()

    def health(self, number: int) -> tuple[str, bytes]:
        """Return topic and message of a kiosk with ten devices."""
        kiosk, now = self._kiosks[number], datetime.now(UTC)
        at = rfc3339(now)
        devices = {f"device-{n}": {"state": "ready", "since_s": 10.0, "losses": 0} for n in range(10)}
        stream = {"unreceipted": 0, "kept": 2000, "bytes": 4_000_000, "epoch": kiosk.epoch, "hash": "f" * 64}
        queue = dict.fromkeys(("crossing", "audit", "evidence"), stream)
        if number % (len(self._kiosks) // SICK) == 0:
            self._counts[number] += 1
            devices["device-0"] = {"state": "lost", "since_s": 10.0, "losses": 1}
            queue["crossing"] = stream | {"unreceipted": self._counts[number]}
            self.told.spoken.append((kiosk.name, self._counts[number], time.time()))
        said = {
            "kiosk": kiosk.name,
            "at": at,
            "boot_id": "7a4e2c5e-0b0f-4d5c-9a37-1f0b54c0a001",
            "version": "1.2.0",
            "devices": devices,
            "queue": queue,
            "uplink": {"state": "connected", "reason": "", "connections": 3, "last_receipt_at": at},
            "store": {"state": "ready", "free_bytes": 8_000_000_000, "sync_p95_ms": 4.2, "hours_left": 700.0},
            "clock": {"state": "synchronised", "error_bound_s": 0.01, "boottime_s": time.monotonic()},
            "keys": {"certificate_expires_at": rfc3339(now + timedelta(days=300))},
            "machine": {"cpu_celsius": 55.1, "memory_free_bytes": 500_000_000, "disk_free_bytes": 9_000_000_000},
            "settings_sha256": "ab" * 32,
        }
        return health_topic(kiosk.name), kiosk.signer.sign(msgspec.json.encode(said), HEALTH_TYP).encode()

    def crossing(self, number: int) -> tuple[str, bytes]:
        """Return topic and message of a crossing, with the first record of its stream where it is the first."""
        kiosk = self._kiosks[number]
        records = [] if kiosk.sequence else [kiosk.start_epoch()]
        records.append(kiosk.crossing())
        self._waiting.setdefault(kiosk.name, time.time())
        return stream_topic(kiosk.name, Stream.CROSSING), encode_batch(one.encode() for one in records)

    def receipt(self, kiosk: str) -> None:
        """Note that somebody's wait is over; called by another thread."""
        if (since := self._waiting.pop(kiosk, None)) is not None:
            self.told.receipts.append((since, time.time()))

    @property
    def waiting(self) -> int:
        """Return how many kiosks wait for a receipt."""
        return len(self._waiting)


def main(kiosks: int, keys: Path, opening_key: Path, port: int, certificates: Path) -> Told:
    """Speak for the fleet until SIGTERM."""
    fleet = Fleet(msgspec.json.decode(keys.read_bytes())[:kiosks], load_public_key(opening_key))
    client = Client(CallbackAPIVersion.VERSION2, client_id="centre/bench", protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set(certificates / "ca.crt", certificates / "client.crt", certificates / "client.key")
    client.on_connect = lambda client, *_: client.subscribe("landfall/v1/+/+/receipt/+", qos=1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = lambda _, __, message: fleet.receipt(parse_topic(message.topic).kiosk)
    client.connect("localhost", port)
    client.loop_start()
    began_s, healths, crossings = time.monotonic(), 0, 0
    while signal.sigtimedwait({signal.SIGTERM, signal.SIGINT}, TICK_S) is None:
        passed_s = time.monotonic() - began_s
        while healths < passed_s / HEALTH_EVERY_S * kiosks:
            client.publish(*fleet.health(healths % kiosks), qos=1)
            healths += 1
        while crossings < passed_s * CROSSINGS_PER_S:
            client.publish(*fleet.crossing(crossings % kiosks), qos=1)
            crossings += 1
    until_s = time.monotonic() + LAST_RECEIPTS_S
    while fleet.waiting and time.monotonic() < until_s:
        time.sleep(TICK_S)
    client.disconnect()
    client.loop_stop()
    fleet.told.unanswered = fleet.waiting
    return fleet.told


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    told = main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
    print(msgspec.json.encode(told).decode(), flush=True)
