"""How much is kept, and for how long there is room."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from central.reconcile import read_count
from edge.cache import CacheReader
from edge.queue.figures import figures, oldest_unreceipted, room
from tests.edge.queue.sealed_store import BEGAN, KIOSK, SealedStore

GB = 1_000_000_000


def test_the_centre_reads_the_count_of_a_kiosk(store, reader) -> None:
    store.crossings(3)
    store.crossings(1, training=True)
    found = figures(reader, KIOSK, GB, store.now)
    count = read_count(msgspec.json.encode(found))
    assert (count.kiosk, count.captured, found["training"]) == (KIOSK, 3, 1)
    assert count.streams["crossing"].next_sequence == 6


def test_the_oldest_record_without_a_receipt_says_since_when_it_waits(store, reader) -> None:
    store.crossings(5)
    for stream in ("audit", "evidence"):
        store.cache.hold(stream, 1, 1.0)
    store.cache.hold("crossing", 3, 1.0)
    oldest = oldest_unreceipted(reader, store.now)
    assert oldest == {"stream": "crossing", "sequence": 4, "time": "2026-03-01T12:03:00.000Z", "age_s": 120}
    store.cache.hold("crossing", 6, 1.0)
    assert oldest_unreceipted(reader, store.now) is None


def test_the_room_is_told_in_hours_at_the_pace_of_the_records(store, reader) -> None:
    store.crossings(240)
    found = room(reader, GB)
    assert found["bytes_per_hour"] == pytest.approx(60 * 4096, rel=0.02), "a crossing a minute, a page each"
    assert found["hours"] == pytest.approx(GB / (60 * 4096), rel=0.02)


@pytest.mark.parametrize(("count", "minutes"), [(0, 1), (10, 60), (50, 1)])
def test_room_is_unknown_while_there_is_too_little_history(tmp_path, count, minutes) -> None:
    store = SealedStore(tmp_path / "cache.db", interval=timedelta(minutes=minutes))
    store.crossings(count)
    with CacheReader.open(store.path) as reader:
        assert room(reader, GB) == {"free_bytes": GB, "bytes_per_hour": None, "hours": None}
    store.cache.close()


def test_only_the_last_days_show_the_pace(store, reader) -> None:
    store.interval = timedelta(hours=4)
    store.crossings(100)
    store.interval = timedelta(minutes=6)
    store.crossings(1700)
    assert room(reader, GB)["bytes_per_hour"] == pytest.approx(10 * 4096, rel=0.05)


def test_a_clock_that_was_wrong_makes_the_room_unknown_and_no_error(store, reader) -> None:
    store.crossings(30)
    store.now = BEGAN - timedelta(days=3000)
    store.crossings(30)
    assert room(reader, GB)["hours"] is None
    store.crossings(1, time="once upon a time")
    assert room(reader, GB)["hours"] is None
    assert oldest_unreceipted(reader, BEGAN)["sequence"] == 1


def test_a_store_without_a_stream_has_figures_too(tmp_path) -> None:
    from edge.cache import Cache

    Cache.open(tmp_path / "cache.db").close()
    with CacheReader.open(tmp_path / "cache.db") as reader:
        found = figures(reader, KIOSK, GB, BEGAN)
    assert (found["captured"], found["streams"], found["oldest_unreceipted"]) == (0, {}, None)
    assert found["room"]["hours"] is None
