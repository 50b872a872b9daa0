"""Which of the centre's keys each kiosk works with, as the births of its daemon say.

Owns the table `key_uptake` and the question of whom a key's retirement would harm. Always true: what a kiosk did not
say, signed, it has not taken; it reads keys when its daemon starts and never later, so what follows the heads of a
birth is sealed to the key that this birth names; a kiosk whose record keys were revoked is not waited for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Engine, Row, select

from central import database, registry, shelf
from central.chain import highest
from central.shelf import EpochKey
from central.tables import key_uptake
from edge.wire.messages import Status


@dataclass(frozen=True, slots=True)
class Awaited:
    """A kiosk that still needs the key before, and why."""

    kiosk: str
    why: str


def note_birth(engine: Engine, status: Status, now: datetime) -> None:
    """Keep which keys a kiosk works with; a verified status that is no birth says nothing new."""
    if status.state != "online":
        return
    heads = {stream: (head.epoch, head.next_sequence - 1) for stream, head in status.streams.items()}
    row = {"kiosk": status.kiosk, "opening_key": status.opening_key, "receipt_keys": _text(status.receipt_keys)}
    with database.reading(engine) as connection:
        known = _row(connection, status.kiosk)
    is_same_opening = known is not None and known.opening_key == status.opening_key
    if is_same_opening and known is not None and known.receipt_keys == row["receipt_keys"]:
        return
    row |= {"heads": known.heads if is_same_opening and known is not None else _text(heads)}
    row |= {"noted_at": database.rfc3339(now)}
    with database.writing(engine) as connection:
        connection.execute(database.upsert(connection, key_uptake), row)


def who_lacks_receipt_key(engine: Engine, kid: str) -> list[Awaited]:
    """Return the kiosks that would not believe a receipt signed by this key."""
    with database.reading(engine) as connection:
        return [
            Awaited(kiosk, "does not know the new key" if known is not None else _NEVER_SAID)
            for kiosk, known in _kiosks(connection)
            if known is None or kid not in msgspec.json.decode(known.receipt_keys, type=list[str])
        ]


def who_seals_to_others(engine: Engine, kids: Collection[str]) -> list[Awaited]:
    """Return the kiosks that may still send letters sealed to another opening key than one of these."""
    with database.reading(engine) as connection:
        found = [(kiosk, _why_awaited(connection, kiosk, known, kids)) for kiosk, known in _kiosks(connection)]
    return [Awaited(kiosk, why) for kiosk, why in found if why]


_NEVER_SAID = "has not said which keys it knows"


def _why_awaited(connection: Connection, kiosk: str, known: Row | None, kids: Collection[str]) -> str:
    if known is None:
        return _NEVER_SAID
    if known.opening_key not in kids:
        return "seals to the old key"
    heads = msgspec.json.decode(known.heads, type=dict[str, tuple[str, int]])
    wanted = {EpochKey(kiosk, stream, epoch): last for stream, (epoch, last) in heads.items() if last > 0}
    ends = shelf.ends_of(connection, sorted(wanted))
    missing = sum(max(0, last - highest(ends[key])) for key, last in wanted.items())
    return f"has {missing} records to send from before it took the new key" if missing else ""


def _kiosks(connection: Connection) -> list[tuple[str, Row | None]]:
    """Return every kiosk whose word counts, with what is known of its keys."""
    known = {row.kiosk: row for row in connection.execute(select(key_uptake))}
    return [(kiosk, known.get(kiosk)) for kiosk in registry.registered_kiosks(connection)]


def _row(connection: Connection, kiosk: str) -> Row | None:
    return connection.execute(select(key_uptake).where(key_uptake.c.kiosk == kiosk)).first()


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
