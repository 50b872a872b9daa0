"""How the centre itself does: its database, its receipts, its backup, and whether anybody watches.

Owns what is measured, and when it is a fault. Always true: what cannot be measured here (the disk of a database on
another machine) is not known, and no fault; nothing is changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, func, select, text

from central.alerts.tables import notification
from central.config import FleetSettings
from central.database import moment, rfc3339
from central.fleet.diagnosis import Finding, KioskState, finding, is_offline, size, span
from central.fleet.tables import lease
from central.fleet.words import Code
from central.tables import centre

WATCHER = "watcher"  # the lease of whoever watches
BACKUP_AT = "backup_at"  # what a backup writes into `centre` when it is done: RFC 3339
UNTOLD_S = 600.0  # after so long a notification that waits is a fault
LEAST_WAITING = 3  # kiosks: what fewer of them wait for may be their own line


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured at one moment."""

    watcher: str = ""  # who holds the lease
    watcher_seen_at: datetime | None = None
    watcher_until: datetime | None = None
    watched_from: datetime | None = None
    untold: int = 0
    receipts_late_s: float | None = None
    database_bytes: int | None = None
    disk_free_bytes: int | None = None
    backup_at: datetime | None = None


def measure(
    connection: Connection, states: Mapping[str, KioskState], now: datetime, settings: FleetSettings
) -> Figures:
    """Return the figures of this moment."""
    held = connection.execute(select(lease).where(lease.c.name == WATCHER)).first()
    database_bytes, disk_free_bytes = _room(connection, settings)
    before = rfc3339(now - timedelta(seconds=UNTOLD_S))
    waits = notification.c.sent_at.is_(None) & notification.c.given_up_at.is_(None) & (notification.c.made_at < before)
    return Figures(
        watcher="" if held is None else held.holder,
        watcher_seen_at=None if held is None else moment(held.renewed_at),
        watcher_until=None if held is None else moment(held.expires_at),
        watched_from=None if held is None or held.working_since is None else moment(held.working_since),
        untold=connection.scalar(select(func.count()).select_from(notification).where(waits)) or 0,
        receipts_late_s=_receipts_late_s(states, now, settings),
        database_bytes=database_bytes,
        disk_free_bytes=disk_free_bytes,
        backup_at=_backup_at(connection, settings),
    )


def diagnose(figures: Figures, now: datetime, settings: FleetSettings) -> list[Finding]:
    """Return what is wrong with the centre, the worst first."""
    return sorted(_findings(figures, now, settings), key=lambda one: one.severity)


def _findings(figures: Figures, now: datetime, settings: FleetSettings) -> Iterator[Finding]:
    if figures.watcher_until is None:
        yield finding(Code.NOBODY_WATCHES, value="this database was made")
    elif figures.watcher_until < now and figures.watcher_seen_at is not None:
        seen_at = figures.watcher_seen_at
        yield finding(Code.NOBODY_WATCHES, value=f"{seen_at:%Y-%m-%d %H:%M} UTC", since=seen_at)
    elif figures.watched_from is None:
        yield finding(Code.BROKER_LOST)
    if figures.untold:
        yield finding(Code.NOT_TOLD, value=f"{figures.untold} wait")
    if figures.receipts_late_s is not None and figures.receipts_late_s >= settings.receipts_later_than_s:
        yield finding(Code.RECEIPTS_LATE, value=span(figures.receipts_late_s))
    free = figures.disk_free_bytes
    if free is not None and free < settings.database_full_below_mb * 1e6:
        yield finding(Code.DATABASE_FULL, value=size(free))
    elif free is not None and free < settings.database_short_below_mb * 1e6:
        yield finding(Code.DATABASE_SHORT, value=size(free))
    backup_at = figures.backup_at
    if backup_at is not None and now - backup_at > timedelta(hours=settings.backup_older_than_h):
        yield finding(Code.BACKUP_OLD, value=f"{backup_at:%Y-%m-%d %H:%M} UTC", since=backup_at)
    elif backup_at is None and settings.backup_stamp is not None:
        yield finding(Code.BACKUP_OLD, value="never")


def _receipts_late_s(states: Mapping[str, KioskState], now: datetime, settings: FleetSettings) -> float | None:
    """Return how long half of the connected kiosks that are heard wait at least; None when none is heard.

    A single kiosk that waits has a line that is slow; when half of them wait, nobody gives receipts.
    """
    since = now - timedelta(seconds=settings.silent_after_s)
    waits = [
        state.report.oldest_s or 0.0
        for state in states.values()
        if state.report is not None and state.health_at is not None and state.health_at >= since
        if not is_offline(state)
    ]
    return median(waits) if len(waits) >= LEAST_WAITING else None


def _room(connection: Connection, settings: FleetSettings) -> tuple[int | None, int | None]:
    """Return the size of the database and what its disk has left."""
    folder = settings.database_disk
    if connection.dialect.name == "sqlite":
        size_bytes = connection.scalar(
            text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        )
        folder = folder or Path(str(connection.engine.url.database)).parent
    else:
        size_bytes = connection.scalar(text("SELECT pg_database_size(current_database())"))
    try:
        free = None if folder is None else shutil.disk_usage(folder).free
    except OSError:
        free = None
    return size_bytes, free


def _backup_at(connection: Connection, settings: FleetSettings) -> datetime | None:
    """Return when the last backup was done, by the database's word or a stamp file's age."""
    said = connection.scalar(select(centre.c.value).where(centre.c.key == BACKUP_AT))
    found = [] if said is None else [moment(said)]
    if settings.backup_stamp is not None:
        try:
            found.append(datetime.fromtimestamp(settings.backup_stamp.stat().st_mtime, UTC))
        except OSError:
            pass
    return max(found, default=None)
