"""The fleet's present state in the database: one row a kiosk.

Owns the statements on `fleet_kiosk` and what they read of `kiosk_key` and `incident`. Always true: a kiosk that is
registered is there, heard or not; a kiosk whose keys are all revoked is not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, func, select

from central import database
from central.database import moment, rfc3339
from central.fleet import report as reports
from central.fleet.diagnosis import KioskState, OpenIncident
from central.fleet.tables import fleet_kiosk
from central.tables import branch, incident, kiosk_key
from edge.wire.topics import Stream

_registered = select(kiosk_key.c.kiosk).where(kiosk_key.c.revoked_at.is_(None)).distinct().subquery()
# Everything but what the kiosk said; a message changes at least one of these moments.
_SELECT_KNOWN = (
    select(
        _registered.c.kiosk,
        fleet_kiosk.c.heard_at,
        fleet_kiosk.c.connected_at,
        fleet_kiosk.c.offline_at,
        fleet_kiosk.c.health_at,
        fleet_kiosk.c.clock_offset_s,
        fleet_kiosk.c.queue_trend_per_h,
    )
    .select_from(_registered.outerjoin(fleet_kiosk, fleet_kiosk.c.kiosk == _registered.c.kiosk))
    .order_by(_registered.c.kiosk)
)
_SELECT_HEALTH = select(fleet_kiosk.c.kiosk, fleet_kiosk.c.health).where(
    fleet_kiosk.c.kiosk.in_(bindparam("kiosks", expanding=True))
)


class Memory:
    """What was read before, so that who reads the fleet again reads only of those kiosks that were heard since."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._states: dict[str, KioskState] = {}

    def load(self, connection: Connection) -> Mapping[str, KioskState]:
        """Return the state of every registered kiosk, by name and in its order."""
        rows = {row.kiosk: row for row in connection.execute(_SELECT_KNOWN)}
        changed = [name for name, row in rows.items() if row != self._rows.get(name)]
        for some in database.pieces(changed, 500):
            health = dict(connection.execute(_SELECT_HEALTH, {"kiosks": some}).all())
            self._states |= {name: _state(rows[name], health.get(name)) for name in some}
        self._rows, self._states = rows, {name: self._states[name] for name in rows}
        return self._states


def load(connection: Connection) -> Mapping[str, KioskState]:
    """Return the state of every registered kiosk, by name and in its order."""
    return Memory().load(connection)


def _state(row: Row, health: str | None) -> KioskState:
    if row.heard_at is None:
        return KioskState(row.kiosk)
    return KioskState(
        row.kiosk,
        moment(row.heard_at),
        row.connected_at and moment(row.connected_at),
        row.offline_at and moment(row.offline_at),
        row.health_at and moment(row.health_at),
        reports.decode(health),
        row.clock_offset_s,
        row.queue_trend_per_h,
    )


def open_incidents(connection: Connection, kiosk: str = "") -> dict[str, list[OpenIncident]]:
    """Return what is open, by kiosk; those of no kiosk are under the empty name."""
    names = ("kiosk", "kind", "stream", "detail", "count", "first_seen", "last_seen")
    query = select(*(incident.c[name] for name in names)).where(incident.c.closed_at.is_(None)).order_by(incident.c.id)
    if kiosk:
        query = query.where(incident.c.kiosk == kiosk)
    found: dict[str, list[OpenIncident]] = defaultdict(list)
    for name, *rest, first_seen, last_seen in connection.execute(query):
        found[name].append(OpenIncident(*rest, moment(first_seen), moment(last_seen)))
    return found


def last_stored(connection: Connection, kiosk: str = "") -> dict[str, datetime]:
    """Return when each kiosk's crossing stream last grew here."""
    query = select(branch.c.kiosk, func.max(branch.c.updated_at)).where(
        branch.c.stream == Stream.CROSSING, branch.c.root_sequence > 0
    )
    if kiosk:
        query = query.where(branch.c.kiosk == kiosk)
    return {name: moment(at) for name, at in connection.execute(query.group_by(branch.c.kiosk))}


def usual_version(states: Iterable[KioskState]) -> str:
    """Return the version that most of the fleet runs."""
    versions = Counter(state.report.version for state in states if state.report and state.report.version)
    return max(versions, key=lambda version: (versions[version], version), default="")


def put(connection: Connection, states: Iterable[KioskState]) -> None:
    """Write the states of kiosks that were heard, whole."""
    rows = [_row(state) for state in sorted(states, key=lambda state: state.kiosk) if state.heard_at is not None]
    for some in database.pieces(rows, 500):
        connection.execute(database.upsert(connection, fleet_kiosk), list(some))


def _row(state: KioskState) -> dict[str, object]:
    moments = {name: getattr(state, name) for name in ("heard_at", "connected_at", "offline_at", "health_at")}
    return {
        "kiosk": state.kiosk,
        **{name: at and rfc3339(at) for name, at in moments.items()},
        "health": state.report and reports.encode(state.report),
        "clock_offset_s": state.clock_offset_s,
        "queue_trend_per_h": state.queue_trend_per_h,
    }
