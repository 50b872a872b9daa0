"""What the centre has of one kiosk beside its present state: streams and their holes, and what happened.

Owns the statements of the kiosk's page on `branch`, `record`, `incident` and `alert`. Always true: nothing of a
traveller is selected, only positions, counts and reasons; nothing is changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from central.alerts.tables import alert
from central.incidents import Kind
from central.tables import branch, incident, record

EVENTS = 100
_HOLES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class StreamHeld:
    """How far the centre holds the newest epoch of a stream; `waiting` records came, but one before them did not."""

    stream: str
    held_up_to: int
    updated_at: str
    waiting: int
    holes: tuple[int, ...]
    epochs: int


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the log: an incident that was noticed, or an alert; `closed_at` is None while it lasts."""

    at: str
    last_at: str
    what: str
    detail: str
    count: int
    closed_at: str | None


def streams(connection: Connection, kiosk: str) -> list[StreamHeld]:
    """Return the streams of a kiosk by name."""
    trunks = select(branch.c.stream, branch.c.epoch, branch.c.held_up_to, branch.c.updated_at).where(
        branch.c.kiosk == kiosk, branch.c.branch == 0
    )
    newest: dict[str, tuple[str, str, int, int]] = {}
    for stream, epoch, held_up_to, updated_at in connection.execute(trunks.order_by(branch.c.updated_at)):
        epochs = newest[stream][3] + 1 if stream in newest else 1
        newest[stream] = (epoch, updated_at, held_up_to, epochs)
    waiting_query = (
        select(record.c.stream, func.count())
        .where(record.c.kiosk == kiosk, record.c.branch.is_(None))
        .group_by(record.c.stream)
    )
    waiting: dict[str, int] = dict(connection.execute(waiting_query).all())  # type: ignore[arg-type]
    holes: dict[str, list[int]] = {}
    open_gaps = (incident.c.kiosk == kiosk) & (incident.c.kind == Kind.GAP) & incident.c.closed_at.is_(None)
    for stream, sequence in connection.execute(
        select(incident.c.stream, incident.c.sequence)
        .where(open_gaps)
        .order_by(incident.c.sequence)
        .limit(_HOLES_SHOWN)
    ):
        holes.setdefault(stream, []).append(sequence)
    return [
        StreamHeld(stream, held_up_to, updated_at, waiting.get(stream, 0), tuple(holes.get(stream, ())), epochs)
        for stream, (_, updated_at, held_up_to, epochs) in sorted(newest.items())
    ]


def happenings(connection: Connection, kiosk: str) -> list[Happening]:
    """Return what happened to a kiosk, the newest first."""
    columns = [
        incident.c[name] for name in ("first_seen", "last_seen", "kind", "stream", "detail", "count", "closed_at")
    ]
    noticed = select(*columns).where(incident.c.kiosk == kiosk).order_by(incident.c.last_seen.desc()).limit(EVENTS)
    found = [
        Happening(first, last, kind, " ".join(part for part in (stream, detail) if part), count, closed)
        for first, last, kind, stream, detail, count, closed in connection.execute(noticed)
    ]
    told = (
        select(alert.c.since, alert.c.what, alert.c.closed_at)
        .where(alert.c.scope == kiosk, alert.c.opened_at.is_not(None))
        .order_by(alert.c.since.desc())
        .limit(EVENTS)
    )
    found += [Happening(since, since, what, "", 1, closed) for since, what, closed in connection.execute(told)]
    return sorted(found, key=lambda one: one.last_at, reverse=True)[:EVENTS]
