"""A store with records that are really signed and sealed, as a kiosk's daemon would leave it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey

from edge.cache import Cache, StoredRecord
from edge.seal import Verifier
from edge.wire.record import EPOCH, Record
from tests.harness.kiosk_records import FakeKiosk, new_signing_key

KIOSK = "utopia/lane-1"
BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
STREAMS = ("crossing", "audit", "evidence")


@dataclass
class SealedStore:
    """The store of one kiosk; `interval` passes between two records."""

    path: Path
    key: OKPKey = field(default_factory=new_signing_key)
    interval: timedelta = timedelta(minutes=1)

    def __post_init__(self) -> None:
        self.now = BEGAN
        self.kiosks = {stream: FakeKiosk(KIOSK, stream=stream, key=self.key) for stream in STREAMS}
        self.cache = Cache.open(self.path)
        self.begin_epoch("epoch-a")

    @property
    def verifier(self) -> Verifier:
        """Return what knows the kiosk's key."""
        return Verifier([self.key])

    def begin_epoch(self, epoch: str) -> None:
        """Begin an epoch in every stream."""
        first = [self.stored(kiosk.start_epoch(epoch)) for kiosk in self.kiosks.values()]
        self.cache.begin_epoch(epoch, "2026-03-01T12:00:00Z", "test", first)

    def crossings(self, count: int, **fields: Any) -> list[StoredRecord]:
        """Append crossings one by one and return them."""
        return [self.append(self.kiosks["crossing"].crossing(), **fields) for _ in range(count)]

    def append(self, record: Record, **fields: Any) -> StoredRecord:
        """Append one record of any of the streams."""
        self.now += self.interval
        stored = self.stored(record, **fields)
        self.cache.append([stored])
        return stored

    def stored(self, record: Record, **fields: Any) -> StoredRecord:
        """Return a record as the cache keeps it."""
        kiosk = next(kiosk for kiosk in self.kiosks.values() if kiosk.hash == record.hash)
        is_crossing = kiosk.stream == "crossing" and record.type != EPOCH
        values = {
            "stream": kiosk.stream,
            "epoch": kiosk.epoch,
            "sequence": int(record.sequence),
            "id": record.id,
            "type": record.type,
            "time": self.now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "direction": "entry" if is_crossing else "",
            "outcome": "passed" if is_crossing else "",
            "training": False,
            "hash": record.hash,
            "body": record.encode(),
        }
        return StoredRecord(**values | fields)
