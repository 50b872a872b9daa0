"""The centre without a broker: what a message would do, done at once, for the tests of store, gaps and sums."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select

from central import gaps, registry
from central.database import reading
from central.gaps import Ask
from central.registry import Registry
from central.shelf import EpochKey
from central.store import Held, Store, Taken
from central.tables import branch, incident, record
from central.verify import Examiner
from edge.wire.record import Record
from edge.wire.topics import parse_topic, stream_topic
from tests.harness.kiosk_records import CentreKeys, FakeKiosk, batch, shared_centre_keys

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Centre:
    """A store that time and messages are given to by hand."""

    def __init__(self, engine: Engine, *, keys: CentreKeys | None = None, rejected_keep: int = 1000) -> None:
        self.engine = engine
        self.now = START
        self.store = Store(engine, rejected_keep=rejected_keep)
        keys = keys or shared_centre_keys()
        self.examiner = Examiner(Registry(engine, lambda: self.now.timestamp()).verifier_of, keys.opener)

    def register(self, *kiosks: FakeKiosk) -> None:
        """Register the keys of kiosks."""
        for kiosk in kiosks:
            registry.add_kiosk(self.engine, kiosk.name, kiosk.key, self.now)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def receive(self, kiosk: FakeKiosk, *records: Record) -> Taken:
        """Take records as one message of a kiosk."""
        return self.receive_bytes(stream_topic(kiosk.name, kiosk.stream), batch(*records))

    def receive_bytes(self, topic: str, payload: bytes) -> Taken:
        """Take any message."""
        good, bad = self.examiner.examine(parse_topic(topic), topic, payload)
        return self.store.take(good, bad, self.now)

    def sweep(self, patience_s: float = 5.0) -> list[Ask]:
        """Look for holes."""
        return gaps.sweep(self.engine, self.now, patience_s=patience_s)

    def states(self, kiosk: FakeKiosk) -> list[tuple[int, str, int | None]]:
        """Return sequence, state and branch of every stored record of the kiosk's present epoch."""
        columns = (record.c.sequence, record.c.state, record.c.branch)
        chosen = (record.c.kiosk == kiosk.name) & (record.c.stream == kiosk.stream) & (record.c.epoch == kiosk.epoch)
        with reading(self.engine) as connection:
            query = select(*columns).where(chosen).order_by(record.c.sequence, record.c.branch)
            return [tuple(row) for row in connection.execute(query)]

    def ends(self, kiosk: FakeKiosk) -> set[tuple[int, str]]:
        """Return where the branches of the kiosk's present epoch end."""
        chosen = (branch.c.kiosk == kiosk.name) & (branch.c.stream == kiosk.stream) & (branch.c.epoch == kiosk.epoch)
        with reading(self.engine) as connection:
            return {
                tuple(row) for row in connection.execute(select(branch.c.held_up_to, branch.c.hash_at).where(chosen))
            }

    def incidents(self, *, closed: bool = False) -> list[tuple[str, int, int]]:
        """Return kind, sequence and count of the incidents that are open, or closed."""
        is_closed = incident.c.closed_at.is_not(None) if closed else incident.c.closed_at.is_(None)
        columns = (incident.c.kind, incident.c.sequence, incident.c.count)
        with reading(self.engine) as connection:
            return [tuple(row) for row in connection.execute(select(*columns).where(is_closed).order_by(*columns))]


def key_of(kiosk: FakeKiosk) -> EpochKey:
    """Return the kiosk's present epoch."""
    return EpochKey(kiosk.name, kiosk.stream, kiosk.epoch)


def held_by(taken: Taken) -> list[tuple[int, str, bool]]:
    """Return what the receipts of a batch say."""
    return [(one.held_up_to, one.hash_at, one.is_forked) for one in taken.held if isinstance(one, Held)]
