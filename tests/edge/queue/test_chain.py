"""The walk over the kiosk's own chain: whole when it is, and the place where it is not."""

from __future__ import annotations

import sqlite3

import msgspec
import pytest

from edge.cache import CacheReader, Unreadable
from edge.cache.rows import record_row
from edge.cache.schema import RECORD_COLUMNS, RECORD_PLACES, stream_table
from edge.queue.chain import verify
from edge.seal import Verifier
from edge.wire import record as wire
from tests.edge.queue.sealed_store import KIOSK, SealedStore
from tests.harness.kiosk_records import new_signing_key


def walk(store: SealedStore, *streams: str, progress=lambda done, total: None, key=None):
    """Verify the store as the technician's verb does."""
    with CacheReader.open(store.path) as reader:
        verifier = store.verifier if key is None else Verifier([key])
        return verify(reader, verifier, KIOSK, streams or list(reader.heads()), progress)


def places(report) -> list[tuple[str, int]]:
    """Return where breaks were found."""
    return [(one.stream, one.sequence) for one in report.breaks]


def put(store: SealedStore, record, prev: str = "") -> None:
    """Write a row over another, with a digest that is right, as somebody with the card in hand could."""
    with sqlite3.connect(store.path) as file:
        file.execute(
            f"INSERT OR REPLACE INTO {stream_table(record.stream)} ({RECORD_COLUMNS}) VALUES ({RECORD_PLACES})",
            record_row(record, prev),
        )
    file.close()


def damage(store: SealedStore, *sequences: int) -> None:
    with sqlite3.connect(store.path) as file:
        for sequence in sequences:
            file.execute('UPDATE "stream crossing" SET body = zeroblob(10) WHERE sequence = ?', (sequence,))
    file.close()


def test_a_new_store_is_whole(store) -> None:
    report = walk(store)
    assert report.is_whole and list(report.streams) == ["crossing", "audit", "evidence"]


def test_every_record_of_every_epoch_is_walked(store) -> None:
    store.crossings(30)
    store.begin_epoch("epoch-b")
    store.crossings(5)
    crossing = walk(store).streams["crossing"]
    assert (crossing.first, crossing.last, crossing.records, crossing.breaks) == (1, 37, 37, 0)


def test_progress_ends_where_the_streams_end(store, told) -> None:
    store.crossings(10)
    walk(store, progress=told)
    assert told.calls[-1] == (13, 13)


def test_the_first_record_kept_follows_what_was_purged(store) -> None:
    store.crossings(10)
    store.cache.hold("crossing", 6, 1.0)
    assert store.cache.purge(2.0) == 6
    crossing = walk(store, "crossing").streams["crossing"]
    assert (crossing.first, crossing.records, crossing.breaks) == (7, 5, 0)


def test_a_record_that_does_not_follow_the_checkpoint_is_a_break(store) -> None:
    store.crossings(10)
    store.cache.hold("crossing", 6, 1.0)
    store.cache.purge(2.0)
    twin = store.kiosks["crossing"].clone()
    twin.sequence, twin.hash = 6, "a" * 64
    other = twin.crossing()
    store.kiosks["crossing"].hash = other.hash
    put(store, store.stored(other))
    assert places(walk(store)) == [("crossing", 7), ("crossing", 8)]


def test_a_store_that_is_purged_to_its_head_is_whole(store) -> None:
    store.crossings(3)
    store.cache.hold("crossing", 4, 1.0)
    store.cache.purge(2.0)
    assert walk(store).is_whole


def test_records_that_cannot_be_read_are_breaks_and_those_around_them_are_not(store) -> None:
    store.crossings(10)
    damage(store, 4, 5, 11)
    assert places(walk(store)) == [("crossing", 4), ("crossing", 5), ("crossing", 11)]


@pytest.mark.parametrize("knows_hash", [True, False])
def test_a_tombstone_stands_for_what_it_replaces(store, knows_hash) -> None:
    records = store.crossings(5)
    lost = wire.decode_record(records[2].body)
    damage(store, 4)
    tombstone = store.kiosks["crossing"].tombstone(lost, knows_hash=knows_hash)
    row = msgspec.structs.replace(
        records[2], type=wire.TOMBSTONE, body=tombstone.encode(), hash=lost.hash if knows_hash else tombstone.hash
    )
    store.cache.set_aside(Unreadable("crossing", 4, lost.hash if knows_hash else "", "damaged"), row)
    report = walk(store)
    assert report.is_whole
    assert report.streams["crossing"].tombstones == 1


def test_what_another_key_signed_is_a_break_at_every_position(store) -> None:
    store.crossings(30)
    report = walk(store, "crossing", key=new_signing_key())
    assert report.streams["crossing"].breaks == 31
    assert len(report.breaks) == 20, "the first few are named"
    assert "key that is not known here" in report.breaks[0].reason


def test_a_removed_record_is_missed(store) -> None:
    store.crossings(5)
    with sqlite3.connect(store.path) as file:
        file.execute('DELETE FROM "stream crossing" WHERE sequence = 4')
    file.close()
    assert places(walk(store)) == [("crossing", 4)]


def test_a_record_in_the_place_of_another_is_noticed(store) -> None:
    records = store.crossings(5)
    put(store, msgspec.structs.replace(records[1], sequence=4))
    report = walk(store)
    assert places(report) == [("crossing", 4)]
    assert report.breaks[0].reason == "its envelope is of another position"


def test_another_letter_under_a_good_envelope_is_noticed(store) -> None:
    records = store.crossings(5)
    first, second = (wire.decode_record(record.body) for record in records[:2])
    swapped = msgspec.structs.replace(second, data=first.data)
    put(store, msgspec.structs.replace(records[1], body=swapped.encode()), records[0].hash)
    report = walk(store)
    assert places(report) == [("crossing", 3)]
    assert report.breaks[0].reason == "its letter is not the one that was signed"


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"specversion":"1.0"}'])
def test_a_body_that_is_no_record_is_noticed(store, body) -> None:
    records = store.crossings(5)
    put(store, msgspec.structs.replace(records[1], body=body), records[0].hash)
    assert places(walk(store)) == [("crossing", 3)]


def test_what_is_kept_of_a_fork_below_the_checkpoint_is_checked_too(store) -> None:
    store.crossings(5)
    store.cache.mark_forked("epoch-a")
    store.cache.hold("crossing", 6, 1.0)
    store.cache.purge(2.0)
    crossing = walk(store, "crossing").streams["crossing"]
    assert (crossing.first, crossing.records, crossing.breaks) == (1, 6, 0)
