"""How far each stream is held, and what somebody should look at.

Owns what `landfall-central status` and the console show. Always true: nothing is changed, and nobody's name is in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from central import database
from central.chain import Standing
from central.store import read_generation
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
        waiting = _counted(connection, record.c.branch.is_(None))
        quarantined = _counted(connection, record.c.state == Standing.QUARANTINE.name.lower())
        names = ("kiosk", "stream", "epoch", "held_up_to", "hash_at", "updated_at")
        trunks = select(*(branch.c[name] for name in names)).where(branch.c.branch == 0).order_by(*branch.c[:3])
        forks = _branches(connection)
        streams = tuple(
            StreamView(
                *row[:5],
                branches=forks[tuple(row[:3])],
                waiting=waiting.get(tuple(row[:3]), 0),
                quarantined=quarantined.get(tuple(row[:3]), 0),
                updated_at=row[5],
            )
            for row in connection.execute(trunks)
        )
        shown = [incident.c[name] for name in IncidentView.__slots__]
        open_ones = select(*shown).where(incident.c.closed_at.is_(None)).order_by(incident.c.last_seen.desc())
        incidents = tuple(IncidentView(*row) for row in connection.execute(open_ones))
        return Overview(read_generation(connection), streams, incidents)


def _counted(connection: Connection, chosen: object) -> dict[tuple[str, ...], int]:
    columns = (record.c.kiosk, record.c.stream, record.c.epoch)
    query = select(*columns, func.count()).where(chosen).group_by(*columns)  # type: ignore[arg-type]
    return {tuple(key): count for *key, count in connection.execute(query)}


def _branches(connection: Connection) -> dict[tuple[str, ...], int]:
    columns = (branch.c.kiosk, branch.c.stream, branch.c.epoch)
    query = select(*columns, func.count()).group_by(*columns)
    return {tuple(key): count for *key, count in connection.execute(query)}
