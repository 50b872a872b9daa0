import sqlite3
import threading

import pytest

from edge.cache import Cache, CacheReader, Unreadable
from edge.cache.documents import document_of
from edge.cache.schema import connect, create_file, stream_table
from edge.errors import StoreDamaged, StoreError, StreamsOnlyGrow
from tests.edge.cache.specimens import append, purge_all, record


def lose(cache, stream, sequence):
    cache._connection.execute(f"DELETE FROM {stream_table(stream)} WHERE sequence = {sequence}")


def alter(cache, stream, sequence, column, value):
    cache._connection.execute(f"UPDATE {stream_table(stream)} SET {column} = ? WHERE sequence = {sequence}", (value,))


def test_reading_where_there_is_no_store_says_so(path):
    with pytest.raises(StoreError, match="there is no store"):
        CacheReader.open(path)


def test_a_store_that_is_being_made_is_none_yet(path):
    create_file(path)
    for _ in range(2):
        with pytest.raises(StoreError, match="there is no store; start the kiosk once"):
            CacheReader.open(path)
        connect(path).close()  # in WAL, and still without a table


def test_a_file_that_is_no_store_is_damaged(path):
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreDamaged):
        CacheReader.open(path).heads()


def test_reading_goes_on_from_where_it_was(cache, reader):
    appended = [record("crossing", 1), *append(cache, "crossing", 9)]
    assert reader.first_after("crossing", 0) == appended
    assert reader.first_after("crossing", 3, limit=2) == appended[3:5]
    assert reader.first_after("crossing", 10) == reader.first_after("crossing", 99) == []
    assert reader.first_after("crossing", -5, limit=1) == appended[:1]
    assert reader.first_after("no-such-stream", 0) == []


def test_reading_stops_at_the_bytes_that_are_wanted_but_gives_one_record_at_least(cache, reader):
    appended = append(cache, "evidence", 5, size=10_000)
    size = len(appended[0].body)
    assert len(reader.first_after("evidence", 1, max_bytes=3 * size)) == 3
    assert len(reader.first_after("evidence", 1, max_bytes=3 * size - 1)) == 2
    assert len(reader.first_after("evidence", 1, max_bytes=1)) == 1


def test_a_row_that_is_gone_is_lost_in_its_place_and_its_hash_is_known_from_the_next(cache, reader):
    append(cache, "crossing", 5)
    for sequence in (3, 4, 6):
        lose(cache, "crossing", sequence)
    assert reader.first_after("crossing", 1) == [
        record("crossing", 2),
        Unreadable("crossing", 3, "", "lost"),
        Unreadable("crossing", 4, record("crossing", 4).hash, "lost"),
        record("crossing", 5),
        Unreadable("crossing", 6, record("crossing", 6).hash, "lost"),
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", b"{}"),
        ("hash", "0" * 64),
        ("prev", "0" * 64),
        ("time", ""),
        ("training", 1),
        ("training", 7),
        ("epoch", "another"),
        ("digest", b""),
        ("stream", "audit"),
        ("stream", "not a name"),
    ],
)
def test_a_row_that_is_not_what_was_written_is_damaged_in_its_place(cache, reader, column, value):
    append(cache, "crossing", 3)
    alter(cache, "crossing", 2, column, value)
    assert reader.first_after("crossing", 0) == [
        record("crossing", 1),
        Unreadable("crossing", 2, record("crossing", 2).hash, "damaged"),
        record("crossing", 3),
        record("crossing", 4),
    ]
    assert [document.doc_id for document in reader.table("crossing")] == [1, 3, 4]
    assert reader.table("crossing").get(doc_id=2) is None


def test_a_row_under_another_number_is_not_taken_for_that_record(cache, reader):
    append(cache, "crossing", 2)
    lose(cache, "crossing", 3)
    alter(cache, "crossing", 2, "sequence", 3)
    assert [item.reason for item in reader.first_after("crossing", 1)] == ["lost", "damaged"]


