"""The check of a store at every start, and what is done about a store that fails it.

Owns the decision whether a store is sound. It takes the same few reads for a thousand records as for a million: the
settings, the small tables, the log and the right edge of each stream, where the next record will go; one is appended
there and taken back. A bad page in the middle of a stream is not looked for: it comes to light as `Unreadable` on
reading. How a damaged store is saved is in `salvage`, what lies behind an altered place of the log in `log_tail`.

Always true: a store that is returned takes the next record.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from edge.cache.log_tail import unbelieved_records
from edge.cache.records import LOST, Head, Unreadable
from edge.cache.rows import Rows
from edge.cache.salvage import Progress, beside, damage_marker, finish_salvage, salvage
from edge.cache.schema import (
    PAGE_BYTES,
    SMALL_TABLES,
    VERSION,
    connect,
    connect_migrated,
    create_file,
    insert_into,
    store_error,
    stream_table,
)
from edge.cache.storage import SqliteStorage
from edge.errors import StoreDamaged, StoreError

# What SQLite says of the machine and not of the file.
_ENVIRONMENT = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_INTERRUPT,
    )
)
_READ_ERRORS = frozenset((sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS))


def open_sound(path: Path, progress: Progress) -> sqlite3.Connection:
    """Open a store for writing, make it if there is none, salvage it if it is damaged.

    Raises `StoreError` for what is not damage: a newer store, no permission, no room.
    """
    try:
        finish_salvage(path)
        if not path.exists():
            create_file(path)
        if not damage_marker(path).exists():
            connection = _open_checked(path)
            if connection is not None:
                return connection
        salvage(path, progress)
        return connect_migrated(path)
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    except OSError as error:
        raise StoreError(
            f"{path}: {error.strerror}", remedy="check the folder, its owner and the room on the disk"
        ) from error


def _open_checked(path: Path) -> sqlite3.Connection | None:
    """Return a connection to a store that takes the next record, None for a damaged one."""
    wal = beside(path, "-wal")
    has_log = wal.exists() and wal.stat().st_size > 0
    if path.stat().st_size == 0:
        # SQLite would take a file that was cut to nothing for a new store and drop its log.
        return None if has_log else connect_migrated(path)
    try:
        # As long as this one is open, closing the other does not checkpoint: a damaged store keeps its log.
        guard = connect(path, read_only=True)
        try:
            return _checked(path, guard, has_log)
        finally:
            guard.close()
    except StoreDamaged:
        return None
    except sqlite3.Error as error:
        if _is_damage(error, path):
            return None
        raise


def _checked(path: Path, guard: sqlite3.Connection, has_log: bool) -> sqlite3.Connection:
    version = guard.execute("PRAGMA user_version").fetchone()[0]
    is_new = _was_never_used(guard)
    if version > VERSION:
        return connect_migrated(path)  # which says so
    if version == 0 and not is_new:
        raise StoreDamaged(f"{path.name}: the version of the store was altered")
    heads = {} if is_new else _look(guard, path)
    unbelieved = unbelieved_records(path, heads) if has_log else []
    connection = connect_migrated(path)
    try:
        _try_appending(connection, path)
        if unbelieved:
            SqliteStorage(connection, path).append(unbelieved)
        return connection
    except BaseException:
        connection.close()
        raise


def _was_never_used(connection: sqlite3.Connection) -> bool:
    """Tell whether the first start was cut off before it had made the tables."""
    queries = ("PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    return pages <= 1 and all(connection.execute(query).fetchone() == (0,) for query in queries)


def _is_damage(error: sqlite3.Error, path: Path) -> bool:
    """Tell whether a store that SQLite made and that fails this way must be damaged."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    match code & 0xFF:
        case sqlite3.SQLITE_IOERR:
            return code in _READ_ERRORS
        case sqlite3.SQLITE_READONLY:
            return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        case primary:
            return primary not in _ENVIRONMENT


def _look(connection: sqlite3.Connection, path: Path) -> dict[str, Head]:
    """Return the heads; raise `StoreDamaged` or sqlite3.Error unless everything that is small or at an end is sound."""
    settings = [
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "encoding", "journal_mode")
    ]
    if settings != [PAGE_BYTES, "UTF-8", "wal"]:
        raise StoreDamaged(f"{path.name}: the settings in the file were altered")
    for table in SMALL_TABLES:
        if connection.execute(f"PRAGMA quick_check({table})").fetchall() != [("ok",)]:
            raise StoreDamaged(f"{path.name}: {table} is damaged")
    rows = Rows(connection, path)
    heads = rows.heads()
    for head in heads.values():
        last = head.next_sequence - 1
        highest = connection.execute(f"SELECT max(sequence) FROM {stream_table(head.stream)}").fetchone()[0] or 0
        end = rows.position(head, last) if head.epoch and last > head.purged_up_to else None
        if highest > last or (isinstance(end, Unreadable) and end.reason == LOST):
            raise StoreDamaged(f"{path.name}: the end of {head.stream} is not where its head says")
    return heads


def _try_appending(connection: sqlite3.Connection, path: Path) -> None:
    """Put a record after the last of each stream, large enough to need pages of its own, and take it back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for head in Rows(connection, path).heads().values():
            row = (head.next_sequence, *[""] * 7, 0, "", "", b"", bytes(3 * PAGE_BYTES))
            connection.execute(insert_into(head.stream), row)
            connection.execute("UPDATE head SET count = count + 1 WHERE stream = ?", (head.stream,))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
