import stat
import subprocess
import sys
import time
from enum import Enum
from pathlib import Path

import pytest

from edge.cache import Cache, CacheReader, Head, StoredRecord, Unreadable
from edge.errors import StoreError, StoreFull
from edge.wire.topics import Stream
from tests.edge.cache.specimens import EPOCH, STREAMS, append, begin, open_new, purge_all, record, release_all

# A process that appends for ever and says which sequence is on disk after each append has returned.
APPENDS_FOR_EVER = """
import sys
from pathlib import Path
from tests.edge.cache.specimens import open_new, record

cache = open_new(Path(sys.argv[1]))
while True:
    sequence = cache.head("crossing").next_sequence
    cache.append([record("evidence", sequence, size=40_000), record("crossing", sequence)])
    print(sequence, flush=True)
"""
REPOSITORY = Path(__file__).parents[3]


def test_a_new_store_is_private_to_its_owner(path):
    with Cache.open(path) as cache:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.with_name("kiosk.db-wal").stat().st_mode) == 0o600
        assert (cache.heads(), cache.salvaged) == ({}, None)


def test_nothing_can_be_appended_before_an_epoch_begins(path):
    with Cache.open(path) as cache, pytest.raises(StoreError, match="no epoch has begun"):
        cache.append([record("crossing", 1)])


def test_an_epoch_begins_with_its_record_in_every_stream(cache):
    assert list(cache.heads()) == list(STREAMS)
    first = record("crossing", 1)
    assert cache.head("crossing") == Head("crossing", EPOCH, 2, first.hash, count=1, bytes=len(first.body))


def test_a_new_epoch_goes_on_with_the_sequence(cache):
    append(cache, "crossing", 3)
    begin(cache, "epoch-two")
    head = cache.head("crossing")
    assert (head.epoch, head.next_sequence, head.count) == ("epoch-two", 6, 5)


def test_a_stream_that_comes_later_joins_the_epoch(cache):
    cache.begin_epoch(EPOCH, "2026-01-02T00:00:00Z", "new stream", [record("referral", 1)])
    assert cache.head("referral").next_sequence == 2
    assert cache.head("crossing").next_sequence == 2


def test_a_crossing_and_its_photo_are_stored_together(cache, reader):
    cache.append([record("evidence", 2, size=40_000), record("crossing", 2)])
    assert reader.first_after("evidence", 1) == [record("evidence", 2, size=40_000)]
    assert reader.first_after("crossing", 1) == [record("crossing", 2)]


def test_of_a_batch_with_one_wrong_record_nothing_is_stored(cache, reader):
    before = cache.heads()
    with pytest.raises(StoreError, match="the next record is 2"):
        cache.append([record("evidence", 2), record("crossing", 7)])
    assert cache.heads() == reader.heads() == before
    append(cache, "evidence", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        record("crossing", 1),
        record("crossing", 3),
        record("crossing", 2, "another-epoch"),
        record("unknown", 1),
        record("crossing", 2, body="text"),
        record("crossing", 2, training=1),
        record("crossing", 2, type="\ud800"),
        record("crossing", 2, hash=b"bytes"),
        record("crossing", 2, time=None),
        record("crossing", 2, direction=5),
        record("crossing", 2.0),
    ],
    ids=["again", "gap", "epoch", "stream", "body", "training", "unicode", "hash", "time", "direction", "sequence"],
)
def test_a_record_that_is_not_the_next_or_not_of_its_type_is_refused_and_the_next_one_is_taken(cache, wrong):
    with pytest.raises(StoreError):
        cache.append([wrong])
    append(cache, "crossing", 1)


class Direction(str, Enum):  # noqa: UP042 - the kind whose str() is not its text
    EXIT = "exit"


def test_enumerated_words_are_stored_as_their_text(cache, reader):
    cache.append([record(Stream.CROSSING, 2, direction=Direction.EXIT)])
    cache.hold(Stream.CROSSING, 1, 0.0)
    assert reader.first_after("crossing", 1) == [record("crossing", 2, direction="exit")]


def test_text_of_any_script_and_with_nul_comes_back_as_it_was(cache, reader):
    odd = record("crossing", 2, outcome="päß\0中\U0001f6c2", body=b"\xff\x00\xfe not UTF-8")
    cache.append([odd])
    assert reader.first_after("crossing", 1) == [odd]
    document = reader.table("crossing").get(doc_id=2)
    assert document["record"].encode("utf-8", "surrogateescape") == odd.body


