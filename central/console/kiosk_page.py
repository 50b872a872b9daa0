"""The page of one kiosk: what is wrong, how it went, its devices, streams and settings, and what happened.

Owns what is put together for the page, and the figures of its charts. Always true: it only reads; what the kiosk said
of itself was cut to size by `central.fleet.report` before, and is shown as text.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Any

import msgspec
from starlette.responses import Response

from central import database
from central.console import kiosk_commands, kiosk_settings, kiosk_story
from central.console.live import Picture
from central.console.rights import Right
from central.console.visit import Visit, kiosk_named
from central.fleet import view
from central.fleet.history import Metric
from central.fleet.view import KioskView

SPANS = {"24h": timedelta(hours=24), "30d": timedelta(days=30)}
CHARTS = {
    Metric.QUEUE: ("Queue", "records"),
    Metric.LATENCY: ("Time to the receipt", "s"),
    Metric.TEMPERATURE: ("Processor temperature", "°C"),
}
_BREAK = 3  # as many steps without a sample leave the line open


def show(visit: Visit) -> Response:
    """Show one kiosk."""
    one = kiosk_named(visit)
    span = visit.request.query_params.get("span", "24h")
    span = span if span in SPANS else "24h"
    with database.reading(visit.console.engine) as connection:
        held = {one.stream: one for one in kiosk_story.streams(connection, one.kiosk)}
        happenings = kiosk_story.happenings(connection, one.kiosk)
    there = one.report.streams if one.report else {}
    values = {
        "settings": kiosk_settings.shown(visit, one),
        "orders": kiosk_commands.orders(visit, one.kiosk),
        "may_command": visit.who.account.may(Right.COMMAND),
        "one": one,
        "fleet": visit.console.snapshot.fleet(visit.now),
        "streams": [(name, held.get(name), there.get(name)) for name in sorted(held.keys() | there.keys())],
        "happenings": happenings,
        "span": span,
        "spans": SPANS,
        "charts": [_summary(visit, one, metric, span) for metric in CHARTS],
    }
    return visit.show("kiosk.html", values)


def stream(visit: Visit) -> Response:
    """Keep the upper part of the page up to date."""
    parts = visit.console.templates.get_template("kiosk_parts.html").module
    fleet_parts = visit.console.templates.get_template("fleet_parts.html").module
    name = kiosk_named(visit).kiosk

    def draw(now: datetime) -> Picture:
        fleet, one = visit.console.snapshot.fleet(now), visit.console.snapshot.kiosk(name, now)
        if one is None:
            return Picture({})
        return Picture(
            {
                "notice": fleet_parts.notice(fleet, now),
                "heading": parts.heading(one, now, is_live=True),
                "facts": parts.facts(one, now, is_live=True),
                "devices": parts.devices(one, now, is_live=True),
            }
        )

    return visit.live(f"/kiosk/{name}/live", draw)


def history(visit: Visit) -> Response:
    """Return the figures of the charts as JSON: seconds and values by metric, a null where nothing was told."""
    one = kiosk_named(visit)
    span = SPANS.get(visit.request.query_params.get("span", ""), SPANS["24h"])
    found = {metric: _points(visit, one.kiosk, metric, span) for metric in CHARTS}
    return Response(msgspec.json.encode(found), media_type="application/json")


def _points(visit: Visit, kiosk: str, metric: Metric, span: timedelta) -> tuple[list[int], list[float | None]]:
    series = view.history(visit.console.engine, kiosk, metric, span, visit.now)
    steps_s = [(later - earlier).total_seconds() for earlier, later in pairwise(series.at)]
    usual_s = max([series.step_s, median_low(steps_s)] if steps_s else [series.step_s])
    seconds: list[int] = []
    values: list[float | None] = []
    for at, value in zip(series.at, series.values, strict=True):
        at_s = int(at.timestamp())
        if seconds and at_s - seconds[-1] > _BREAK * usual_s:
            seconds.append(seconds[-1] + int(usual_s))
            values.append(None)
        seconds.append(at_s)
        values.append(value)
    return seconds, values


def _summary(visit: Visit, one: KioskView, metric: Metric, span: str) -> dict[str, Any]:
    """Return what a chart says in words, for who does not see it."""
    series = view.history(visit.console.engine, one.kiosk, metric, SPANS[span], visit.now)
    title, unit = CHARTS[metric]
    values = series.values
    found = {"least": min(values), "most": max(values), "last": values[-1]} if values else {}
    return {"metric": metric, "title": title, "unit": unit, "samples": len(values), **found}
