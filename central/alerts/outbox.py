"""What has to be told, and whether it was: so that a restart, a stand-by that takes over or a dead line loses nothing.

Owns the statements on `notification`. Always true: what was put here in the transaction that opened an alert is sent at
least once, or given up after a day, and that is counted; an error is kept by its kind, never by what a server answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from central.alerts.tables import notification
from central.database import rfc3339

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 900.0
GIVE_UP_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Letter:
    """One notification for one channel; `body` is JSON."""

    id: int
    channel: str
    body: str
    made_at: str
    attempts: int


def put(connection: Connection, channels: Iterable[str], body: str, now: datetime) -> None:
    """Leave a notification for each of these channels."""
    row = {"body": body, "made_at": rfc3339(now), "next_at": rfc3339(now), "attempts": 0, "error": ""}
    rows = [row | {"channel": channel} for channel in channels]
    if rows:
        connection.execute(insert(notification), rows)


def due(connection: Connection, channel: str, now: datetime) -> Letter | None:
    """Return the oldest notification of a channel that is due."""
    waits = notification.c.sent_at.is_(None) & notification.c.given_up_at.is_(None)
    chosen = waits & (notification.c.channel == channel) & (notification.c.next_at <= rfc3339(now))
    columns = (notification.c[name] for name in Letter.__slots__)
    row = connection.execute(select(*columns).where(chosen).order_by(notification.c.id).limit(1)).first()
    return None if row is None else Letter(*row)


def sent(connection: Connection, letter: Letter, now: datetime) -> None:
    """Write down that a notification arrived."""
    values = {"sent_at": rfc3339(now), "attempts": letter.attempts + 1, "error": ""}
    connection.execute(update(notification).where(notification.c.id == letter.id).values(values))


def failed(connection: Connection, letter: Letter, error: str, now: datetime) -> bool:
    """Put a notification off, longer each time; return False when it is given up, a day after it was made."""
    pause_s = min(LONGEST_PAUSE_S, SHORTEST_PAUSE_S * 2.0 ** min(letter.attempts, 16))
    is_late = letter.made_at <= rfc3339(now - GIVE_UP_AFTER)
    values = {
        "attempts": letter.attempts + 1,
        "next_at": rfc3339(now + timedelta(seconds=pause_s)),
        "error": error,
        "given_up_at": rfc3339(now) if is_late else None,
    }
    connection.execute(update(notification).where(notification.c.id == letter.id).values(values))
    return not is_late


def forget(connection: Connection, before: datetime) -> None:
    """Delete what was sent or given up before a moment."""
    at = rfc3339(before)
    connection.execute(delete(notification).where(or_(notification.c.sent_at < at, notification.c.given_up_at < at)))