def test_a_full_disk_is_said_and_a_later_append_works(cache):
    cache._connection.execute(f"PRAGMA max_page_count = {cache._connection.execute('PRAGMA page_count').fetchone()[0]}")
    before = cache.heads()
    with pytest.raises(StoreFull, match="no room"):
        append(cache, "crossing", 1, size=40_000)
    assert cache.heads() == before
    cache._connection.execute("PRAGMA max_page_count = 1000000")
    append(cache, "crossing", 1, size=40_000)


def test_a_head_that_somebody_else_moved_stops_the_append(cache):
    cache._connection.execute("UPDATE head SET next_sequence = 9 WHERE stream = 'crossing'")
    with pytest.raises(StoreError):
        append(cache, "crossing", 1)


def test_numbering_goes_on_after_everything_was_purged_and_the_store_opened_again(path):
    with open_new(path) as cache:
        append(cache, "crossing", 4)
        release_all(cache)
        assert purge_all(cache, 1.0) == 7
        assert len(cache.db.table("crossing")) == 0
    with Cache.open(path) as cache:
        append(cache, "crossing", 1)
        assert cache.head("crossing").next_sequence == 7


def test_a_receipt_never_goes_back_or_beyond_the_head(cache):
    append(cache, "crossing", 5)
    for up_to, held in ((3, 3), (2, 3), (-1, 3), (99, 6)):
        cache.hold("crossing", up_to, 0.0)
        assert cache.head("crossing").held_up_to == held


def test_a_receipt_for_a_stream_that_is_not_there_is_an_error(cache):
    with pytest.raises(StoreError, match="no such stream"):
        cache.hold("referral", 1, 0.0)


def test_only_what_was_released_before_the_given_time_is_purged(cache, reader):
    append(cache, "crossing", 9)
    cache.hold("crossing", 4, 100.0)
    cache.hold("crossing", 8, 200.0)
    assert cache.purge(100.0) == 0
    assert purge_all(cache, 101.0) == 4
    assert purge_all(cache, 200.0) == 0
    assert purge_all(cache, float("inf")) == 4
    head = reader.heads()["crossing"]
    assert (head.purged_up_to, head.purged_hash, head.count) == (8, record("crossing", 8).hash, 2)
    assert head.bytes == sum(len(record("crossing", n).body) for n in (9, 10))


def test_purging_goes_slice_by_slice(cache):
    append(cache, "crossing", 9)
    release_all(cache)
    slices = []
    while purged := cache.purge(1.0, slice_records=4):
        slices.append(purged)
    assert sorted(slices) == [1, 1, 2, 4, 4]


def test_the_stream_with_the_most_bytes_is_purged_first(cache):
    append(cache, "crossing", 5)
    append(cache, "evidence", 2, size=40_000)
    release_all(cache)
    assert cache.purge(1.0) == 3
    assert cache.head("evidence").count == 0


def test_the_room_of_purged_records_is_known_and_taken_by_the_next_ones(cache, path):
    append(cache, "evidence", 20, size=40_000)
    assert cache.reusable_bytes() == 0
    release_all(cache)
    purge_all(cache, 1.0)
    cache.checkpoint()
    free, size = cache.reusable_bytes(), path.stat().st_size
    assert free > 20 * 40_000 * 0.9
    append(cache, "crossing", 20, size=20_000)
    cache.checkpoint()
    assert cache.reusable_bytes() < free - 20 * 20_000 * 0.9
    assert path.stat().st_size == size


def test_what_the_centre_asks_for_again_is_not_purged_until_it_is_released_again(cache):
    append(cache, "crossing", 9)
    cache.hold("crossing", 8, 100.0)
    cache.rewind("crossing", 3)
    assert cache.head("crossing").held_up_to == 3
    assert purge_all(cache, 1000.0) == 0
    cache.hold("crossing", 8, 2000.0)
    assert purge_all(cache, 1000.0) == 0
    assert purge_all(cache, 3000.0) == 8


def test_a_rewind_does_not_go_forward(cache):
    cache.rewind("crossing", 1)
    assert cache.head("crossing").held_up_to == 0


def test_records_of_a_forked_epoch_stay_and_do_not_keep_others(cache, reader):
    append(cache, "crossing", 2)
    begin(cache, "epoch-two")
    append(cache, "crossing", 2)
    cache.mark_forked(EPOCH)
    release_all(cache)
    purge_all(cache, 1.0)
    assert [document.doc_id for document in cache.db.table("crossing")] == [1, 2, 3]
    assert len(cache.db.table("crossing")) == 3
    assert reader.heads()["crossing"].purged_up_to == 6
    append(cache, "crossing", 1)
    assert [document.doc_id for document in reader.table("crossing")] == [1, 2, 3, 7]


