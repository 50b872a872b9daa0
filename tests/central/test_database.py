"""The schema: migrations and tables say the same, and several processes may upgrade at once."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

import central.alerts.tables
import central.fleet.tables  # noqa: F401  (both add their tables to the metadata)
from central import database
from central.tables import centre, metadata


def test_the_migrations_build_the_tables(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_several_processes_may_upgrade_at_once(url):
    failures = []

    def upgrade():
        engine = database.connect(url)
        try:
            database.upgrade(engine)
        except Exception as error:
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_whoever_opens_a_new_database_waits_for_the_one_that_is_making_it(tmp_path):
    path = tmp_path / "central.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")  # a file that is not in WAL yet
        engine = database.connect(f"sqlite:///{path}", lock_timeout_s=20)
        release = threading.Timer(0.05, other.rollback)
        release.start()
        try:
            with database.writing(engine) as connection:
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        finally:
            engine.dispose()
            release.join()


def test_a_database_that_stays_locked_is_an_error_in_the_end(tmp_path):
    path = tmp_path / "central.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        engine = database.connect(f"sqlite:///{path}", lock_timeout_s=0.02)
        with pytest.raises(DBAPIError, match="locked"), engine.connect():
            pass


def test_a_failed_transaction_leaves_nothing_and_its_error_shows_no_values(engine):
    with pytest.raises(DBAPIError) as caught, database.writing(engine) as connection:
        connection.execute(insert(centre), [{"key": "a", "value": "Eriksson"}] * 2)
    assert "Eriksson" not in str(caught.value)
    with database.reading(engine) as connection:
        assert connection.execute(select(centre)).all() == []


def test_reading_sees_one_state_and_blocks_no_writer(engine):
    with database.reading(engine) as connection:
        assert connection.execute(select(centre)).all() == []
        with database.writing(engine) as other:
            other.execute(insert(centre), {"key": "a", "value": "b"})
        assert connection.execute(select(centre)).all() == []


def test_an_upsert_writes_new_rows_and_takes_the_place_of_those_with_the_same_key(engine):
    with database.writing(engine) as connection:
        for values in ({"a": "1", "b": "1"}, {"b": "2", "c": "2"}):
            rows = [{"key": key, "value": value} for key, value in values.items()]
            connection.execute(database.upsert(connection, centre), rows)
        found = connection.execute(select(centre.c.key, centre.c.value).where(centre.c.key.in_(["a", "b", "c"]))).all()
    assert sorted(found) == [("a", "1"), ("b", "2"), ("c", "2")]


def test_moments_are_text_that_sorts():
    text = "2026-03-01T12:00:00.250Z"
    assert database.rfc3339(database.moment(text)) == text
    assert database.rfc3339(database.moment("2026-03-01T13:00:00.250+01:00")) == text
