"""What the console is given: standings, findings, history, and when a crossing truly was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from central import database, incidents, registry
from central.config import FleetSettings
from central.database import rfc3339
from central.fleet import history, view
from central.fleet.history import Metric
from central.fleet.tables import boot_clock
from central.fleet.view import Standing
from central.fleet.words import Code
from central.incidents import Incident, Kind
from tests.central.fleet.fleet import NOW, health_of, put, register, told, watch

LIMITS = FleetSettings()


def test_a_kiosk_that_is_registered_is_there_before_it_was_ever_heard(engine):
    register(engine, "utopia/lane-1")
    (shown,) = view.fleet(engine, NOW, LIMITS).kiosks
    assert (shown.kiosk, shown.site, shown.standing, shown.report) == (
        "utopia/lane-1",
        "utopia",
        Standing.UNKNOWN,
        None,
    )


def test_a_kiosk_whose_keys_are_all_revoked_is_gone(engine):
    register(engine, "utopia/lane-1")
    put(engine, told("utopia/lane-1"))
    registry.revoke_kiosk(engine, "utopia/lane-1", NOW)
    assert view.fleet(engine, NOW, LIMITS).kiosks == ()
    assert view.kiosk(engine, "utopia/lane-1", NOW, LIMITS) is None


def test_kiosks_are_counted_by_site_and_standing(engine):
    names = ["a/1", "a/2", "a/3", "b/1"]
    register(engine, *names)
    watch(engine)
    put(engine, told("a/1"), told("a/2", NOW - timedelta(minutes=10)), told("a/3", offline_at=NOW))
    put(engine, told("b/1", said=health_of("b/1", store={"state": "full"})))
    shown = view.fleet(engine, NOW, LIMITS)
    standings = [Standing.OK, Standing.SILENT, Standing.OFFLINE, Standing.DEGRADED]
    assert [one.standing for one in shown.kiosks] == standings
    assert [(site.site, site.kiosks, site.standings[Standing.OK]) for site in shown.sites] == [("a", 3, 1), ("b", 1, 0)]
    assert shown.standings == {**dict.fromkeys(standings, 1), Standing.UNKNOWN: 0}


def test_one_kiosk_is_judged_as_in_the_fleet(engine):
    register(engine, "a/1", "a/2", "a/3")
    put(engine, told("a/1", said=health_of("a/1", version="1.1.9")), told("a/2"), told("a/3"))
    with database.writing(engine) as connection:
        incidents.report(connection, [Incident(Kind.GAP, "a/1", "crossing", "e", 7)], rfc3339(NOW))
    shown = view.kiosk(engine, "a/1", NOW, LIMITS)
    assert [one.code for one in shown.findings] == [Code.GAP, Code.VERSION_BEHIND]
    assert shown == view.fleet(engine, NOW, LIMITS).kiosks[0]


@pytest.mark.parametrize(("hours", "step_s"), [(24, 60), (25, 300), (24 * 30, 3600)])
def test_history_is_given_in_a_resolution_that_fits_the_span(engine, hours, step_s):
    resolution_s = 0 if step_s == 60 else step_s
    row = {"kiosk": "a/1", "resolution_s": resolution_s, **dict.fromkeys(map(str, Metric)), "queue": 3.0}
    at_s = int(NOW.timestamp())
    with database.writing(engine) as connection:
        history.put(connection, [row | {"at_s": at_s - step_s}, row | {"at_s": at_s, "queue": None}])
    found = view.history(engine, "a/1", Metric.QUEUE, timedelta(hours=hours), NOW)
    assert (found.step_s, found.values, found.at) == (step_s, (3.0,), (NOW - timedelta(seconds=step_s),))


def test_of_several_amendments_of_one_boot_the_narrowest_interval_is_given(engine):
    told = [(0, 60), (20, 90), (None, 70)]
    rows = [
        {
            "kiosk": "a/1",
            "boot_id": "b",
            "epoch": "e",
            "sequence": number,
            "hash": "h",
            "earliest": None if early is None else rfc3339(NOW + timedelta(seconds=early)),
            "latest": rfc3339(NOW + timedelta(seconds=late)),
        }
        for number, (early, late) in enumerate(told)
    ]
    with database.writing(engine) as connection:
        connection.execute(insert(boot_clock), rows)
    found = view.true_time(engine, "a/1", "b", 100.0)
    assert (found.earliest, found.latest) == (NOW + timedelta(seconds=120), NOW + timedelta(seconds=160))
    assert view.true_time(engine, "a/1", "another", 100.0) is None


def test_a_page_says_that_nobody_watches(engine):
    assert [one.code for one in view.fleet(engine, NOW, LIMITS).centre.findings] == [Code.NOBODY_WATCHES]


def test_nobody_is_silent_while_nobody_listens(engine):
    register(engine, "a/1")
    put(engine, told("a/1", NOW - timedelta(hours=1)))
    watch(engine, since=NOW - timedelta(seconds=60))
    assert view.fleet(engine, NOW, LIMITS).kiosks[0].standing == Standing.OK
    watch(engine, since=None)
    shown = view.fleet(engine, NOW, LIMITS)
    assert (shown.kiosks[0].standing, [one.code for one in shown.centre.findings]) == (Standing.OK, [Code.BROKER_LOST])
