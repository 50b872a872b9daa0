"""Rows of the SQLite file as records and heads, each checked against its digest.

Owns what a row looks like and how it is read; it never writes. Always true: a record that is returned is, to the bit,
what was appended; whatever else lies at a position comes back as `Unreadable` and is no exception. A row keeps the hash
of the row before it (`prev`), so a neighbour can tell the hash of a record that is gone.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Literal

from edge.cache.pushdown import Condition
from edge.cache.records import DAMAGED, LOST, PURGED, Head, StoredRecord, Unreadable
from edge.cache.schema import HEAD_COLUMNS, RECORD_COLUMNS, store_error, stream_table
from edge.errors import StoreDamaged, StoreError

RECORD_WIDTH = len(RECORD_COLUMNS.split(","))
HEAD_WIDTH = len(HEAD_COLUMNS.split(","))

_DIGEST_BYTES = 16
_BATCH = 32  # records in memory at once, a photo being 40 kB
_SPAN = 4096  # positions that one read transaction looks at

# What SQLite and the sqlite3 module raise for a row whose pages, sizes or texts are not what was written.
ROW_ERRORS = (sqlite3.Error, UnicodeError, OverflowError, MemoryError)


def record_row(record: StoredRecord, prev: str) -> tuple:
    """Return the values of `RECORD_COLUMNS`; raises UnicodeEncodeError for text that is not Unicode."""
    values = (
        record.sequence,
        record.stream,
        record.epoch,
        record.id,
        record.type,
        record.time,
        record.direction,
        record.outcome,
        int(record.training),
        record.hash,
        prev,
    )
    return (*values, _digest(values, record.body), record.body)


def row_record(row: tuple) -> StoredRecord | None:
    """Return the record of a row of `RECORD_COLUMNS`, or None when the row is not what was written."""
    *values, digest, body = row
    try:
        if not isinstance(body, bytes) or _digest(tuple(values), body) != digest:
            return None
    except UnicodeError:
        return None
    sequence, stream, epoch, id_, type_, time, direction, outcome, training, hash_, _ = values
    return StoredRecord(stream, epoch, sequence, id_, type_, time, direction, outcome, bool(training), hash_, body)


def row_prev(row: tuple) -> str:
    """Return the hash of the record before that of a row."""
    return row[10]


def head_row(head: Head) -> tuple:
    """Return the values of `HEAD_COLUMNS`."""
    values = (
        head.stream,
        head.epoch,
        head.next_sequence,
        head.last_hash,
        head.held_up_to,
        head.purged_up_to,
        head.purged_hash,
        head.count,
        head.bytes,
    )
    return (*values, _digest(values, b""))


def row_head(row: tuple) -> Head | None:
    """Return the head of a row of `HEAD_COLUMNS`, or None when the row is not what was written."""
    *values, digest = row
    try:
        return Head(*values) if _digest(tuple(values), b"") == digest else None
    except UnicodeError:
        return None


def genuine_record(row: tuple) -> StoredRecord | None:
    """Return the record of a row from a page that may be damaged, None when it is not one that was written."""
    try:
        record = row_record(row)
        if record is not None:
            stream_table(record.stream)
        return record
    except (StoreError, TypeError, *ROW_ERRORS):
        return None


def genuine_head(row: tuple) -> Head | None:
    """Return the head of a row from a page that may be damaged, None when it is not one that was written."""
    try:
        head = row_head(row)
        if head is not None:
            stream_table(head.stream)
        return head
    except (StoreError, TypeError, *ROW_ERRORS):
        return None


def _digest(values: tuple, body: bytes) -> bytes:
    texts = [value if isinstance(value, str) else str(value) for value in values]
    digest = hashlib.blake2b("\0".join(texts).encode(), digest_size=_DIGEST_BYTES)
    digest.update(body)
    return digest.digest()


def purged_key(stream: str, type: str, *, training: bool) -> str:
    """Return the key in `state` under which purged records of a type are counted."""
    return f"purged {stream} {type} {'training' if training else 'real'}"


class Rows:
    """Reads heads and records over one connection; `path` is only what errors call the store."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let every read in the block see the same state; turn errors of SQLite into `StoreError`."""
        outer = self.connection.in_transaction
        try:
            if not outer:
                self.connection.execute("BEGIN")
            yield
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        finally:
            if not outer and self.connection.in_transaction:
                self.connection.execute("ROLLBACK")

    def heads(self) -> dict[str, Head]:
        """Return the head of every stream; raise `StoreDamaged` when one is not what was written."""
        heads = {}
        with self.snapshot():
            for row in self.connection.execute(f"SELECT {HEAD_COLUMNS} FROM head ORDER BY number"):
                head = row_head(row)
                if head is None:
                    raise StoreDamaged(f"{self.path.name}: a head was altered", remedy="restart to salvage the store")
                heads[head.stream] = head
        return heads

    def positions(self, head: Head, first: int, last: int) -> Iterator[StoredRecord | Unreadable]:
        """Yield what lies at each position from `first` to `last`; drain it inside one `snapshot`."""
        expected = first
        set_aside = self._set_aside(head.stream, first, last)
        try:
            for row in self._rows(head.stream, first, last):
                if row[0] < expected:
                    break  # keys out of order: the tree is damaged, so look for each position by itself
                while expected < row[0]:
                    yield self.position(head, expected)
                    expected += 1
                record = row_record(row) if expected not in set_aside and row[1] == head.stream else None
                yield record or self.position(head, expected)
                expected += 1
        except ROW_ERRORS:
            pass
        while expected <= last:
            yield self.position(head, expected)
            expected += 1

    def position(self, head: Head, sequence: int) -> StoredRecord | Unreadable:
        """Return what lies at one position: a tombstone before the record that it stands for."""
        tombstone = self._row("tombstone", "stream = ? AND sequence = ?", (head.stream, sequence))
        if isinstance(tombstone, tuple) and (record := row_record(tombstone)):
            return record
        record = self.stored(head.stream, sequence)
        if isinstance(record, StoredRecord):
            return record
        reason = DAMAGED if record is False else PURGED if sequence <= head.purged_up_to else LOST
        return Unreadable(head.stream, sequence, self.hash_by_neighbour(head, sequence), reason)

    def stored(self, stream: str, sequence: int) -> StoredRecord | Literal[False] | None:
        """Return the record of a row, tombstones aside: None when there is no row, False when it cannot be read."""
        row = self._row(stream_table(stream), "sequence = ?", (sequence,))
        if not isinstance(row, tuple):
            return row if row is None else False
        record = row_record(row) if (row[0], row[1]) == (sequence, stream) else None
        return record or False

    def hash_by_neighbour(self, head: Head, sequence: int) -> str:
        """Return the hash at a position without its record: from head, checkpoint or the next record's `prev`."""
        if sequence == head.next_sequence - 1:
            return head.last_hash
        if sequence == head.purged_up_to:
            return head.purged_hash
        row = self._row(stream_table(head.stream), "sequence = ?", (sequence + 1,))
        if isinstance(row, tuple) and row[0] == sequence + 1 and row_record(row):
            return row_prev(row)
        tombstone = self._row("tombstone", "stream = ? AND sequence = ?", (head.stream, sequence + 1))
        return row_prev(tombstone) if isinstance(tombstone, tuple) and row_record(tombstone) else ""

    def record(self, stream: str, sequence: int) -> StoredRecord | None:
        """Return one record, or the tombstone in its place; None when there is none or it cannot be read."""
        with self.snapshot():
            head = self.heads().get(stream)
            if head is None or not 1 <= sequence < head.next_sequence:
                return None
            found = self.position(head, sequence)
        return found if isinstance(found, StoredRecord) else None

    def records(self, stream: str, where: Condition) -> Iterator[StoredRecord]:
        """Yield the readable records that match, in order, and near damage perhaps some that do not.

        Reads a few at a time, each time in a transaction of its own: an iteration may last for hours.
        """
        head = self.heads().get(stream)
        if head is None:
            return
        with self.snapshot():
            sequence = self._before_first(head)
        while sequence < head.next_sequence - 1:
            with self.snapshot():
                found, sequence = self._batch(head, sequence, where)
            yield from found

    def state(self, key: str) -> str | None:
        """Return a value of the daemon's own, None when it never was set."""
        row = self.connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _batch(self, head: Head, after: int, where: Condition) -> tuple[list[StoredRecord], int]:
        """Return some records after a sequence and how far the search for them went."""
        up_to = min(after + _SPAN, head.next_sequence - 1)
        if not self._set_aside(head.stream, after + 1, up_to):
            try:
                rows = self.connection.execute(
                    f"SELECT {RECORD_COLUMNS} FROM {stream_table(head.stream)} "
                    f"WHERE sequence > ? AND sequence <= ? AND {where.sql} ORDER BY sequence LIMIT {_BATCH}",
                    (after, up_to, *where.parameters),
                ).fetchall()
                found = [row_record(row) for row in rows]
                if None not in found and all(a.sequence < b.sequence for a, b in pairwise(found)):
                    return found, (found[-1].sequence if len(found) == _BATCH else up_to)
            except ROW_ERRORS:
                pass
        up_to = min(after + _BATCH, up_to)
        found = list(self.positions(head, after + 1, up_to))
        return [record for record in found if isinstance(record, StoredRecord)], up_to

    def _before_first(self, head: Head) -> int:
        """Return the sequence before the lowest one here: an old fork's records may lie below the checkpoint."""
        lowest = [head.purged_up_to + 1]
        for table, where in ((stream_table(head.stream), "1"), ("tombstone", "stream = ?")):
            try:
                key = (head.stream,) if "?" in where else ()
                lowest += self.connection.execute(f"SELECT min(sequence) FROM {table} WHERE {where}", key).fetchone()
            except ROW_ERRORS:
                pass
        return min(sequence for sequence in lowest if sequence is not None) - 1

    def _rows(self, stream: str, first: int, last: int) -> Iterator[tuple]:
        return self.connection.execute(
            f"SELECT {RECORD_COLUMNS} FROM {stream_table(stream)} WHERE sequence BETWEEN ? AND ? ORDER BY sequence",
            (first, last),
        )

    def _row(self, table: str, where: str, key: tuple) -> tuple | Exception | None:
        """Return one row, None when there is none, or the error that kept it from being read."""
        try:
            return self.connection.execute(f"SELECT {RECORD_COLUMNS} FROM {table} WHERE {where}", key).fetchone()
        except ROW_ERRORS as error:
            return error

    def _set_aside(self, stream: str, first: int, last: int) -> frozenset[int]:
        found = self.connection.execute(
            "SELECT sequence FROM tombstone WHERE stream = ? AND sequence BETWEEN ? AND ?", (stream, first, last)
        )
        return frozenset(sequence for (sequence,) in found)
