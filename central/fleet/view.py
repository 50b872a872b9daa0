"""What the console shows of the fleet: plain values, read in one transaction, nothing changed.

Owns the shapes that pages are made of. Always true: everything is judged at the moment that the caller names, so a page
is right even when no watcher runs (it then says so); nothing of a traveller is in here; times are UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select

from central import database
from central.config import FleetSettings
from central.fleet import centre as centres
from central.fleet import history as histories
from central.fleet import state as states
from central.fleet.diagnosis import Context, Finding, KioskState, OpenIncident, Standing, diagnose, standing_of
from central.fleet.history import Metric, Series
from central.fleet.report import Report
from central.fleet.tables import boot_clock


@dataclass(frozen=True, slots=True)
class KioskView:
    """One kiosk at one moment; None is what is not known. `report` is what it last said of itself."""

    kiosk: str
    site: str
    standing: Standing
    findings: tuple[Finding, ...]
    heard_at: datetime | None
    connected_at: datetime | None
    offline_at: datetime | None
    health_at: datetime | None
    last_stored_at: datetime | None  # when its crossing stream last grew at the centre
    clock_offset_s: float | None  # its clock less ours
    queue: int
    queue_trend_per_h: float
    report: Report | None


@dataclass(frozen=True, slots=True)
class SiteView:
    """One site: how many kiosks stand how."""

    site: str
    kiosks: int
    standings: dict[Standing, int]


@dataclass(frozen=True, slots=True)
class CentreView:
    """The centre itself; `watcher_seen_at` is None when no watcher ever ran."""

    findings: tuple[Finding, ...]
    watcher: str
    watcher_seen_at: datetime | None
    receipts_late_s: float | None
    database_bytes: int | None
    disk_free_bytes: int | None
    backup_at: datetime | None


@dataclass(frozen=True, slots=True)
class FleetView:
    """Everything at one moment; kiosks stand in the order of their names."""

    at: datetime
    kiosks: tuple[KioskView, ...]
    sites: tuple[SiteView, ...]
    standings: dict[Standing, int]
    centre: CentreView


@dataclass(frozen=True, slots=True)
class TrueTime:
    """When something happened, as the amendments of its boot tell; `earliest` is None where nothing is known of it."""

    earliest: datetime | None
    latest: datetime


class Fleet:
    """All kiosks, all sites and the centre, for whoever looks again and again; one thread at a time."""

    def __init__(self, engine: Engine, limits: FleetSettings) -> None:
        self._engine, self._limits = engine, limits
        self._memory = states.Memory()

    def at(self, now: datetime) -> FleetView:
        """Return them as the database has them now."""
        with database.reading(self._engine) as connection:
            known = self._memory.load(connection)
            figures = centres.measure(connection, known, now, self._limits)
            context = Context(now, self._limits, states.usual_version(known.values()), figures.watched_from)
            found = _views(connection, known.values(), context)
        sites: dict[str, list[KioskView]] = {}
        for one in found:
            sites.setdefault(one.site, []).append(one)
        counted = tuple(SiteView(site, len(ones), _standings(ones)) for site, ones in sorted(sites.items()))
        return FleetView(now, found, counted, _standings(found), _centre(figures, now, self._limits))


def fleet(engine: Engine, now: datetime, limits: FleetSettings) -> FleetView:
    """Return all kiosks, all sites and the centre."""
    return Fleet(engine, limits).at(now)


def kiosk(engine: Engine, name: str, now: datetime, limits: FleetSettings) -> KioskView | None:
    """Return one kiosk, judged as in the fleet; None when nobody registered it."""
    with database.reading(engine) as connection:
        known = states.load(connection)
        if name not in known:
            return None
        figures = centres.measure(connection, known, now, limits)
        context = Context(now, limits, states.usual_version(known.values()), figures.watched_from)
        return _views(connection, [known[name]], context, name)[0]


def history(engine: Engine, kiosk: str, metric: Metric, span: timedelta, now: datetime) -> Series:
    """Return how a figure of one kiosk went in the time before now, in the finest samples that reach back so far."""
    with database.reading(engine) as connection:
        return histories.read(connection, kiosk, metric, span, now)


def true_time(engine: Engine, kiosk: str, boot_id: str, boottime_s: float) -> TrueTime | None:
    """Return when a record of this boot was made, from its clock's `boottime_s`; None when no amendment dates the boot.

    Of several amendments each is true, so the narrowest interval that all allow is given.
    """
    of_boot = (boot_clock.c.kiosk == kiosk) & (boot_clock.c.boot_id == boot_id)
    with database.reading(engine) as connection:
        rows = connection.execute(select(boot_clock.c.earliest, boot_clock.c.latest).where(of_boot)).all()
    if not rows:
        return None
    after = timedelta(seconds=boottime_s)
    earliest = max((database.moment(row.earliest) for row in rows if row.earliest), default=None)
    latest = min(database.moment(row.latest) for row in rows)
    return TrueTime(None if earliest is None or earliest > latest else earliest + after, latest + after)


def _views(
    connection: Connection, known: Iterable[KioskState], context: Context, name: str = ""
) -> tuple[KioskView, ...]:
    incidents = states.open_incidents(connection, name)
    stored = states.last_stored(connection, name)
    return tuple(
        _view(one, diagnose(one, incidents.get(one.kiosk, ()), context), stored.get(one.kiosk)) for one in known
    )


def _view(one: KioskState, findings: Sequence[Finding], stored_at: datetime | None) -> KioskView:
    return KioskView(
        kiosk=one.kiosk,
        site=one.kiosk.partition("/")[0],
        standing=standing_of(findings),
        findings=tuple(findings),
        heard_at=one.heard_at,
        connected_at=one.connected_at,
        offline_at=one.offline_at,
        health_at=one.health_at,
        last_stored_at=stored_at,
        clock_offset_s=one.clock_offset_s,
        queue=int(one.report.queue) if one.report else 0,
        queue_trend_per_h=one.queue_trend_per_h,
        report=one.report,
    )


def _standings(kiosks: Sequence[KioskView]) -> dict[Standing, int]:
    counted = Counter(one.standing for one in kiosks)
    return {standing: counted[standing] for standing in Standing}


def _centre(figures: centres.Figures, now: datetime, limits: FleetSettings) -> CentreView:
    return CentreView(
        findings=tuple(centres.diagnose(figures, now, limits)),
        watcher=figures.watcher,
        watcher_seen_at=figures.watcher_seen_at,
        receipts_late_s=figures.receipts_late_s,
        database_bytes=figures.database_bytes,
        disk_free_bytes=figures.disk_free_bytes,
        backup_at=figures.backup_at,
    )


__all__ = [
    "CentreView",
    "Finding",
    "Fleet",
    "FleetView",
    "KioskView",
    "Metric",
    "OpenIncident",
    "Series",
    "SiteView",
    "Standing",
    "TrueTime",
    "fleet",
    "history",
    "kiosk",
    "true_time",
]
