"""Walk the chain of everything that the cache holds, and say where it is not whole.

Owns what makes a record stand where it stands on the kiosk: readable, signed by this kiosk for this very position, its
letter the one that was signed, and behind the record before it. Always true: nothing is changed, and a walk reads a few
records at a time, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from tinydb import where

from edge.cache import CacheReader, Head, StoredRecord, Unreadable
from edge.cache.records import PURGED
from edge.errors import ContractError, SealError
from edge.wire.messages import RECORD_TYP
from edge.wire.record import EPOCH, TOMBSTONE, Claims, Record, decode_claims, decode_record, sha256_hex

BREAKS_SHOWN = 20
_BATCH_RECORDS, _BATCH_BYTES = 200, 1024 * 1024

Progress = Callable[[int, int], None]


class Verifies(Protocol):
    """`edge.seal.Verifier` with the kiosk's own key."""

    def verify(self, token: str, typ: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """A position at which the chain is not whole."""

    stream: str
    sequence: int
    reason: str


@dataclass(slots=True)
class StreamReport:
    """What the walk over one stream saw, `first` to `last` (0 where it keeps nothing)."""

    first: int = 0
    last: int = 0
    records: int = 0
    tombstones: int = 0
    breaks: int = 0


@dataclass(slots=True)
class ChainReport:
    """What a walk found; `breaks` are the first few of all that the streams count."""

    kiosk: str
    streams: dict[str, StreamReport] = field(default_factory=dict)
    breaks: list[ChainBreak] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Tell whether no break was found."""
        return not any(stream.breaks for stream in self.streams.values())


def verify(
    reader: CacheReader, verifier: Verifies, kiosk: str, streams: Iterable[str], progress: Progress
) -> ChainReport:
    """Walk the streams; `progress(done, total)` is told positions."""
    known = reader.heads()
    heads = {stream: known[stream] for stream in streams}
    total = sum(head.next_sequence - 1 - head.purged_up_to for head in heads.values())
    report, done = ChainReport(kiosk), 0
    for stream, head in heads.items():
        report.streams[stream] = StreamReport()
        walk = _Walk(reader, verifier, kiosk, head, report)
        walk.kept_of_forks()
        for walked in walk.follow():
            progress(done + walked, total)
        done += head.next_sequence - 1 - head.purged_up_to
    return report


@dataclass(slots=True)
class _Walk:
    """The walk over one stream; `hash` and `epoch` are those of the position before."""

    reader: CacheReader
    verifier: Verifies
    kiosk: str
    head: Head
    report: ChainReport
    hash: str = ""
    epoch: str = ""
    knows_hash: bool = True  # False behind a blank tombstone or what cannot be read: its true hash is not known

    def kept_of_forks(self) -> None:
        """Check what stays below the checkpoint because its epoch forked: each record by itself."""
        for document in self.reader.table(self.head.stream).iterate(where("sequence") <= self.head.purged_up_to):
            found = self.reader.first_after(self.head.stream, document.doc_id - 1, limit=1, max_bytes=1)
            if found and isinstance(found[0], StoredRecord):
                self._count(found[0])
                self._claims(found[0])

    def follow(self) -> Iterable[int]:
        """Check everything above the checkpoint, and the head; yield how many positions were walked."""
        stream, last = self.head.stream, self.head.next_sequence - 1
        sequence = self.head.purged_up_to
        self.hash, self.knows_hash = self.head.purged_hash, bool(self.head.purged_hash) or sequence == 0
        while sequence < last:
            for found in self.reader.first_after(stream, sequence, limit=_BATCH_RECORDS, max_bytes=_BATCH_BYTES):
                if found.sequence > last:
                    break
                self._step(found)
                sequence = found.sequence
            yield sequence - self.head.purged_up_to
        if self.knows_hash and self.hash != self.head.last_hash:
            self._broken(last, "the head names another record as the last one")
        if self.epoch and self.head.epoch and self.epoch != self.head.epoch:
            self._broken(last, "the head names another epoch than the last record")

    def _step(self, found: StoredRecord | Unreadable) -> None:
        if isinstance(found, Unreadable):
            if found.reason != PURGED:  # released while this walk goes on
                self._broken(found.sequence, f"the record cannot be read ({found.reason})")
            self.hash, self.epoch, self.knows_hash = found.hash, "", bool(found.hash)
            return
        self._count(found)
        claims = self._claims(found)
        if claims is None:
            self.epoch, self.knows_hash = "", False
            return
        is_tombstone = claims.type == TOMBSTONE
        may_follow = not self.knows_hash or claims.prev == self.hash or (is_tombstone and not claims.prev)
        if not may_follow:
            self._broken(found.sequence, "it does not follow the record before it")
        elif self.epoch and found.epoch != self.epoch and claims.type not in (EPOCH, TOMBSTONE):
            self._broken(found.sequence, "a new epoch begins without its first record")
        self.hash, self.epoch = found.hash, found.epoch
        self.knows_hash = not is_tombstone or bool(claims.replaces)

    def _count(self, found: StoredRecord) -> None:
        stream = self.report.streams[self.head.stream]
        stream.first = stream.first or found.sequence
        stream.last = found.sequence
        stream.records += 1
        stream.tombstones += found.type == TOMBSTONE

    def _claims(self, found: StoredRecord) -> Claims | None:
        """Return what a record's envelope signs, None (and a break) when it is not good in itself."""
        try:
            record = decode_record(found.body)
            claims = decode_claims(self.verifier.verify(record.signature, RECORD_TYP))
            wrong = self._differs(found, record, claims)
        except (ContractError, SealError) as error:
            wrong = error.message
        if wrong:
            self._broken(found.sequence, wrong)
            return None
        return claims

    def _differs(self, found: StoredRecord, record: Record, claims: Claims) -> str:
        """Return the first thing in which record, envelope and row differ, or nothing."""
        position = (claims.kiosk, claims.stream, claims.epoch, claims.sequence)
        if position != (self.kiosk, found.stream, found.epoch, found.sequence):
            return "its envelope is of another position"
        if (record.kiosk, record.type, record.sequence) != (claims.kiosk, claims.type, str(claims.sequence)):
            return "record and envelope differ"
        if claims.type != found.type or found.hash != (claims.replaces or record.hash):
            return "the envelope differs from what is stored beside it"
        return "" if sha256_hex(record.data) == claims.sha256 else "its letter is not the one that was signed"

    def _broken(self, sequence: int, reason: str) -> None:
        self.report.streams[self.head.stream].breaks += 1
        if len(self.report.breaks) < BREAKS_SHOWN:
            self.report.breaks.append(ChainBreak(self.head.stream, sequence, reason))
