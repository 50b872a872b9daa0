import pytest

from edge.cache import Cache
from edge.errors import StoreError
from tests.edge.cache.specimens import append


def test_a_newer_store_is_left_alone(cache, path):
    append(cache, "crossing", 3)
    cache._connection.execute("PRAGMA user_version = 2")
    cache.close()
    with pytest.raises(StoreError, match="version 2, this Landfall knows 1; install"):
        Cache.open(path)
    assert not list(path.parent.glob("*.damaged-*"))


def test_a_store_that_may_not_be_opened_is_not_taken_for_damaged(path):
    path.mkdir()
    with pytest.raises(StoreError):
        Cache.open(path)


def test_a_first_start_that_was_cut_off_before_it_made_the_tables_begins_again(path):
    path.touch()
    for _ in range(2):
        with Cache.open(path) as cache:
            assert (cache.heads(), cache.salvaged) == ({}, None)
