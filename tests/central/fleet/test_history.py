"""History: the worst of an interval is kept, twice gives the same, and nothing is kept for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from central import database
from central.config import FleetSettings
from central.fleet import history
from central.fleet.history import COARSE_S, FINE_S, MIDDLE_S, Metric
from central.fleet.tables import sample
from tests.central.centre import Centre
from tests.central.fleet.fleet import NOW
from tests.harness.kiosk_records import AT, FakeKiosk

SETTINGS = FleetSettings()


def put(engine, *rows, kiosk="a/1"):
    whole = dict.fromkeys(map(str, Metric))
    with database.writing(engine) as connection:
        history.put(
            connection,
            [
                whole | {"kiosk": kiosk, "resolution_s": FINE_S, "at_s": int(at.timestamp()), **figures}
                for at, figures in rows
            ],
        )


def condense(engine, now, *kiosks):
    with database.writing(engine) as connection:
        history.condense(connection, kiosks or ["a/1"], now, SETTINGS)


def samples(engine, resolution_s):
    columns = (sample.c.kiosk, sample.c.at_s, sample.c.queue, sample.c.disk_free_bytes)
    with database.reading(engine) as connection:
        found = connection.execute(select(*columns).where(sample.c.resolution_s == resolution_s).order_by(*columns[:2]))
        return [tuple(row) for row in found]


def test_five_minutes_keep_the_highest_queue_and_the_least_room(engine):
    minutes = [
        (NOW + timedelta(minutes=n), {"queue": queue, "disk_free_bytes": free})
        for n, (queue, free) in enumerate([(1.0, 9e9), (7.0, 5e9), (2.0, 6e9), (0.0, 8e9), (3.0, None)])
    ]
    put(engine, *minutes)
    condense(engine, NOW + timedelta(minutes=5))
    condense(engine, NOW + timedelta(minutes=6))
    assert samples(engine, MIDDLE_S) == [("a/1", int(NOW.timestamp()), 7.0, 5e9)]


def test_what_has_not_ended_is_not_condensed_yet(engine):
    put(engine, (NOW, {"queue": 1.0}))
    condense(engine, NOW + timedelta(minutes=4, seconds=59))
    assert samples(engine, MIDDLE_S) == []


def test_hours_are_made_of_five_minutes_and_outlive_them(engine):
    for minute in range(0, 61, 5):
        now = NOW + timedelta(minutes=minute)
        put(engine, (now, {"queue": float(minute)}))
        condense(engine, now)
    assert samples(engine, COARSE_S) == [("a/1", int(NOW.timestamp()), 55.0, None)]
    condense(engine, NOW + timedelta(days=31))
    assert (samples(engine, FINE_S), samples(engine, MIDDLE_S)) == ([], [])
    assert len(samples(engine, COARSE_S)) == 1
    condense(engine, NOW + timedelta(days=368))
    assert samples(engine, COARSE_S) == []


def test_only_the_kiosks_whose_turn_it_is_are_touched(engine):
    for kiosk in ("a/1", "a/2"):
        put(engine, (NOW, {"queue": 1.0}), kiosk=kiosk)
    condense(engine, NOW + timedelta(minutes=5), "a/2")
    assert [kiosk for kiosk, *_ in samples(engine, MIDDLE_S)] == ["a/2"]


def test_a_second_sample_of_one_moment_takes_the_place_of_the_first(engine):
    put(engine, (NOW, {"queue": 1.0}))
    put(engine, (NOW, {"queue": 2.0}))
    assert [queue for _, _, queue, _ in samples(engine, FINE_S)] == [2.0]


def test_how_long_a_crossing_took_to_get_here_is_known_of_each_kiosk(engine):
    centre, kiosk = Centre(engine), FakeKiosk()
    centre.register(kiosk)
    centre.now = database.moment(AT) + timedelta(seconds=42)
    centre.receive(kiosk, kiosk.start_epoch(), kiosk.crossing())
    with database.reading(engine) as connection:
        assert history.latencies(connection, centre.now - timedelta(seconds=1)) == {kiosk.name: pytest.approx(42.0)}
        assert history.latencies(connection, centre.now + timedelta(seconds=1)) == {}
