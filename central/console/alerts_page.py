"""Alerts: what is told to people now, who takes care of it, and what nobody wants to hear of for a while.

Owns the page and its three forms; alerts open and close by themselves in `central.alerts`. Always true: every form
leaves an entry in the audit log.
"""

from __future__ import annotations

from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from central import database
from central.alerts import ledger
from central.console.rights import Right
from central.console.visit import Visit

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
    number, engine = _number(visit), visit.console.engine
    visit.logged(
        "alert acknowledged", str(number), "", lambda: ledger.acknowledge(engine, number, visit.by.actor, visit.now)
    )
    return RedirectResponse("/alerts", 303)


def silence(visit: Visit) -> Response:
    """Tell nobody of a kind of alert at a place for some hours."""
    code, scope, hours = visit.text("code"), visit.text("scope"), visit.text("hours")
    if hours not in {str(one) for one in HOURS}:
        raise HTTPException(400, "A silence lasts for one of the times that the page offers.")
    until, engine = visit.now + timedelta(hours=int(hours)), visit.console.engine
    visit.logged(
        "alerts silenced",
        scope,
        f"{code} until {database.rfc3339(until)}",
        lambda: ledger.silence_until(engine, code, scope, visit.by.actor, until, visit.now),
    )
    return RedirectResponse("/alerts", 303)


def lift(visit: Visit) -> Response:
    """End a silence now."""
    number, engine = _number(visit), visit.console.engine
    visit.logged("silence lifted", str(number), "", lambda: ledger.lift(engine, number, visit.by.actor, visit.now))
    return RedirectResponse("/alerts", 303)


def _number(visit: Visit) -> int:
    text = visit.text("id")
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise HTTPException(400, "There is no such alert.")
    return int(text)
