"""Alerts: what is told to people now, who takes care of it, and what nobody wants to hear of for a while.

Owns the page and its three forms; alerts open and close by themselves in `central.alerts`. Always true: every form
leaves an entry in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from central import database
from central.alerts import ledger
from central.console import audit
from central.console.rights import Right
from central.console.visit import Visit
from edge.errors import LandfallError

PAST_SHOWN = 50
HOURS = (1, 8, 24, 72)


def show(visit: Visit) -> Response:
    """Show what is alerted, what is silenced and what is over."""
    engine = visit.console.engine
    silences = ledger.silences(engine, visit.now)
    alerts = ledger.open_alerts(engine)
    quiet = {one.id for one in alerts if any(silence.fits(one.code, one.scope) for silence in silences)}
    values = {
        "alerts": [one for one in alerts if one.id not in quiet],
        "quiet": [one for one in alerts if one.id in quiet],
        "silences": silences,
        "past": ledger.past_alerts(engine, most=PAST_SHOWN),
        "hours": HOURS,
        "may_tend": visit.who.account.may(Right.TEND_ALERTS),
        "centre": visit.console.snapshot.fleet(visit.now),
    }
    return visit.show("alerts.html", values)


def acknowledge(visit: Visit) -> Response:
    """Write down that somebody takes care of an alert."""
    number = _number(visit)
    return _done(
        visit,
        lambda: ledger.acknowledge(visit.console.engine, number, visit.by.actor, visit.now),
        "alert acknowledged",
        str(number),
    )


def silence(visit: Visit) -> Response:
    """Tell nobody of a kind of alert at a place for some hours."""
    code, scope, hours = visit.text("code"), visit.text("scope"), visit.text("hours")
    if hours not in {str(one) for one in HOURS}:
        raise HTTPException(400, "A silence lasts for one of the times that the page offers.")
    until = visit.now + timedelta(hours=int(hours))
    return _done(
        visit,
        lambda: ledger.silence_until(visit.console.engine, code, scope, visit.by.actor, until, visit.now),
        "alerts silenced",
        scope,
        f"{code} until {database.rfc3339(until)}",
    )


def lift(visit: Visit) -> Response:
    """End a silence now."""
    number = _number(visit)
    return _done(
        visit,
        lambda: ledger.lift(visit.console.engine, number, visit.by.actor, visit.now),
        "silence lifted",
        str(number),
    )


def _done(visit: Visit, change: Callable[[], object], action: str, subject: str, detail: str = "") -> Response:
    """Make a change, write it down, and go back to the page it came from."""
    try:
        change()
    except LandfallError as error:
        raise HTTPException(400, f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    with database.writing(visit.console.engine) as connection:
        audit.append(connection, visit.by.deed(action, subject, detail), visit.now)
    return RedirectResponse("/alerts", 303)


def _number(visit: Visit) -> int:
    text = visit.text("id")
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise HTTPException(400, "There is no such alert.")
    return int(text)
