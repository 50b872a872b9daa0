"""How figures went: samples of the last day, five minutes for a month, hours for a year.

Owns the table `sample`. Always true: a coarser sample keeps the worst of what it was made of (the highest, but the
lowest of what is free), since a peak that was averaged away was never seen; making one twice gives the same; nothing is
deleted that the next resolution does not hold, and never much at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Integer, and_, cast, delete, func, literal, select

from central import database
from central.config import FleetSettings
from central.fleet.report import moment
from central.fleet.tables import sample
from central.tables import branch, record
from edge.wire.topics import Stream

FINE_S, MIDDLE_S, COARSE_S = 0, 300, 3600  # what `resolution_s` says; samples as they came are 0


class Metric(StrEnum):
    """What history is kept of; each is a column of `sample`, with its unit in the name."""

    QUEUE = "queue"
    OLDEST = "oldest_s"
    LATENCY = "latency_s"
    TEMPERATURE = "temperature_c"
    MEMORY = "memory_available_bytes"
    DISK = "disk_free_bytes"
    SYNC = "sync_p95_s"


LOW_IS_BAD = {Metric.MEMORY, Metric.DISK}


@dataclass(frozen=True, slots=True)
class Series:
    """A figure over time: two arrays of one length, oldest first; `step_s` is the time from one sample to the next."""

    metric: Metric
    step_s: int
    at: tuple[datetime, ...]
    values: tuple[float, ...]


def read(connection: Connection, kiosk: str, metric: Metric, span: timedelta, now: datetime) -> Series:
    """Return the samples of one figure since `now - span`, no more than about a thousand of them."""
    resolution_s = FINE_S if span <= timedelta(hours=24) else MIDDLE_S if span <= timedelta(days=4) else COARSE_S
    figure = sample.c[metric]
    of_kiosk = (sample.c.kiosk == kiosk) & (sample.c.resolution_s == resolution_s)
    chosen = of_kiosk & (sample.c.at_s >= int((now - span).timestamp())) & figure.is_not(None)
    rows = connection.execute(select(sample.c.at_s, figure).where(chosen).order_by(sample.c.at_s)).all()
    at = tuple(datetime.fromtimestamp(at_s, now.tzinfo) for at_s, _ in rows)
    return Series(metric, resolution_s or 60, at, tuple(value for _, value in rows))


def put(connection: Connection, rows: Iterable[Mapping[str, object]]) -> None:
    """Write samples; a second one of the same kiosk and moment takes the place of the first."""
    for some in database.pieces(list(rows), 500):
        connection.execute(database.upsert(connection, sample), list(some))


def latencies(connection: Connection, since: datetime) -> dict[str, float]:
    """Return how long the newest crossing of each kiosk took from its lane to here, of those that came since."""
    query = (
        select(branch.c.kiosk, record.c.time, record.c.received_at)
        .join(
            record,
            and_(
                *(branch.c[name] == record.c[name] for name in ("kiosk", "stream", "epoch")),
                branch.c.held_up_to == record.c.sequence,
                branch.c.hash_at == record.c.hash,
            ),
        )
        .where(branch.c.stream == Stream.CROSSING, branch.c.updated_at >= database.rfc3339(since))
        .order_by(record.c.received_at)
    )
    found: dict[str, float] = {}
    for kiosk, made_at, received_at in connection.execute(query):
        made = moment(made_at)
        if made is not None:  # a kiosk without the right time tells nothing of use here, but harms nobody
            found[kiosk] = max(0.0, (database.moment(received_at) - made).total_seconds())
    return found


def condense(connection: Connection, kiosks: Sequence[str], now: datetime, settings: FleetSettings) -> None:
    """Make coarser samples for some kiosks out of finer ones, as far as they are complete, and delete what is too old.

    Of five minutes that ended it takes the last half hour, of hours the last two: who was away for longer loses the
    coarse picture of that time, and the fine one shows it for a day.
    """
    now_s = int(now.timestamp())
    _coarser(connection, kiosks, FINE_S, MIDDLE_S, now_s - 1800, now_s)
    _coarser(connection, kiosks, MIDDLE_S, COARSE_S, now_s - 2 * COARSE_S, now_s)
    keep_s = {
        FINE_S: settings.keep_samples_h * 3600,
        MIDDLE_S: settings.keep_5_minutes_days * 86_400,
        COARSE_S: settings.keep_hours_days * 86_400,
    }
    for resolution_s, kept_s in keep_s.items():
        old = (sample.c.resolution_s == resolution_s) & (sample.c.at_s < now_s - int(kept_s))
        connection.execute(delete(sample).where(sample.c.kiosk.in_(kiosks), old))


def _coarser(
    connection: Connection, kiosks: Sequence[str], fine_s: int, coarse_s: int, from_s: int, until_s: int
) -> None:
    start_s, end_s = from_s // coarse_s * coarse_s, until_s // coarse_s * coarse_s
    bucket = cast(sample.c.at_s - sample.c.at_s % coarse_s, Integer)
    worst = [(func.min if metric in LOW_IS_BAD else func.max)(sample.c[metric]) for metric in Metric]
    finer = (sample.c.resolution_s == fine_s) & (sample.c.at_s >= start_s) & (sample.c.at_s < end_s)
    query = (
        select(sample.c.kiosk, literal(coarse_s, Integer), bucket, *worst)
        .where(sample.c.kiosk.in_(kiosks), finer)
        .group_by(sample.c.kiosk, bucket)
    )
    columns = ["kiosk", "resolution_s", "at_s", *(str(metric) for metric in Metric)]
    connection.execute(database.upsert(connection, sample).from_select(columns, query))