def test_purged_positions_are_given_as_such(cache, reader):
    append(cache, "crossing", 3)
    cache.hold("crossing", 2, 0.0)
    purge_all(cache, 1.0)
    assert reader.first_after("crossing", 0) == [
        Unreadable("crossing", 1, "", "purged"),
        Unreadable("crossing", 2, record("crossing", 2).hash, "purged"),
        record("crossing", 3),
        record("crossing", 4),
    ]


def test_purging_goes_past_a_row_that_cannot_be_read_and_leaves_it(cache, reader):
    append(cache, "crossing", 4)
    alter(cache, "crossing", 2, "body", b"")
    cache.hold("crossing", 3, 0.0)
    assert purge_all(cache, 1.0) == 3
    assert [document.doc_id for document in reader.table("crossing")] == [4, 5]
    assert reader.heads()["crossing"].count == len(reader.table("crossing")) == 2


def test_the_hash_of_a_position_is_known_with_or_without_its_record(cache, reader):
    append(cache, "crossing", 7)
    cache.hold("crossing", 3, 0.0)
    purge_all(cache, 1.0)
    lose(cache, "crossing", 5)
    tombstone = record("crossing", 6, hash="f" * 64)
    cache.set_aside(Unreadable("crossing", 6, "", "damaged"), tombstone)
    known = {n: record("crossing", n).hash for n in (3, 4, 5, 7, 8)} | {6: "f" * 64}
    assert {n: reader.hash_at("crossing", n) for n in known} == known
    assert [reader.hash_at("crossing", n) for n in (-1, 0, 1, 9)] == [None] * 4
    assert reader.hash_at("no-such-stream", 1) is None


def test_the_hash_before_a_tombstone_is_known_from_it(cache, reader):
    append(cache, "crossing", 5)
    cache.set_aside(Unreadable("crossing", 4, "", "damaged"), record("crossing", 4))
    lose(cache, "crossing", 4)
    lose(cache, "crossing", 3)
    assert reader.hash_at("crossing", 3) == record("crossing", 3).hash


def test_the_oldest_record_that_the_centre_lacks(cache, reader):
    append(cache, "crossing", 2)
    assert reader.oldest_unheld("crossing") == record("crossing", 1)
    cache.hold("crossing", 2, 0.0)
    assert reader.oldest_unheld("crossing") == record("crossing", 3)
    cache.hold("crossing", 3, 0.0)
    assert reader.oldest_unheld("crossing") is None
    assert reader.oldest_unheld("no-such-stream") is None


def test_an_altered_head_is_damage_and_never_a_wrong_number(cache, reader):
    cache._connection.execute("UPDATE head SET next_sequence = 1 WHERE stream = 'crossing'")
    for read in (reader.heads, lambda: reader.first_after("crossing", 0), lambda: reader.hash_at("crossing", 1)):
        with pytest.raises(StoreDamaged, match="head"):
            read()


def test_a_reader_changes_nothing(cache, reader):
    with pytest.raises(StreamsOnlyGrow):
        reader.db.drop_tables()
    with pytest.raises(StoreError, match="readonly"):
        reader.table("crossing").insert(document_of(record("crossing", 2)))
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._rows.connection.execute("DELETE FROM head")


def test_a_reader_works_in_a_thread_of_its_own(cache, reader):
    append(cache, "crossing", 2)
    found = []
    thread = threading.Thread(target=lambda: found.extend(reader.first_after("crossing", 0)))
    thread.start()
    thread.join()
    assert len(found) == 3


def test_a_reader_can_open_what_no_writer_has_open(path, cache):
    append(cache, "crossing", 2)
    cache.close()
    with CacheReader.open(path) as reader:
        assert len(reader.first_after("crossing", 0)) == 3
    with Cache.open(path) as again:
        assert again.salvaged is None
