"""What is alerted now, who takes care of it, and what nobody wants to hear of.

Owns the statements on `alert` and `silence`. Always true: an acknowledgement names who and when, a silence who, when
and until when; neither closes an alert, since only the fault's end does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, Row, bindparam, delete, insert, select, update

from central import database
from central.alerts.tables import alert, silence
from central.database import moment, rfc3339
from central.fleet.words import Code, Severity
from edge.errors import LandfallError
from edge.printable import printable

EVERYTHING = "*"
CENTRE = "centre"  # the scope of what is wrong with the centre itself
MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that somebody is told of. `scope` is a kiosk, a site (`site/*`) or the centre.

    `gone_at` is since when it is no longer seen; it closes when that lasts.
    """

    id: int
    code: Code
    scope: str
    subject: str
    severity: Severity
    what: str
    remedy: str
    since: datetime
    opened_at: datetime | None
    gone_at: datetime | None
    closed_at: datetime | None
    told_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str


@dataclass(frozen=True, slots=True)
class Silence:
    """What nobody is told of until a moment; code and scope may be `*`."""

    id: int
    code: str
    scope: str
    made_by: str
    made_at: datetime
    until: datetime

    def fits(self, code: str, scope: str) -> bool:
        """Tell whether this silences an alert; that of a site silences its kiosks."""
        of_site = self.scope.endswith("/*") and scope.startswith(self.scope[:-1])
        return self.code in (EVERYTHING, code) and (self.scope in (EVERYTHING, scope) or of_site)


def open_alerts(engine: Engine) -> list[Alert]:
    """Return what is alerted, the worst first."""
    with database.reading(engine) as connection:
        chosen = alert.c.closed_at.is_(None) & alert.c.opened_at.is_not(None)
        return sorted(load(connection, chosen), key=lambda one: (one.severity, one.since))


def past_alerts(engine: Engine, *, most: int = 200) -> list[Alert]:
    """Return the alerts that were closed last, the newest first."""
    with database.reading(engine) as connection:
        rows = connection.execute(
            select(alert)
            .where(alert.c.closed_at.is_not(None), alert.c.opened_at.is_not(None))
            .order_by(alert.c.closed_at.desc())
            .limit(most)
        )
        return [_alert(row) for row in rows]


def load(connection: Connection, chosen: object) -> list[Alert]:
    """Return the alerts that a condition chooses."""
    return [_alert(row) for row in connection.execute(select(alert).where(chosen).order_by(alert.c.id))]  # type: ignore[arg-type]


def acknowledge(engine: Engine, id: int, by: str, now: datetime) -> None:
    """Write down that somebody takes care of an open alert; raise `LandfallError` when there is none of that number."""
    open_one = (alert.c.id == id) & alert.c.closed_at.is_(None)
    values = {"acknowledged_at": rfc3339(now), "acknowledged_by": _named(by)}
    with database.writing(engine) as connection:
        if not connection.execute(update(alert).where(open_one).values(values)).rowcount:
            raise LandfallError(f"no open alert has the number {id}", remedy="see `landfall-central alerts`")


def silence_until(engine: Engine, code: str, scope: str, by: str, until: datetime, now: datetime) -> int:
    """Tell nobody of what fits until then; return the silence's number.

    `code` is a code or `*`; `scope` a kiosk, `site/*`, `centre` or `*`. Raise `LandfallError` for anything else, or for
    an end that has passed.
    """
    if code != EVERYTHING and code not in set(Code):
        raise LandfallError(f"{code[:MAX_NAME]!r} is no code", remedy="see docs/operations.md for the codes")
    if until <= now:
        raise LandfallError("a silence ends in the future")
    row = {"code": code, "scope": _named(scope), "made_by": _named(by), "made_at": rfc3339(now)}
    with database.writing(engine) as connection:
        made = connection.execute(insert(silence).values(row | {"until": rfc3339(until)}))
        return int(made.inserted_primary_key[0])  # type: ignore[index]


def silences(engine: Engine, now: datetime) -> list[Silence]:
    """Return the silences that hold."""
    with database.reading(engine) as connection:
        return load_silences(connection, now)


def load_silences(connection: Connection, now: datetime) -> list[Silence]:
    """Return the silences that hold, within a transaction."""
    rows = connection.execute(select(silence).where(silence.c.until > rfc3339(now)).order_by(silence.c.id))
    return [Silence(*row[:4], moment(row.made_at), moment(row.until)) for row in rows]


def lift(engine: Engine, id: int, by: str, now: datetime) -> None:
    """End a silence now; raise `LandfallError` when none of that number holds."""
    holds = (silence.c.id == id) & (silence.c.until > rfc3339(now))
    with database.writing(engine) as connection:
        values = {"until": rfc3339(now), "made_by": _named(by)}
        if not connection.execute(update(silence).where(holds).values(values)).rowcount:
            raise LandfallError(f"no silence that holds has the number {id}", remedy="see `landfall-central alerts`")


def write(connection: Connection, alerts: Iterable[Alert], dropped: Iterable[int]) -> dict[Alert, int]:
    """Write alerts that are new or changed, delete those that never lasted, and return the numbers of the new ones."""
    numbers: dict[Alert, int] = {}
    changed = []
    for one in alerts:
        if one.id:
            changed.append({"at_id": one.id, **_row(one)})
        else:
            made = connection.execute(insert(alert).values(_row(one)))
            numbers[one] = int(made.inserted_primary_key[0])  # type: ignore[index]
    if changed:
        connection.execute(update(alert).where(alert.c.id == bindparam("at_id")), changed)
    gone = list(dropped)
    if gone:
        connection.execute(delete(alert).where(alert.c.id == bindparam("at_id")), [{"at_id": id} for id in gone])
    return numbers


def forget(connection: Connection, before: datetime) -> None:
    """Delete alerts and silences that ended before a moment."""
    at = rfc3339(before)
    connection.execute(delete(alert).where(alert.c.closed_at < at))
    connection.execute(delete(silence).where(silence.c.until < at))


_MOMENTS = ("since", "opened_at", "gone_at", "closed_at", "told_at", "acknowledged_at")


def _alert(row: Row) -> Alert:
    found = dict(row._mapping)
    found |= {name: found[name] and moment(found[name]) for name in _MOMENTS}
    found |= {"code": Code(found["code"]), "severity": Severity[found["severity"].upper()]}
    return Alert(**found | {"acknowledged_by": found["acknowledged_by"] or ""})


def _row(one: Alert) -> dict[str, object]:
    """Return what is written of an alert; who acknowledged it is written by `acknowledge` alone."""
    words = {name: getattr(one, name) for name in ("scope", "subject", "what", "remedy")}
    moments = {name: getattr(one, name) for name in _MOMENTS if name != "acknowledged_at"}
    return {
        "code": str(one.code),
        "severity": one.severity.word,
        **words,
        **{name: at and rfc3339(at) for name, at in moments.items()},
    }


def _named(name: str) -> str:
    """Return the name of a user, kiosk or site as it is kept."""
    cleaned = printable(name, "").strip()[:MAX_NAME]
    if not cleaned:
        raise LandfallError("who or what is missing", remedy="give a name")
    return cleaned
