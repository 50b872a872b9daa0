"""The reading side of the cache: for the uplink and for the command line.

Owns a read-only connection. It never waits for the writer and the writer never for it, and no call leaves a read
transaction open, since that would keep the writer's log from being used again. Always true: reading makes progress; a
record that cannot be read comes back as `Unreadable` in its place.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tinydb import TinyDB, where
from tinydb.table import Table

from edge.cache.records import Head, StoredRecord, Unreadable
from edge.cache.rows import Rows, purged_key
from edge.cache.schema import connect, store_error
from edge.cache.storage import SqliteStorage
from edge.cache.table import StreamDB
from edge.errors import StoreError


class CacheReader:
    """Reads a store that another thread or process writes; use one in each thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.db: TinyDB = StreamDB(connection, path)
        self._rows: Rows = self.db.storage.rows
        self._storage: SqliteStorage = self.db.storage

    @classmethod
    def open(cls, path: Path) -> CacheReader:
        """Open an existing store; raise `StoreError` when there is none yet or it cannot be read."""
        try:
            if path.exists():
                connection = connect(path, read_only=True)
                if _has_tables(connection):
                    return cls(connection, path)
                connection.close()
            raise StoreError(f"{path}: there is no store", remedy="start the kiosk once")
        except sqlite3.Error as error:
            raise store_error(error, path) from error
        except OSError as error:
            remedy = "if it lies on the card of another kiosk, mount that without the option noload"
            raise StoreError(f"{path}: {error.strerror}", remedy=remedy) from error

    def heads(self) -> dict[str, Head]:
        """Return the head of every stream by its name."""
        return self._rows.heads()

    def first_after(
        self, stream: str, sequence: int, *, limit: int = 100, max_bytes: int = 64 * 1024
    ) -> list[StoredRecord | Unreadable]:
        """Return what follows `sequence`, position by position without a gap.

        At most `limit` positions and `max_bytes` of bodies, but at least one position if there is any. An unknown
        stream is empty.
        """
        found: list[StoredRecord | Unreadable] = []
        with self._rows.snapshot():
            head = self._rows.heads().get(stream)
            if head is None:
                return found
            first = max(sequence, 0) + 1
            last = min(head.next_sequence - 1, first + limit - 1)
            room = max_bytes
            for item in self._rows.positions(head, first, last):
                room -= len(item.body) if isinstance(item, StoredRecord) else 0
                if found and room < 0:
                    break
                found.append(item)
        return found

    def hash_at(self, stream: str, sequence: int) -> str | None:
        """Return the hash of the record at a position, even when only a neighbour or the checkpoint still knows it."""
        with self._rows.snapshot():
            head = self._rows.heads().get(stream)
            if head is None or not 1 <= sequence < head.next_sequence:
                return None
            return self._rows.position(head, sequence).hash or None

    def oldest_unheld(self, stream: str) -> StoredRecord | Unreadable | None:
        """Return the first record that the centre does not hold yet; None when it holds them all."""
        with self._rows.snapshot():
            head = self._rows.heads().get(stream)
            if head is None or head.held_up_to + 1 >= head.next_sequence:
                return None
            return self._rows.position(head, head.held_up_to + 1)

    def captured(self, stream: str, type: str, *, training: bool = False) -> int:
        """Return how many records of a type this store ever took, those included that were purged."""
        purged = self.state(purged_key(stream, type, training=training)) or "0"
        kept = self.table(stream).count((where("type") == type) & (where("training") == training))
        return int(purged) + kept

    def state(self, key: str) -> str | None:
        """Return a value that the daemon keeps, None when it never was set."""
        with self._rows.snapshot():
            return self._rows.state(key)

    def table(self, stream: str) -> Table:
        """Return TinyDB's face of one stream; what changes anything raises."""
        return self.db.table(stream)

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self.db.close()

    def __enter__(self) -> CacheReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _has_tables(connection: sqlite3.Connection) -> bool:
    """Tell whether the kiosk that makes the store has got so far: it is a file before it is a store."""
    try:
        return connection.execute("PRAGMA user_version").fetchone() != (0,)
    except sqlite3.Error:
        connection.close()
        raise
