"""Compare what a kiosk says it captured with what is stored, and walk its chain.

Owns the sums, and the form of a kiosk's count (`KioskCount`), which `landfall queue stats --json` prints. Always true:
nothing is changed; the walk reads one record at a time and verifies every signature anew, with every key that the kiosk
ever had, so that records which were altered in the database are found too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

import msgspec
from sqlalchemy import Connection, Engine, Row, func, select

from central import database, shelf
from central.chain import End, Standing, highest
from central.registry import every_key_of
from central.shelf import EpochKey
from central.tables import branch, crossing, record
from edge.errors import ContractError, SealError
from edge.seal import Verifier
from edge.wire.messages import RECORD_TYP
from edge.wire.record import AMENDMENT, TOMBSTONE, decode_claims, sha256_hex
from edge.wire.topics import Stream

BREAKS_SHOWN = 20


class CountedHead(msgspec.Struct, frozen=True):
    """The end of a stream on the kiosk: `hash` is that of the record at `next_sequence` - 1."""

    epoch: str
    next_sequence: int
    hash: str


class KioskCount(msgspec.Struct, frozen=True):
    """A kiosk's own count: the end of each stream, and how many crossings it captured (each once, without practice).

    A kiosk that does not count crossings leaves `captured` out; records of its crossing stream are compared instead.
    """

    kiosk: str
    streams: dict[str, CountedHead]
    captured: int | None = None


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """A place where the stored chain is not whole."""

    stream: str
    epoch: str
    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk over a kiosk's chain found. `waiting` records stand after a hole that has not been filled."""

    records: int
    tombstones: int
    quarantined: int
    waiting: int
    branches: int
    breaks: int
    examples: tuple[ChainBreak, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A kiosk's count against the centre's.

    `stored` are crossings, each once, without practice (`training`). `lost` are those that the kiosk captured and the
    centre does not hold (yet), `surplus` those that the kiosk does not count, `duplicated` second copies of a crossing.
    `voided` are those of `stored` that an amendment says do not count: they stay captured and stored at both ends.
    `unheld` are records of any stream that the kiosk has and the centre does not hold yet.
    """

    kiosk: str
    captured: int | None
    stored: int
    lost: int
    duplicated: int
    surplus: int
    chain_breaks: int
    training: int
    unheld: int
    chain: ChainReport
    voided: int = 0

    @property
    def is_clean(self) -> bool:
        """Tell whether every crossing is stored once, in an unbroken chain."""
        return not (self.lost or self.duplicated or self.surplus or self.chain_breaks)


def read_count(text: bytes) -> KioskCount:
    """Parse a kiosk's count; raise `ContractError` when it has another form."""
    try:
        return msgspec.json.decode(text, type=KioskCount)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ContractError("not a kiosk's count: it is the JSON that `landfall queue stats --json` prints") from None


def reconcile(engine: Engine, kiosk: str, count: KioskCount | None = None) -> Reconciliation:
    """Compare a kiosk's count with what is stored; without a count, only the chain and duplicates are judged.

    A crossing is counted by its id. Where a stream ends on the kiosk with a record that the centre holds under another
    hash, that is a break of the chain.
    """
    heads = count.streams if count else {}
    with database.reading(engine) as connection:
        chain = _walk(connection, kiosk)
        rows, stored = _counted(connection, kiosk, training=False)
        training, _ = _counted(connection, kiosk, training=True)
        voided = _voided(connection, kiosk)
        unheld = {stream: _unheld(connection, kiosk, stream, head) for stream, head in heads.items()}
        breaks = chain.breaks + sum(_differs(connection, kiosk, stream, head) for stream, head in heads.items())
    captured = count.captured if count else None
    return Reconciliation(
        kiosk=kiosk,
        captured=captured,
        stored=stored,
        lost=unheld.get(Stream.CROSSING, 0) if captured is None else max(0, captured - stored),
        duplicated=rows - stored,
        surplus=0 if captured is None else max(0, stored - captured),
        chain_breaks=breaks,
        training=training,
        unheld=sum(unheld.values()),
        chain=chain,
        voided=voided,
    )


def verify_chain(engine: Engine, kiosk: str) -> ChainReport:
    """Walk every stream of a kiosk from the start of each epoch to the ends of its branches."""
    with database.reading(engine) as connection:
        return _walk(connection, kiosk)


def _counted(connection: Connection, kiosk: str, *, training: bool) -> tuple[int, int]:
    query = select(func.count(), func.count(crossing.c.id.distinct())).where(
        crossing.c.kiosk == kiosk, crossing.c.training.is_(training)
    )
    rows, distinct = connection.execute(query).one()
    return rows, distinct


class _Void(msgspec.Struct):
    """What counting needs of an amendment."""

    kind: str = ""
    amends: str = ""


def _voided(connection: Connection, kiosk: str) -> int:
    """Return how many crossings, each once and without practice, an amendment has voided."""
    query = select(record.c.plaintext).where(record.c.kiosk == kiosk, record.c.type == AMENDMENT)
    voided = set()
    for plaintext in connection.execution_options(yield_per=500).scalars(query):
        try:
            amendment = msgspec.json.decode(plaintext or b"{}", type=_Void)
        except msgspec.DecodeError:  # quarantined; the walk counts it
            continue
        if amendment.kind == "void":
            voided.add(amendment.amends)
    counted = select(crossing.c.id).where(crossing.c.kiosk == kiosk, crossing.c.training.is_(False)).distinct()
    return sum(id in voided for id in connection.scalars(counted)) if voided else 0


def _differs(connection: Connection, kiosk: str, stream: str, head: CountedHead) -> bool:
    """Tell whether the centre holds other records than the kiosk's where its stream ends."""
    query = select(record.c.hash).where(
        record.c.kiosk == kiosk,
        record.c.stream == stream,
        record.c.epoch == head.epoch,
        record.c.sequence == head.next_sequence - 1,
    )
    held = set(connection.scalars(query))
    return bool(held) and head.hash not in held


def _unheld(connection: Connection, kiosk: str, stream: str, head: CountedHead) -> int:
    """Return how many records below the end of a kiosk's stream no branch of its epoch covers."""
    branches = shelf.ends_of(connection, [EpochKey(kiosk, stream, head.epoch)])[EpochKey(kiosk, stream, head.epoch)]
    return max(0, head.next_sequence - 1 - highest(branches))


def _walk(connection: Connection, kiosk: str) -> ChainReport:
    names = ("stream", "epoch", "sequence", "hash", "prev", "type", "state", "branch", "envelope")
    query = select(*(record.c[name] for name in names)).where(record.c.kiosk == kiosk)
    ordered = query.order_by(record.c.stream, record.c.epoch, record.c.sequence, record.c.hash)
    streamed = connection.execution_options(yield_per=500).execute(ordered)
    ends = _ends_of(connection, kiosk)
    walk = _Walk(every_key_of(connection, kiosk))
    for (stream, epoch), rows in groupby(streamed, key=lambda row: (row.stream, row.epoch)):
        walk.follow(EpochKey(kiosk, stream, epoch), rows, ends.pop(EpochKey(kiosk, stream, epoch), {}))
    for key, branches in ends.items():
        if any(end.root_sequence for end in branches.values()):
            walk.broken(key, 0, "no record of this epoch is stored")
    return walk.report()


def _ends_of(connection: Connection, kiosk: str) -> dict[EpochKey, dict[int, End]]:
    columns = (branch.c.stream, branch.c.epoch)
    keys = [
        EpochKey(kiosk, *row) for row in connection.execute(select(*columns).where(branch.c.kiosk == kiosk).distinct())
    ]
    return shelf.ends_of(connection, keys)


class _Walk:
    """Follows the records of one epoch after the other, and adds up what it finds."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._counts = dict.fromkeys(("records", "tombstones", "quarantined", "waiting", "branches"), 0)
        self._breaks: list[ChainBreak] = []
        self._broken = 0

    def report(self) -> ChainReport:
        """Return the sums."""
        return ChainReport(**self._counts, breaks=self._broken, examples=tuple(self._breaks))

    def broken(self, key: EpochKey, sequence: int, reason: str) -> None:
        """Count one break; the first few are kept."""
        self._broken += 1
        if len(self._breaks) < BREAKS_SHOWN:
            self._breaks.append(ChainBreak(key.stream, key.epoch, sequence, reason))

    def follow(self, key: EpochKey, rows: Iterator[Row], branches: dict[int, End]) -> None:
        """Check one epoch: each record by itself, against the one before it, and the ends of the branches."""
        roots = {(number, end.root_sequence) for number, end in branches.items()}
        ends = {(end.held_up_to, end.hash_at) for end in branches.values() if end.root_sequence}
        self._counts["branches"] += len(ends)
        before: set[str] = set()
        before_sequence = 0
        for sequence, level in groupby(rows, key=lambda row: row.sequence):
            here: set[str] = set()
            for row in level:
                self._counts["records"] += 1
                self._counts["tombstones"] += row.type == TOMBSTONE
                self._counts["quarantined"] += row.state == Standing.QUARANTINE.state
                self._check(key, row)
                if row.branch is None:
                    self._counts["waiting"] += 1
                    continue
                here.add(row.hash)
                ends.discard((sequence, row.hash))
                is_root = (row.branch, sequence) in roots and (row.branch == 0 or row.prev not in before)
                follows = before_sequence == sequence - 1 and (row.prev in before or _may_follow_anything(row))
                if not (follows or is_root):
                    self.broken(key, sequence, "the record before it is not stored")
            before, before_sequence = here, sequence
        for held_up_to, _ in ends:
            self.broken(key, held_up_to, "the end of a branch is not stored")

    def _check(self, key: EpochKey, row: Row) -> None:
        try:
            claims = decode_claims(self._verifier.verify(row.envelope, RECORD_TYP))
        except (SealError, ContractError) as error:
            self.broken(key, row.sequence, error.message)
            return
        place = claims.replaces or sha256_hex(row.envelope)
        is_blank = claims.type == TOMBSTONE and not claims.replaces
        if (claims.kiosk, claims.stream, claims.epoch, claims.sequence) != (*key, row.sequence):
            self.broken(key, row.sequence, "the envelope is of another position")
        elif (claims.prev, claims.type) != (row.prev, row.type) or (place != row.hash and not is_blank):
            self.broken(key, row.sequence, "the envelope differs from what is stored beside it")


def _may_follow_anything(row: Row) -> bool:
    """Tell whether this tombstone did not know the record before it, which was lost too."""
    return row.type == TOMBSTONE and not row.prev
