"""Opening a store that may be damaged, and moving what can be read to a new one.

Owns the check at every start, which takes the same few reads for a thousand records as for a million, and the salvage
of a store that fails it. The check looks at the settings, the small tables and the right edge of each stream, where the
next record will go, and appends one there that it takes back. Records that an altered log hides from SQLite are
appended again. A bad page in the middle of a stream is not looked for: it comes to light as `Unreadable` on reading.

Always true: the damaged file is never written to and stays under another name; the new one takes its place only when it
is complete and synced, so a salvage may be cut off at any moment; a row is moved only if its digest is right.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from edge.cache.pages import DamagedFile
from edge.cache.records import LOST, Head, Lost, Salvage, StoredRecord, Unreadable
from edge.cache.rows import ROW_ERRORS, Rows, head_row, row_head, row_prev, row_record
from edge.cache.schema import (
    HEAD_COLUMNS,
    HEAD_PLACES,
    PAGE_BYTES,
    RECORD_COLUMNS,
    RECORD_PLACES,
    SMALL_TABLES,
    VERSION,
    connect,
    create_file,
    create_stream,
    insert_into,
    migrate,
    store_error,
    stream_table,
    sync_folder,
)
from edge.cache.storage import SqliteStorage
from edge.errors import StoreDamaged, StoreError

Progress = Callable[[int, int], None]

_RECORD_WIDTH = len(RECORD_COLUMNS.split(","))
_HEAD_WIDTH = len(HEAD_COLUMNS.split(","))
_PENDING = "cache.salvage"
_ROWS_A_COMMIT = 1000

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


def damage_marker(path: Path) -> Path:
    """Return the file whose presence says that the store was found damaged while in use."""
    return _beside(path, ".damage-seen")


def open_sound(path: Path, progress: Progress) -> sqlite3.Connection:
    """Open a store for writing, make it if there is none, salvage it if it is damaged.

    Raises `StoreError` for what is not damage: a newer store, no permission, no room.
    """
    try:
        _finish_salvage(path)
        if not path.exists():
            create_file(path)
        if not damage_marker(path).exists():
            connection = _open_checked(path)
            if connection is not None:
                return connection
        _salvage(path, progress)
        return _connected(path)
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    except OSError as error:
        raise StoreError(
            f"{path}: {error.strerror}", remedy="check the folder, its owner and the room on the disk"
        ) from error


def pending_salvage(connection: sqlite3.Connection) -> Salvage | None:
    """Return the salvage after which no epoch has begun yet."""
    row = connection.execute("SELECT value FROM state WHERE key = ?", (_PENDING,)).fetchone()
    return msgspec.json.decode(row[0], type=Salvage, dec_hook=lambda kind, value: kind(value)) if row else None


def settle_salvage(connection: sqlite3.Connection) -> None:
    """Forget the salvage, inside the transaction that begins the next epoch."""
    connection.execute("DELETE FROM state WHERE key = ?", (_PENDING,))


def _open_checked(path: Path) -> sqlite3.Connection | None:
    """Return a connection to a store that takes the next record, None for a damaged one."""
    wal = _beside(path, "-wal")
    has_log = wal.exists() and wal.stat().st_size > 0
    if path.stat().st_size == 0:
        # SQLite would take a file that was cut to nothing for a new store and drop its log.
        return None if has_log else _connected(path)
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
    if _was_never_used(guard):
        return _connected(path)
    if guard.execute("PRAGMA user_version").fetchone() == (0,):
        raise StoreDamaged(f"{path.name}: the version of the store was altered")
    heads = _look(guard, path) if guard.execute("PRAGMA user_version").fetchone()[0] <= VERSION else {}
    unbelieved = _unbelieved(path, heads) if has_log else []
    connection = _connected(path)
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


def _unbelieved(path: Path, heads: dict[str, Head]) -> list[StoredRecord]:
    """Return the records that follow the heads in the log though SQLite does not see them, in their order.

    SQLite takes a log only up to the first frame that was altered; behind it, whole crossings may lie that were synced.
    One whose append a power cut interrupted may be among them, which is no harm: it is the next of its stream.
    """
    following: dict[tuple[str, int], tuple] = {}
    damaged = DamagedFile(path)
    try:
        for row_id, values in damaged.rows_in_log():
            row = (row_id, *values[1:])
            head = heads.get(str(row[1])) if len(row) == _RECORD_WIDTH and values[0] is None else None
            if head is not None and row_id >= head.next_sequence and _record_of(row):
                following[head.stream, row_id] = row
    finally:
        damaged.close()
    found = []
    for head in heads.values():
        sequence, prev = head.next_sequence, head.last_hash
        while (row := following.get((head.stream, sequence))) and row_prev(row) == prev:
            record = _record_of(row)
            if record.epoch != head.epoch:
                break
            found.append(record)
            sequence, prev = sequence + 1, record.hash
    return found


def _connected(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    try:
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


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


def _salvage(path: Path, progress: Progress) -> None:
    """Build a new store beside the damaged one, then let it take its place."""
    building = _beside(path, ".salvaging")
    for suffix in ("", "-wal", "-shm"):
        _beside(building, suffix).unlink(missing_ok=True)
    create_file(building)
    connection = _connected(building)
    try:
        connection.execute("PRAGMA synchronous = OFF")  # a salvage that is cut off begins anew
        heads = _move_records(path, connection, progress)
        _move_small_tables(path, connection)
        _settle_heads(path, connection, heads)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    descriptor = os.open(building, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    building.rename(_beside(path, ".salvaged"))
    sync_folder(path.parent)
    _finish_salvage(path)


def _finish_salvage(path: Path) -> None:
    """Put a complete new store in the place of the damaged one, from wherever an earlier attempt was cut off."""
    salvaged = _beside(path, ".salvaged")
    if not salvaged.exists():
        return
    if path.exists():
        aside = _aside(path)
        for suffix in ("-wal", "-shm", ""):
            if _beside(path, suffix).exists():
                _beside(path, suffix).rename(_beside(aside, suffix))
    salvaged.rename(path)
    damage_marker(path).unlink(missing_ok=True)
    sync_folder(path.parent)


def _move_records(path: Path, connection: sqlite3.Connection, progress: Progress) -> dict[str, Head]:
    """Move every record and tombstone whose digest is right; return the newest head of each stream that was found."""
    heads: dict[str, Head] = {}
    streams: set[str] = set()
    damaged = DamagedFile(path)
    try:
        connection.execute("BEGIN")
        for n, (done, row_id, values) in enumerate(damaged.rows()):
            if len(values) == _HEAD_WIDTH + 1 and (head := _head_of(values[1:])):
                known = heads.get(head.stream)
                if known is None or _age(head) > _age(known):
                    heads[head.stream] = head
            elif len(values) == _RECORD_WIDTH:
                _move(connection, row_id, values, streams)
            if n % _ROWS_A_COMMIT == 0:
                connection.execute("COMMIT")
                connection.execute("BEGIN")
                progress(min(done, damaged.size), damaged.size)
        connection.execute("COMMIT")
        progress(damaged.size, damaged.size)
    finally:
        damaged.close()
    for stream in streams - heads.keys():
        heads[stream] = Head(stream, epoch="")
    for stream in heads.keys() - streams:
        create_stream(connection, stream)
    return heads


def _move(connection: sqlite3.Connection, row_id: int, values: tuple, streams: set[str]) -> None:
    is_tombstone = values[0] is not None  # where the sequence is the row id, the row itself says NULL
    row = values if is_tombstone else (row_id, *values[1:])
    record = _record_of(row)
    if record is None:
        return
    if record.stream not in streams:
        create_stream(connection, record.stream)
        streams.add(record.stream)
    table = "tombstone" if is_tombstone else stream_table(record.stream)
    connection.execute(f"INSERT OR IGNORE INTO {table} ({RECORD_COLUMNS}) VALUES ({RECORD_PLACES})", row)


def _record_of(row: tuple) -> StoredRecord | None:
    """Return the record of a row from a damaged page, None when it is not one that was written."""
    try:
        record = row_record(row)
        if record is not None:
            stream_table(record.stream)
        return record
    except (StoreError, TypeError, *ROW_ERRORS):
        return None


def _head_of(values: tuple) -> Head | None:
    try:
        head = row_head(values)
        if head is not None:
            stream_table(head.stream)
        return head
    except (StoreError, TypeError, *ROW_ERRORS):
        return None


def _age(head: Head) -> tuple[int, int, int]:
    return head.next_sequence, head.purged_up_to, head.held_up_to


def _move_small_tables(path: Path, connection: sqlite3.Connection) -> None:
    """Copy what SQLite can still read of the tables without digests; losing them costs time and no record."""
    try:
        old = connect(path, read_only=True)
    except sqlite3.Error:
        return
    try:
        for table in ("epoch", "release", "state"):
            for row in _readable(old, table):
                places = ", ".join("?" * len(row))
                with suppress(*ROW_ERRORS):
                    connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row)
    finally:
        old.close()


def _readable(connection: sqlite3.Connection, table: str) -> Iterator[tuple]:
    try:
        yield from connection.execute(f"SELECT * FROM {table}")
    except ROW_ERRORS:
        pass


def _settle_heads(path: Path, connection: sqlite3.Connection, heads: dict[str, Head]) -> None:
    """Write heads that fit what was moved, without an epoch, and what the next epoch must say of the old one."""
    before = pending_salvage(connection)
    epochs = [before.epoch] if before else []
    epochs += [head.epoch for head in heads.values()]
    forked = "SELECT epoch FROM epoch WHERE forked"
    streams = {}
    for head in heads.values():
        table = stream_table(head.stream)
        (held,) = connection.execute("SELECT max(up_to) FROM release WHERE stream = ?", (head.stream,)).fetchone()
        head = replace(head, held_up_to=max(head.held_up_to, held or 0))
        connection.execute(f"DELETE FROM {table} WHERE sequence <= ? AND epoch NOT IN ({forked})", (head.purged_up_to,))
        present, last, size = connection.execute(
            f"SELECT count(*), max(sequence), coalesce(sum(length(body)), 0) FROM {table}"
        ).fetchone()
        if last is not None and last >= head.next_sequence - 1:
            hash_, epoch = connection.execute(f"SELECT hash, epoch FROM {table} WHERE sequence = ?", (last,)).fetchone()
            head = replace(head, next_sequence=last + 1, last_hash=hash_)
            epochs.append(epoch)
        head = replace(
            head, epoch="", next_sequence=max(head.next_sequence, head.held_up_to + 1), count=present, bytes=size
        )
        streams[head.stream] = Lost(head.next_sequence - 1, head.last_hash, tuple(_gaps(connection, head)))
        connection.execute(f"INSERT INTO head ({HEAD_COLUMNS}) VALUES ({HEAD_PLACES})", head_row(head))
    salvage = Salvage(next((epoch for epoch in epochs if epoch), ""), streams, _aside(path))
    connection.execute(
        "INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)",
        (_PENDING, msgspec.json.encode(salvage, enc_hook=str).decode()),
    )


def _gaps(connection: sqlite3.Connection, head: Head) -> Iterator[tuple[int, int]]:
    """Yield the ranges that the centre does not hold and that have neither a record nor a tombstone."""
    expected = max(head.held_up_to, head.purged_up_to) + 1
    present = connection.execute(
        f"SELECT sequence FROM {stream_table(head.stream)} WHERE sequence >= ?1 UNION "
        "SELECT sequence FROM tombstone WHERE stream = ?2 AND sequence >= ?1 ORDER BY 1",
        (expected, head.stream),
    )
    for (sequence,) in present:
        if sequence > expected:
            yield expected, sequence - 1
        expected = sequence + 1
    if expected < head.next_sequence:
        yield expected, head.next_sequence - 1


def _aside(path: Path) -> Path:
    """Return the name under which a damaged store will lie; the same until it lies there."""
    n = 1
    while _beside(path, f".damaged-{n}").exists():
        n += 1
    return _beside(path, f".damaged-{n}")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
