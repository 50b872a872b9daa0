"""One at a time: taking, renewing, losing and giving back."""

from __future__ import annotations

from datetime import timedelta

from central import database
from central.fleet import lease
from tests.central.fleet.fleet import NOW


def take(engine, holder, now, *, lasts_s=15.0):
    with database.writing(engine) as connection:
        return lease.take(connection, "watcher", holder, now, lasts_s, None)


def test_one_holds_it_until_it_runs_out(engine):
    later = NOW + timedelta(seconds=14)
    assert take(engine, "first", NOW)
    assert not take(engine, "second", later)
    assert take(engine, "first", later)
    assert not take(engine, "second", later + timedelta(seconds=14))
    assert take(engine, "second", later + timedelta(seconds=16))
    assert not take(engine, "first", later + timedelta(seconds=16))


def test_what_is_given_back_can_be_taken_at_once(engine):
    assert take(engine, "first", NOW)
    with database.writing(engine) as connection:
        lease.give_back(connection, "watcher", "second", NOW)  # it is not its own
    assert not take(engine, "second", NOW + timedelta(seconds=1))
    with database.writing(engine) as connection:
        lease.give_back(connection, "watcher", "first", NOW)
    assert take(engine, "second", NOW + timedelta(seconds=1))
