"""A store goes to a newer Landfall and back, and every record with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge.cache import Cache, CacheReader, downgrade, schema, start
from edge.errors import StoreError
from tests.edge.cache.specimens import append, open_new
from tests.edge.test_config import LEAST


@pytest.fixture
def newer(monkeypatch):
    """Return a switch between this Landfall and one that is two versions of the store newer."""
    steps = ("CREATE TABLE later (key TEXT) STRICT;", "ALTER TABLE epoch ADD COLUMN place TEXT NOT NULL DEFAULT '';")
    back = ("DROP TABLE later;", "ALTER TABLE epoch DROP COLUMN place;")
    versions = {False: (schema._MIGRATIONS, ()), True: (schema._MIGRATIONS + steps, back)}

    def switch(is_newer):
        up, down = versions[is_newer]
        monkeypatch.setattr(schema, "_MIGRATIONS", up)
        monkeypatch.setattr(schema, "_MIGRATIONS_BACK", down)
        for module in (schema, start):
            monkeypatch.setattr(module, "VERSION", len(up))

    return switch


def test_each_step_has_a_way_back():
    assert len(schema._MIGRATIONS_BACK) == len(schema._MIGRATIONS) - 1


def test_records_go_to_a_newer_landfall_and_back(path, newer):
    with open_new(path) as cache:
        before = append(cache, "crossing", 3)
    newer(True)
    with Cache.open(path) as cache:
        before += append(cache, "crossing", 2)
    assert downgrade(path, 1) == 1
    newer(False)
    with Cache.open(path) as cache, CacheReader.open(path) as reader:
        assert cache.salvaged is None
        assert [reader.hash_at("crossing", record.sequence) for record in before] == [record.hash for record in before]
        assert append(cache, "crossing", 1)


def test_a_step_back_that_fails_changes_nothing(path, newer):
    newer(True)
    open_new(path).close()
    with schema.connect(path) as connection:
        connection.execute("DROP TABLE later")
    connection.close()
    with pytest.raises(StoreError, match="no such table: later"):
        downgrade(path, 1)
    with Cache.open(path) as cache:
        assert cache.salvaged is None


def test_a_store_that_is_old_enough_is_left_as_it_is(path):
    open_new(path).close()
    before = path.read_bytes()
    assert downgrade(path, 5) == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("version", "words"), [(0, "no store ever had version 0"), (-1, "no store ever had version -1")]
)
def test_a_version_that_never_was_is_refused(path, version, words):
    open_new(path).close()
    with pytest.raises(StoreError, match=words):
        downgrade(path, version)


def test_the_store_of_a_running_kiosk_is_left_alone(path):
    with open_new(path), pytest.raises(StoreError, match="another process has the store open; stop it first"):
        downgrade(path, 1)


def test_a_store_of_a_newer_landfall_is_for_that_one_to_take_back(path, newer):
    newer(True)
    open_new(path).close()
    newer(False)
    with pytest.raises(StoreError, match="version 3, this Landfall knows 1; use the newer Landfall"):
        downgrade(path, 1)


def test_the_command_says_what_the_store_has(path, tmp_path):
    def run():
        command = [sys.executable, "-m", "edge.cli", "store", "downgrade", "--to", "1", "--config", str(settings)]
        return subprocess.run(command, capture_output=True, text=True)

    settings = tmp_path / "kiosk.toml"
    settings.write_text(LEAST.replace("[store]", f'[store]\npath = "{path}"'))
    assert (run().returncode, run().stdout) == (0, f"{path}: there is no store yet\n")
    open_new(path).close()
    assert (run().returncode, run().stdout) == (0, f"{path}: version 1\n")
