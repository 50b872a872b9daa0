"""Moving what can be read of a damaged store to a new one.

Owns the files of a salvage and the order in which they get their names, and what the next epoch must say of the old
one. Whether a store is damaged is decided in `start`.

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
from edge.cache.records import Head, Lost, Salvage
from edge.cache.rows import HEAD_WIDTH, RECORD_WIDTH, ROW_ERRORS, genuine_head, genuine_record, head_row
from edge.cache.schema import (
    HEAD_COLUMNS,
    HEAD_PLACES,
    RECORD_COLUMNS,
    RECORD_PLACES,
    connect,
    connect_migrated,
    create_file,
    create_stream,
    stream_table,
    sync_folder,
)

Progress = Callable[[int, int], None]

_PENDING = "cache.salvage"
_ROWS_A_COMMIT = 1000


def damage_marker(path: Path) -> Path:
    """Return the file whose presence says that the store was found damaged while in use."""
    return beside(path, ".damage-seen")


def pending_salvage(connection: sqlite3.Connection) -> Salvage | None:
    """Return the salvage after which no epoch has begun yet."""
    row = connection.execute("SELECT value FROM state WHERE key = ?", (_PENDING,)).fetchone()
    return msgspec.json.decode(row[0], type=Salvage, dec_hook=lambda kind, value: kind(value)) if row else None


def settle_salvage(connection: sqlite3.Connection) -> None:
    """Forget the salvage, inside the transaction that begins the next epoch."""
    connection.execute("DELETE FROM state WHERE key = ?", (_PENDING,))


def salvage(path: Path, progress: Progress) -> None:
    """Build a new store beside the damaged one, then let it take its place."""
    building = beside(path, ".salvaging")
    for suffix in ("", "-wal", "-shm"):
        beside(building, suffix).unlink(missing_ok=True)
    create_file(building)
    connection = connect_migrated(building)
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
    building.rename(beside(path, ".salvaged"))
    sync_folder(path.parent)
    finish_salvage(path)


def finish_salvage(path: Path) -> None:
    """Put a complete new store in the place of the damaged one, from wherever an earlier attempt was cut off."""
    salvaged = beside(path, ".salvaged")
    if not salvaged.exists():
        return
    if path.exists():
        aside = _aside(path)
        for suffix in ("-wal", "-shm", ""):
            if beside(path, suffix).exists():
                beside(path, suffix).rename(beside(aside, suffix))
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
            if len(values) == HEAD_WIDTH + 1 and (head := genuine_head(values[1:])):
                known = heads.get(head.stream)
                if known is None or _age(head) > _age(known):
                    heads[head.stream] = head
            elif len(values) == RECORD_WIDTH:
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
    record = genuine_record(row)
    if record is None:
        return
    if record.stream not in streams:
        create_stream(connection, record.stream)
        streams.add(record.stream)
    table = "tombstone" if is_tombstone else stream_table(record.stream)
    connection.execute(f"INSERT OR IGNORE INTO {table} ({RECORD_COLUMNS}) VALUES ({RECORD_PLACES})", row)


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
    pending = Salvage(next((epoch for epoch in epochs if epoch), ""), streams, _aside(path))
    connection.execute(
        "INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)",
        (_PENDING, msgspec.json.encode(pending, enc_hook=str).decode()),
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
    while beside(path, f".damaged-{n}").exists():
        n += 1
    return beside(path, f".damaged-{n}")


def beside(path: Path, suffix: str) -> Path:
    """Return the file that belongs to a store under a suffix, such as its log."""
    return path.with_name(path.name + suffix)
