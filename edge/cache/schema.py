"""The SQLite file: its tables, its settings, its version, and what its errors mean here.

Owns how a connection is opened. One table for each stream with the sequence as row id: the next record always goes to
the right edge of its own tree, "the first N after" is a range scan, and damage to one stream's pages leaves the others
alone. There is no second index: each would add pages to the one sync of every crossing, and time grows with sequence.

Why these settings: WAL and synchronous FULL make a commit one write and one sync. Deleted pages are not overwritten
(`secure_delete`): records are sealed to the centre, and it would double what a card has to write. Only the writer
checkpoints; readers are read-only, so two connections never checkpoint at the same time. The log is written over
from its start and not cut short: a file that does not grow gives a sync less to write.
"""

from __future__ import annotations

import os
import sqlite3
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from edge.errors import StoreDamaged, StoreError, StoreFull
from edge.wire.topics import NAME

PAGE_BYTES = 4096
BUSY_TIMEOUT_MS = 5000
WAL_PAGES = 1000  # 4 MiB, which a load reaches that leaves the writer no idle moment
_MIN_FREE_BYTES = 1024 * 1024
_UNLIKELY_VERSION = 1000

RECORD_COLUMNS = "sequence, stream, epoch, id, type, time, direction, outcome, training, hash, prev, digest, body"
HEAD_COLUMNS = "stream, epoch, next_sequence, last_hash, held_up_to, purged_up_to, purged_hash, count, bytes, digest"
RECORD_PLACES = ", ".join("?" * len(RECORD_COLUMNS.split(",")))
HEAD_PLACES = ", ".join("?" * len(HEAD_COLUMNS.split(",")))

# Each entry takes a store from the version that is its index to the next one; `PRAGMA user_version` counts them.
_MIGRATIONS = (
    """
    CREATE TABLE head (
        number INTEGER PRIMARY KEY, stream TEXT NOT NULL, epoch TEXT NOT NULL, next_sequence INTEGER NOT NULL,
        last_hash TEXT NOT NULL, held_up_to INTEGER NOT NULL, purged_up_to INTEGER NOT NULL, purged_hash TEXT NOT NULL,
        count INTEGER NOT NULL, bytes INTEGER NOT NULL, digest BLOB NOT NULL
    ) STRICT;
    CREATE TABLE epoch (
        epoch TEXT PRIMARY KEY, started_at TEXT NOT NULL, reason TEXT NOT NULL, forked INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE release (
        stream TEXT NOT NULL, at REAL NOT NULL, up_to INTEGER NOT NULL, PRIMARY KEY (stream, at)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tombstone (
        sequence INTEGER NOT NULL, stream TEXT NOT NULL, epoch TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
        time TEXT NOT NULL, direction TEXT NOT NULL, outcome TEXT NOT NULL, training INTEGER NOT NULL,
        hash TEXT NOT NULL, prev TEXT NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (stream, sequence)
    ) STRICT;
    CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    """,
)
# The way back, so that an older package can be installed again and loses nothing: the first entry takes a store from
# version 2 to 1. Each step above has one.
_MIGRATIONS_BACK: tuple[str, ...] = ()
VERSION = len(_MIGRATIONS)
SMALL_TABLES = ("head", "epoch", "release", "tombstone", "state")

_STREAM_TABLE = """
    CREATE TABLE {table} (
        sequence INTEGER PRIMARY KEY, stream TEXT NOT NULL, epoch TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
        time TEXT NOT NULL, direction TEXT NOT NULL, outcome TEXT NOT NULL, training INTEGER NOT NULL,
        hash TEXT NOT NULL, prev TEXT NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL
    ) STRICT
"""


@lru_cache(maxsize=32)
def stream_table(stream: str) -> str:
    """Return the quoted name of a stream's table; raise `StoreError` for what is no name of a stream."""
    if not NAME.fullmatch(stream):
        raise StoreError(f"{stream!r} is no name of a stream: 1-32 lower case letters, digits and dashes")
    return f'"stream {stream}"'


@lru_cache(maxsize=32)
def insert_into(stream: str) -> str:
    """Return the statement that inserts a row of `RECORD_COLUMNS`; always the same object, so it is parsed once."""
    return f"INSERT INTO {stream_table(stream)} ({RECORD_COLUMNS}) VALUES ({RECORD_PLACES})"


