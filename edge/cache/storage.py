"""TinyDB's storage on SQLite: the one path by which records enter the file.

Owns transactions, appending and the heads that a writer remembers. TinyDB hands a storage the whole database as one
dictionary; here `read` gives views that look rows up when asked, and `write` refuses, because streams only grow.
Always true: an append is one transaction, synced when it returns; after any failure nothing of it is in the file and
the next append starts from what the file says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from tinydb.storages import Storage

from edge.cache.documents import document_of
from edge.cache.pushdown import TRUE
from edge.cache.records import Head, StoredRecord
from edge.cache.rows import Rows, head_row, record_row
from edge.cache.schema import (
    HEAD_COLUMNS,
    HEAD_PLACES,
    create_stream,
    insert_into,
    store_error,
)
from edge.errors import StoreDamaged, StoreError, StreamsOnlyGrow

_UPDATE_HEAD = (
    f"UPDATE head SET ({HEAD_COLUMNS}) = ({HEAD_PLACES}) WHERE stream = ? AND next_sequence = ? AND held_up_to = ?"
)


class StreamView(Mapping[str, Mapping[str, Any]]):
    """One stream as the mapping that TinyDB's storages return; every look goes to the file."""

    def __init__(self, rows: Rows, stream: str) -> None:
        self._rows = rows
        self._stream = stream

    def __getitem__(self, doc_id: str) -> dict[str, Any]:
        sequence = sequence_named(doc_id)
        record = self._rows.record(self._stream, sequence) if sequence else None
        if record is None:
            raise KeyError(doc_id)
        return document_of(record)

    def __iter__(self) -> Iterator[str]:
        return (str(record.sequence) for record in self._rows.records(self._stream, TRUE))

    def __len__(self) -> int:
        head = self._rows.heads().get(self._stream)
        return head.count if head else 0


def sequence_named(doc_id: object) -> int | None:
    """Return the sequence that a document id names; TinyDB compares ids as text, so "5" names what 5 names."""
    text = str(doc_id)
    return int(text) if text.isascii() and text.isdecimal() and str(int(text)) == text else None


class SqliteStorage(Storage):
    """A store of streams on one connection; `damaged` is called, once each time, when SQLite reports damage."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, *, damaged: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__()
        self.rows = Rows(connection, path)
        self._connection = connection
        self._path = path
        self._damaged = damaged
        self._remembered: dict[str, Head] | None = None
        self._is_synced = True

    # TinyDB's side

    def read(self) -> dict[str, Mapping[str, Any]] | None:
        """Return a view of every stream, keyed by its name; None when there is no stream yet."""
        return {stream: StreamView(self.rows, stream) for stream in self.rows.heads()} or None

    def write(self, data: Mapping[str, Mapping[str, Any]]) -> NoReturn:
        """Refuse: TinyDB writes a whole database, and streams only grow."""
        raise StreamsOnlyGrow("a store of streams cannot be replaced or dropped", remedy="insert into a stream's table")

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._connection.close()

    # The writer's side

    def heads(self) -> dict[str, Head]:
        """Return the heads as the last transaction left them; one writer owns the file, so they are remembered."""
        if self._remembered is None:
            self._remembered = self.rows.heads()
        return self._remembered

    @contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[dict[str, Head]]:
        """Run the block as one transaction and commit it; give it the heads to change with `put_head`.

        What the centre can tell again (receipts, and so purging) need not be `synced`: the order of commits is kept,
        a power cut takes only the last ones, and a card has one sync less.
        """
        try:
            self._sync_at_commit(synced)
            self._connection.execute("BEGIN IMMEDIATE")
            heads = dict(self.heads())
            yield heads
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(store_error(error, self._path)) from error
        except BaseException as error:
            self._failed(error)
            raise
        self._remembered = heads

    def append(self, records: Iterable[StoredRecord], state: Mapping[str, str] | None = None) -> None:
        """Append records, of several streams if need be, in one transaction with one sync.

        Raises `StoreError` for a record that is not the next of its stream in the head's epoch, `StoreFull` and
        `StoreDamaged`; then none of them is in the store.
        """
        with self.transaction() as heads:
            self.append_within(heads, records)
            for key, value in (state or {}).items():
                self.put_state(key, value)

    def put_state(self, key: str, value: str) -> None:
        """Keep a value inside a transaction, or forget it when it is empty."""
        if value:
            self._connection.execute("INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)", (key, value))
        else:
            self._connection.execute("DELETE FROM state WHERE key = ?", (key,))

    def append_within(self, heads: dict[str, Head], records: Iterable[StoredRecord]) -> None:
        """Append inside a transaction that the caller has begun, and move its heads on."""
        grown: dict[str, Head] = {}
        for record in records:
            head = grown.get(record.stream) or heads.get(record.stream)
            self._check_next(record, head)
            try:
                row = record_row(record, head.last_hash)
            except UnicodeEncodeError:
                raise StoreError(f"{record.stream} {record.sequence}: a field is not Unicode text") from None
            self._connection.execute(insert_into(record.stream), row)
            grown[record.stream] = Head(
                head.stream,
                head.epoch,
                head.next_sequence + 1,
                record.hash,
                head.held_up_to,
                head.purged_up_to,
                head.purged_hash,
                head.count + 1,
                head.bytes + len(record.body),
            )
        for head in grown.values():
            self.put_head(heads, head)

    def put_head(self, heads: dict[str, Head], head: Head) -> None:
        """Write one head inside a transaction; a stream without one gets its table too.

        The row is found by what this writer remembers of it: should anything else have written to the file, the
        transaction fails instead of numbering twice.
        """
        old = heads.get(head.stream)
        if old is None:
            create_stream(self._connection, head.stream)
            self._connection.execute(f"INSERT INTO head ({HEAD_COLUMNS}) VALUES ({HEAD_PLACES})", head_row(head))
        else:
            key = (head.stream, old.next_sequence, old.held_up_to)
            if self._connection.execute(_UPDATE_HEAD, (*head_row(head), *key)).rowcount != 1:
                raise StoreError(f"{self._path.name}: the head of {head.stream} was changed by another writer")
        heads[head.stream] = head

    def _check_next(self, record: StoredRecord, head: Head | None) -> None:
        if head is None or not head.epoch:
            raise StoreError(f"{record.stream}: no epoch has begun", remedy="begin one before appending")
        if (record.epoch, record.sequence) != (head.epoch, head.next_sequence):
            raise StoreError(
                f"{record.stream}: the next record is {head.next_sequence} of epoch {head.epoch}, "
                f"not {record.sequence} of {record.epoch}"
            )
        texts = (record.id, record.type, record.time, record.direction, record.outcome, record.hash)
        if not all(isinstance(text, str) for text in texts) or (
            (bool, bytes, int) != (type(record.training), type(record.body), type(record.sequence))
        ):
            raise StoreError(f"{record.stream} {record.sequence}: a field is not of its type")

    def _sync_at_commit(self, synced: bool) -> None:
        if synced is not self._is_synced:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self._is_synced = synced

    def _failed(self, error: BaseException) -> BaseException:
        self._remembered = None
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # what failed first is the error to report; the next BEGIN fails if this one matters
        if isinstance(error, StoreDamaged):
            self._damaged()
        return error
