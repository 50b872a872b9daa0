"""How far each stream is held, and what somebody should look at.

Owns what `landfall-central status` and the console show. Always true: nothing is changed, and nobody's name is in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, Table, func, select

from central import database, generations
from central.incidents import Kind
from central.tables import branch, incident, record


@dataclass(frozen=True, slots=True)
class StreamView:
    """One epoch of one stream; `held_up_to` and `hash_at` are the trunk's, and 0 before the epoch was founded."""

    kiosk: str
    stream: str
    epoch: str
    held_up_to: int
    hash_at: str
    branches: int
    waiting: int
    quarantined: int
    updated_at: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident that is not closed."""

    kind: str
    kiosk: str
    stream: str
    epoch: str
    sequence: int
    detail: str
    count: int
    first_seen: str
    last_seen: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything at one moment."""

    generation: str
    streams: tuple[StreamView, ...]
    incidents: tuple[IncidentView, ...]


def overview(engine: Engine) -> Overview:
    """Return the state of all kiosks at one moment."""
    with database.reading(engine) as connection:
        waiting = _counted(connection, record, record.c.branch.is_(None))
        is_open = (incident.c.kind == Kind.QUARANTINE) & incident.c.closed_at.is_(None)
        quarantined = _counted(connection, incident, is_open)
        names = ("kiosk", "stream", "epoch", "held_up_to", "hash_at", "updated_at")
        trunks = select(*(branch.c[name] for name in names)).where(branch.c.branch == 0).order_by(*branch.c[:3])
        branches = _counted(connection, branch, branch.c.root_sequence > 0)
        streams = tuple(
            StreamView(
                *row[:5],
                branches=branches.get(tuple(row[:3]), 0),
                waiting=waiting.get(tuple(row[:3]), 0),
                quarantined=quarantined.get(tuple(row[:3]), 0),
                updated_at=row[5],
            )
            for row in connection.execute(trunks)
        )
        shown = [incident.c[name] for name in IncidentView.__slots__]
        open_ones = select(*shown).where(incident.c.closed_at.is_(None)).order_by(incident.c.last_seen.desc())
        incidents = tuple(IncidentView(*row) for row in connection.execute(open_ones))
        return Overview(generations.read(connection).everybodys, streams, incidents)


def _counted(connection: Connection, table: Table, chosen: ColumnElement[bool]) -> dict[tuple[str, ...], int]:
    """Return how many chosen rows there are of each epoch."""
    columns = (table.c.kiosk, table.c.stream, table.c.epoch)
    query = select(*columns, func.count()).where(chosen).group_by(*columns)
    return {tuple(key): count for *key, count in connection.execute(query)}