def create_stream(connection: sqlite3.Connection, stream: str) -> None:
    """Make the table of a new stream, inside the caller's transaction."""
    connection.execute(_STREAM_TABLE.format(table=stream_table(stream)))


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open an existing file and apply the settings; a connection may move to another thread but not be shared.

    Raises sqlite3.Error as SQLite gives it: only the caller knows whether damage is an error or a reason to salvage.
    """
    mode = "rw" if not read_only else "ro&immutable=1" if _is_at_rest(path) else "ro"
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        for setting in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            f"page_size = {PAGE_BYTES}",
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "mmap_size = 0",
            "cache_size = -512",
            "temp_store = MEMORY",
            "secure_delete = OFF",
            *(
                ("query_only = ON",)
                if read_only
                else (
                    "journal_mode = WAL",
                    "synchronous = FULL",
                    f"wal_autocheckpoint = {WAL_PAGES}",
                    f"journal_size_limit = {4 * WAL_PAGES * PAGE_BYTES}",
                )
            ),
        ):
            connection.execute(f"PRAGMA {setting}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _is_at_rest(path: Path) -> bool:
    """Tell whether nobody can write a file and it has no log: SQLite would want to make one on a read-only card."""
    log = path.with_name(path.name + "-wal")
    return _is_read_only(path) and not (log.exists() and log.stat().st_size)


def _is_read_only(path: Path) -> bool:
    return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)


def create_file(path: Path) -> None:
    """Make an empty file that only its owner may read, and its entry in the folder durable."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names that were added, removed or changed in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to this version, in one transaction; raise `StoreError` for a store of a newer Landfall."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    known = VERSION
    if version == known:
        return
    if not 0 <= version < _UNLIKELY_VERSION:
        raise sqlite3.DatabaseError("the version of the store is damaged")
    if version > known:
        raise StoreError(
            f"the store has version {version}, this Landfall knows {known}",
            remedy=f"install the newer Landfall again; its `landfall store downgrade --to {known}` makes the store "
            "ready for this one",
        )
    _take_steps(connection, _MIGRATIONS[version:], known)


def migrate_back(connection: sqlite3.Connection, to: int) -> int:
    """Take the tables back to an older version, in one transaction, and return the version that they have then.

    A store that is not newer than `to` is left as it is. Raises `StoreError` for a version that never was, and for a
    store of a Landfall that is newer than this one.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if to < 1:
        raise StoreError(f"no store ever had version {to}", remedy="give 1 or more")
    if version > VERSION:
        raise StoreError(
            f"the store has version {version}, this Landfall knows {VERSION}", remedy="use the newer Landfall for this"
        )
    if version <= to:
        return version
    _take_steps(connection, _MIGRATIONS_BACK[to - 1 : version - 1][::-1], to)
    return to


def _take_steps(connection: sqlite3.Connection, steps: tuple[str, ...], to: int) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE; {''.join(steps)} PRAGMA user_version = {to}; COMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def connect_migrated(path: Path) -> sqlite3.Connection:
    """Open an existing file for writing, with the tables of this version; raises as `connect` and `migrate` do."""
    connection = connect(path)
    try:
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether SQLite says that the file is not what was written."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return type(error) is sqlite3.DatabaseError or "decode" in str(error)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code in (
        sqlite3.SQLITE_IOERR_READ,
        sqlite3.SQLITE_IOERR_SHORT_READ,
        sqlite3.SQLITE_IOERR_CORRUPTFS,
    )


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """Return what an error of SQLite means to whoever uses the store; its text quotes no record."""
    code = getattr(error, "sqlite_errorcode", 0)
    if is_damage(error):
        return StoreDamaged(f"{path.name}: {error}", remedy="restart to salvage what can be read")
    if code & 0xFF == sqlite3.SQLITE_FULL or (code & 0xFF == sqlite3.SQLITE_IOERR and not _has_room(path)):
        return StoreFull(f"{path.name}: no room on the disk", remedy="free space or connect the kiosk to the centre")
    if code & 0xFF == sqlite3.SQLITE_CANTOPEN and _is_read_only(path):
        remedy = "it lies on a card that cannot be written: copy the card into a file and mount that"
        return StoreError(f"{path.name}: {error}", remedy=remedy)
    return StoreError(f"{path.name}: {error}")


def _has_room(path: Path) -> bool:
    try:
        room = os.statvfs(path.parent)
    except OSError:
        return True
    return room.f_bavail * room.f_frsize >= _MIN_FREE_BYTES