def test_a_tombstone_takes_the_place_of_its_record_for_every_reader(cache, reader):
    append(cache, "crossing", 3)
    tombstone = record("crossing", 3, type="org.landfall.tombstone.v1", body=b"{}")
    cache.set_aside(Unreadable("crossing", 3, tombstone.hash, "damaged"), tombstone)
    assert reader.first_after("crossing", 2, limit=1) == [tombstone]
    assert reader.table("crossing").get(doc_id=3)["record"] == "{}"
    assert [document["record"] == "{}" for document in reader.table("crossing")] == [False, False, True, False]
    assert len(reader.table("crossing")) == 4
    release_all(cache)
    purge_all(cache, 1.0)
    assert list(reader.table("crossing")) == []
    assert reader.heads()["crossing"].count == 0


def test_a_tombstone_must_name_the_position_that_it_stands_for(cache):
    for unreadable in (Unreadable("crossing", 1, "", "lost"), Unreadable("crossing", 9, "", "lost")):
        with pytest.raises(StoreError):
            cache.set_aside(unreadable, record("crossing", 9))


def test_state_is_kept_over_a_restart(path):
    with open_new(path) as cache:
        assert cache.state("boot") is None
        cache.set_state("boot", "1")
        cache.set_state("boot", "2")
    with Cache.open(path) as cache, CacheReader.open(path) as reader:
        assert cache.state("boot") == reader.state("boot") == "2"


def test_a_second_writer_is_turned_away_and_harms_nothing(cache, path):
    with pytest.raises(StoreError, match="another process has the store open"):
        Cache.open(path)
    append(cache, "crossing", 1)


def test_a_folder_that_does_not_exist_is_an_error_that_names_it(tmp_path):
    with pytest.raises(StoreError, match="nowhere"):
        Cache.open(tmp_path / "nowhere" / "kiosk.db")


def test_closing_twice_is_allowed(path):
    cache = Cache.open(path)
    cache.close()
    cache.close()


def test_the_log_stays_bounded_under_constant_load_with_a_reader(cache, reader, path):
    wal = path.with_name("kiosk.db-wal")
    iteration = iter(reader.table("evidence"))
    append(cache, "evidence", 40)
    next(iteration)  # begun and never finished
    for _ in range(12):
        append(cache, "evidence", 40, size=100_000)
        reader.first_after("evidence", 1)
    assert wal.stat().st_size < 40 * 1024 * 1024
    assert cache.checkpoint()


def test_no_repr_shows_a_body():
    assert "secret" not in repr(record("crossing", 1, body=b"secret")) + str([record("crossing", 1, body=b"secret")])


def test_what_append_returned_from_survives_sigkill(path):
    for _ in range(2):
        path.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", APPENDS_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
        )
        with process:
            said = [int(process.stdout.readline()) for _ in range(20)]
            process.kill()
            said += [int(line) for line in process.stdout.read().split("\n")[:-1]]
        with Cache.open(path) as cache, CacheReader.open(path) as reader:
            assert cache.salvaged is None
            assert cache.head("crossing").next_sequence > said[-1]
            assert cache.head("crossing").next_sequence == cache.head("evidence").next_sequence
            found = reader.first_after("evidence", 0, limit=10**6, max_bytes=10**9)
            assert all(isinstance(item, StoredRecord) for item in found)
            assert found[-1].sequence >= said[-1]
        for file in path.parent.iterdir():
            file.unlink()


def test_a_reader_sees_a_store_whose_writer_was_killed(path):
    process = subprocess.Popen(
        [sys.executable, "-c", APPENDS_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    with process:
        for _ in range(5):
            last = int(process.stdout.readline())
        process.kill()
    with CacheReader.open(path) as reader:
        assert reader.heads()["crossing"].next_sequence > last


def test_heads_are_read_while_another_process_appends(path):
    process = subprocess.Popen(
        [sys.executable, "-c", APPENDS_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    with process:
        process.stdout.readline()
        with CacheReader.open(path) as reader:
            deadline = time.monotonic() + 20
            while reader.heads()["crossing"].next_sequence < 30 and time.monotonic() < deadline:
                assert all(isinstance(item, StoredRecord) for item in reader.first_after("crossing", 0))
            assert reader.heads()["crossing"].next_sequence >= 30
        process.kill()
        process.stdout.read()
