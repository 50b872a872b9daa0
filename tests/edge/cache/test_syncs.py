"""What each call costs in syncs, which is what an SD card has few of: 20 to 200 a second."""

import os

import pytest

from edge.cache import Cache
from tests.edge.cache.specimens import append, open_new, record, release_all
from tests.edge.cache.syncs import count_syncs


def syncs_of(path, work):
    """Count only what `work` itself syncs: opening and a first append, which begins the log, are left out."""

    def run(path, work):
        open_new(path).close()
        cache = Cache.open(path)
        append(cache, "audit", 1)
        work(cache)
        os._exit(0)  # without closing, which would checkpoint

    without = count_syncs(lambda: run(path.with_name("nothing.db"), lambda cache: None))
    return count_syncs(lambda: run(path, work)) - without


def append_crossing(cache):
    sequence = cache.head("crossing").next_sequence
    cache.append([record("evidence", cache.head("evidence").next_sequence, size=40_000), record("crossing", sequence)])


@pytest.fixture(scope="module", autouse=True)
def _the_counter_counts(tmp_path_factory):
    file = tmp_path_factory.mktemp("syncs") / "file"

    def work():
        with file.open("wb") as out:
            os.fsync(out.fileno())
            os.fdatasync(out.fileno())

    assert count_syncs(work) == 2


def test_a_crossing_with_its_photo_is_one_sync(path):
    assert syncs_of(path, append_crossing) == 1


def test_ten_crossings_are_ten_syncs(path):
    assert syncs_of(path, lambda cache: [append_crossing(cache) for _ in range(10)]) == 10


def test_receipts_and_purging_are_no_sync(path):
    def work(cache):
        release_all(cache)
        while cache.purge(1.0):
            pass

    assert syncs_of(path, work) == 0


def test_a_crossing_after_a_receipt_is_synced_as_ever(path):
    def work(cache):
        release_all(cache)
        append_crossing(cache)

    assert syncs_of(path, work) == 1


def test_keeping_state_is_one_sync(path):
    assert syncs_of(path, lambda cache: cache.set_state("boot", "1")) == 1
