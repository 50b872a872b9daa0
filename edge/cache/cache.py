"""The local cache as its one writer sees it.

Owns the order of things: what is appended, held, released, set aside and purged, and when the file is synced. It holds
no key and does not know what a record says. Always true: one crossing is one transaction and one sync, its photo
included; only a receipt releases a record; nothing is shown to the traveller before `append` returns.

One thread at a time uses a `Cache`; others read through a `CacheReader` of their own.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace
from tinydb import TinyDB

from edge.cache.records import DAMAGED, LOST, Head, Salvage, StoredRecord, Unreadable
from edge.cache.rows import purged_key, record_row
from edge.cache.salvage import Progress, damage_marker, pending_salvage, settle_salvage
from edge.cache.schema import PAGE_BYTES, RECORD_COLUMNS, RECORD_PLACES, store_error, stream_table
from edge.cache.start import open_sound
from edge.cache.storage import SqliteStorage
from edge.cache.table import StreamDB
from edge.errors import StoreError

PURGE_SLICE_RECORDS = 200


class Cache:
    """The writer's side of a store. `db` is TinyDB's face of it: `cache.db.table("crossing").search(...)`."""

    def __init__(self, connection: sqlite3.Connection, path: Path, lock: int) -> None:
        self.path = path
        self.db: TinyDB = StreamDB(connection, path, damaged=damage_marker(path).touch)
        self.salvaged: Salvage | None = pending_salvage(connection)
        self._storage: SqliteStorage = self.db.storage
        self._connection = connection
        self._lock = lock

    @classmethod
    def open(cls, path: Path, *, progress: Progress | None = None) -> Cache:
        """Open the store, making it (mode 0600) where there is none and salvaging it where it is damaged.

        Damage is no error: `salvaged` then says what happened, and `begin_epoch` must come before anything else.
        `progress(done, total)` is called while a salvage reads the damaged file, in bytes. Raises `StoreError` when
        another process has the store open, when a newer Landfall wrote it, or when the folder cannot be used.
        """
        lock = take_lock(path)
        try:
            return cls(open_sound(path, progress or (lambda done, total: None)), path, lock)
        except BaseException:
            os.close(lock)
            raise

    def heads(self) -> dict[str, Head]:
        """Return the head of every stream by its name; empty in a new store."""
        return dict(self._storage.heads())

    def head(self, stream: str) -> Head | None:
        """Return the head of one stream, None when it has never begun."""
        return self._storage.heads().get(stream)

    def begin_epoch(self, epoch: str, started_at: str, reason: str, first: Sequence[StoredRecord]) -> None:
        """Begin an epoch in every stream that `first` has a record of, with that record, in one transaction.

        The sequence of a stream goes on at its head's `next_sequence`, and is 1 in a new one. Raises `StoreError` for
        an epoch without a name, or for a record that is not the next.
        """
        if not epoch or not first:
            raise StoreError("an epoch needs a name, and a record in every stream that it begins in")
        with self._storage.transaction() as heads:
            self._connection.execute(
                "INSERT INTO epoch (epoch, started_at, reason) VALUES (?, ?, ?) ON CONFLICT (epoch) DO NOTHING",
                (epoch, started_at, reason),
            )
            for stream in dict.fromkeys(record.stream for record in first):
                self._storage.put_head(heads, replace(heads.get(stream) or Head(stream, epoch), epoch=epoch))
            self._storage.append_within(heads, first)
            settle_salvage(self._connection)
        self.salvaged = None

    def append(self, records: Sequence[StoredRecord], state: Mapping[str, str] | None = None) -> None:
        """Append records of any streams, and keep small values, in one transaction; on disk when this returns.

        Each must be the next of its stream in the head's epoch. Raises `StoreFull` when the disk has no room,
        `StoreDamaged` when SQLite finds the file damaged, `StoreError` otherwise; nothing was appended then, and a
        later append may work.
        """
        self._storage.append(records, state)

    def hold(self, stream: str, up_to: int, at: float) -> None:
        """Take note of a verified receipt: the centre holds the stream up to `up_to`; `at` is by the clock of `purge`.

        A receipt that says no more than one before it changes nothing, one beyond the head counts up to the head. Not
        synced: a lost receipt comes again.
        """
        head = self._known(stream)
        up_to = min(up_to, head.next_sequence - 1)
        if up_to <= head.held_up_to:
            return
        with self._storage.transaction(synced=False) as heads:
            self._storage.put_head(heads, replace(head, held_up_to=up_to))
            self._connection.execute(
                "INSERT INTO release (stream, at, up_to) VALUES (?, ?, ?) "
                "ON CONFLICT (stream, at) DO UPDATE SET up_to = max(up_to, excluded.up_to)",
                (stream, float(at), up_to),
            )

    def rewind(self, stream: str, to: int) -> None:
        """Go back to sending from `to` + 1, since the centre asked; later receipts release those records anew."""
        head = self._known(stream)
        to = max(to, 0)
        if to >= head.held_up_to:
            return
        with self._storage.transaction() as heads:
            self._storage.put_head(heads, replace(head, held_up_to=to))
            self._connection.execute("DELETE FROM release WHERE stream = ? AND up_to > ?", (stream, to))

    def mark_forked(self, epoch: str) -> None:
        """Keep every record of an epoch: the centre has seen two histories of it."""
        with self._storage.transaction():
            self._connection.execute(
                "INSERT INTO epoch (epoch, started_at, reason, forked) VALUES (?, '', 'seen in a receipt', 1) "
                "ON CONFLICT (epoch) DO UPDATE SET forked = 1",
                (epoch,),
            )

    def set_aside(self, unreadable: Unreadable, tombstone: StoredRecord) -> None:
        """Put a tombstone in the place of a record that cannot be read; from now on it is what every reader gets.

        Its `hash` is the place of the position in the chain. Raises `StoreError` when the tombstone names another
        position, or one that the stream does not have.
        """
        head = self._known(unreadable.stream)
        place = (tombstone.stream, tombstone.sequence)
        if place != (unreadable.stream, unreadable.sequence) or not 1 <= tombstone.sequence < head.next_sequence:
            raise StoreError(f"{place[0]} {place[1]}: not the position of the record that cannot be read")
        # Read first: once SQLite has met a bad page in a writing transaction, that transaction can write no more.
        rows = self._storage.rows
        found = rows.position(head, tombstone.sequence)
        prev = rows.position(head, tombstone.sequence - 1).hash if tombstone.sequence > 1 else ""
        with self._storage.transaction() as heads:
            self._connection.execute(
                f"INSERT OR REPLACE INTO tombstone ({RECORD_COLUMNS}) VALUES ({RECORD_PLACES})",
                record_row(tombstone, prev),
            )
            if isinstance(found, Unreadable) and found.reason == LOST:
                grown = replace(head, count=head.count + 1, bytes=head.bytes + len(tombstone.body))
                self._storage.put_head(heads, grown)

    def purge(self, before: float, *, slice_records: int = PURGE_SLICE_RECORDS) -> int:
        """Delete one slice of records that a receipt released before a time (as in `hold`); return how many positions.

        Call it again until it returns 0; the stream with the most bytes comes first, which makes room soonest. Records
        of a forked epoch stay, and so does a row that cannot be read: the chain of its pages may lead into another
        record's.
        """
        for head in sorted(self._storage.heads().values(), key=lambda head: -head.bytes):
            up_to = min(self._released(head, before), head.purged_up_to + slice_records)
            if up_to > head.purged_up_to:
                self._purge(head, up_to)
                return up_to - head.purged_up_to
        return 0

    def _released(self, head: Head, before: float) -> int:
        with self._storage.rows.snapshot():
            (released,) = self._connection.execute(
                "SELECT max(up_to) FROM release WHERE stream = ? AND at < ?", (head.stream, float(before))
            ).fetchone()
        return min(released or 0, head.held_up_to)

    def _purge(self, head: Head, up_to: int) -> None:
        rows, going, size, damaged = self._storage.rows, [], 0, 0
        types: Counter[tuple[str, bool]] = Counter()
        with rows.snapshot():
            forked = {epoch for (epoch,) in self._connection.execute("SELECT epoch FROM epoch WHERE forked")}
            for sequence in range(head.purged_up_to + 1, up_to + 1):
                found = rows.position(head, sequence)
                if isinstance(found, Unreadable):
                    damaged += found.reason == DAMAGED
                elif found.epoch not in forked:
                    going.append((sequence, bool(rows.stored(head.stream, sequence))))
                    types[found.type, found.training] += 1
                    size += len(found.body)
        count = max(head.count - len(going) - damaged, 0)
        purged = replace(
            head,
            purged_up_to=up_to,
            purged_hash=found.hash,
            count=count,
            bytes=max(head.bytes - size, 0) if count else 0,
        )
        with self._storage.transaction(synced=False) as heads:
            for sequence, has_row in going:
                if has_row:
                    self._connection.execute(f"DELETE FROM {stream_table(head.stream)} WHERE sequence = ?", (sequence,))
                self._connection.execute(
                    "DELETE FROM tombstone WHERE stream = ? AND sequence = ?", (head.stream, sequence)
                )
            for (type, training), number in types.items():
                self._connection.execute(
                    "INSERT INTO state (key, value) VALUES (?, ?) "
                    "ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + excluded.value AS TEXT)",
                    (purged_key(head.stream, type, training=training), str(number)),
                )
            # The last receipt stays: should the head be lost, it still says how far the centre holds the stream.
            self._connection.execute("DELETE FROM release WHERE stream = ? AND up_to < ?", (head.stream, up_to))
            self._storage.put_head(heads, purged)

    def checkpoint(self) -> bool:
        """Move what was synced from the log into the file, as far as readers allow; True when nothing is left to move.

        Call it when the lane has been idle for some time, not after each crossing: the next append syncs twice, since
        it begins the log anew. Under constant load SQLite does it by itself when the log reaches 4 MiB.
        """
        try:
            busy, logged, moved = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        return not busy and logged == moved

    def reusable_bytes(self) -> int:
        """Return the room that purged records have left in the file: the next ones take it, the disk never sees it."""
        with self._storage.rows.snapshot():
            (pages,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        return pages * PAGE_BYTES

    def state(self, key: str) -> str | None:
        """Return a value that the daemon keeps, None when it never was set."""
        with self._storage.rows.snapshot():
            return self._storage.rows.state(key)

    def set_state(self, key: str, value: str, *, synced: bool = True) -> None:
        """Keep a small value of the daemon's own; an empty one is forgotten.

        One that may be lost in a power cut need not be `synced`.
        """
        with self._storage.transaction(synced=synced):
            self._storage.put_state(key, value)

    def close(self) -> None:
        """Close the store and let another process open it; may be called twice."""
        self.db.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _known(self, stream: str) -> Head:
        head = self.head(stream)
        if head is None:
            raise StoreError(f"{stream!r}: there is no such stream in the store")
        return head


def take_lock(path: Path) -> int:
    """Take the lock that only one writer can have; a second one must not take a busy store for a damaged one."""
    try:
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}", remedy="check the folder and its owner") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StoreError(f"{path}: another process has the store open", remedy="stop it first") from None
    return descriptor
