"""The audit log: who did what, to what, when and from where.

Owns the entries and their chain. It decides nothing: whoever changes something appends the entry in the transaction of
the change, or before it. Always true: an entry is never changed or removed, which the database itself refuses; each
carries the hash of the one before it, so that `verify` finds what was altered or removed behind the database's back; a
tail that was cut off is found by an entry that was noted elsewhere (the journal has each one).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import rfc8785
from sqlalchemy import Connection, Engine, Row, Select, insert, select

from central import database
from central.console.tables import audit_entry
from central.journal import NOTICE, log

APPEND_LOCK = 0x41554454  # "AUDT": the advisory lock of PostgreSQL in which entries stand in line
COMMAND_LINE = "command line"
_FIRST = "0" * 64
_HASHED = [column.name for column in audit_entry.c if column.name != "hash"]
_MAX_CHARS = 500  # of one field


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did: `action` in the words of the screen, `subject` an account, kiosk or alert."""

    actor: str
    action: str
    subject: str = ""
    detail: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry; an empty log has sequence 0."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` found; `broken_at` is the first entry that does not fit, or 0."""

    head: Head
    broken_at: int
    reason: str


def append(connection: Connection, deed: Deed, now: datetime) -> Head:
    """Add one entry in the transaction of what it tells, and tell the journal its place and hash, which name nobody."""
    database.stand_in_line(connection, APPEND_LOCK)
    last = head(connection)
    entry = {
        "sequence": last.sequence + 1,
        "at": database.rfc3339(now),
        **{name: _storable(getattr(deed, name)) for name in Deed.__slots__},
        "previous": last.hash,
    }
    entry["hash"] = _hash(entry)
    connection.execute(insert(audit_entry), entry)
    log(NOTICE, f"audit {entry['sequence']} {entry['hash']}")
    return Head(entry["sequence"], entry["hash"])


def _storable(text: str) -> str:
    """Return text that every database and canonical JSON take: no NUL, no half of a surrogate pair, not endless."""
    return text[:_MAX_CHARS].encode("utf-8", "replace").decode().replace("\0", "")


def head(connection: Connection) -> Head:
    """Return the last entry's place and hash."""
    query = select(audit_entry.c.sequence, audit_entry.c.hash).order_by(audit_entry.c.sequence.desc()).limit(1)
    row = connection.execute(query).first()
    return Head(*row) if row else Head(0, _FIRST)


def page(connection: Connection, *, before: int | None, size: int) -> list[Row[tuple[object, ...]]]:
    """Return up to `size` entries, the newest first, that came before the one with sequence `before`."""
    query: Select[tuple[object, ...]] = select(audit_entry).order_by(audit_entry.c.sequence.desc()).limit(size)
    return list(connection.execute(query if before is None else query.where(audit_entry.c.sequence < before)))


def verify(engine: Engine, noted: Head | None = None) -> Verified:
    """Compute every hash again, from the first entry on; `noted` is one from the journal that must be there."""
    last, broken = Head(0, _FIRST), ""
    is_noted_there = noted is None
    with database.reading(engine) as connection:
        for row in _rows(connection):
            entry = dict(row._mapping)
            broken = _fault(entry, last)
            if broken:
                return Verified(last, last.sequence + 1, broken)
            last = Head(entry["sequence"], entry["hash"])
            is_noted_there = is_noted_there or last == noted
    if not is_noted_there and noted is not None:
        return Verified(last, noted.sequence, "the entry that was noted is not there")
    return Verified(last, 0, "")


def _rows(connection: Connection) -> Iterator[Row[tuple[object, ...]]]:
    query = select(audit_entry).order_by(audit_entry.c.sequence).execution_options(yield_per=1000)
    yield from connection.execute(query)


def _fault(entry: dict[str, object], last: Head) -> str:
    if entry["sequence"] != last.sequence + 1:
        return f"the entry after {last.sequence} is {entry['sequence']}"
    if entry["previous"] != last.hash:
        return "it follows another entry than the one that stands before it"
    return "" if entry["hash"] == _hash(entry) else "it was altered"


def _hash(entry: dict[str, object]) -> str:
    """Return SHA-256 over the entry in canonical JSON (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps({name: entry[name] for name in _HASHED})).hexdigest()
