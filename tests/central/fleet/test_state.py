"""The fleet's present state is read again only where something was heard."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import event

from central import database, registry
from central.fleet import state
from central.fleet.state import Memory
from tests.central.fleet.fleet import NOW, health_of, put, register, told

LATER = NOW + timedelta(seconds=30)


def read(engine, memory: Memory):
    """Return what is known, and how many reports were read for it."""
    asked = []

    def note(connection, cursor, statement, parameters, context, many):
        if statement.startswith("SELECT fleet_kiosk.kiosk, fleet_kiosk.health"):
            asked.extend(parameters if isinstance(parameters, tuple) else parameters.values())

    event.listen(engine, "before_cursor_execute", note)
    try:
        with database.reading(engine) as connection:
            return memory.load(connection), asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_of_kiosks_that_were_not_heard_since_nothing_is_read_again(engine):
    register(engine, "a/1", "a/2", "a/3")
    put(engine, told("a/1"), told("a/2"))
    memory = Memory()
    first, asked = read(engine, memory)
    assert sorted(asked) == ["a/1", "a/2", "a/3"]
    put(engine, told("a/2", LATER, health_of("a/2", LATER, version="1.3.0")))
    second, asked = read(engine, memory)
    assert asked == ["a/2"]
    assert second["a/2"].report.version == "1.3.0"
    assert second["a/1"] is first["a/1"]
    with database.reading(engine) as connection:
        assert second == state.load(connection)


def test_a_kiosk_that_goes_without_a_word_is_seen_to_be_gone(engine):
    register(engine, "a/1")
    put(engine, told("a/1"))
    memory = Memory()
    read(engine, memory)
    put(engine, told("a/1", offline_at=LATER))
    assert read(engine, memory)[0]["a/1"].offline_at == LATER


def test_a_kiosk_whose_keys_were_all_revoked_is_forgotten_and_comes_back_with_a_new_one(engine):
    register(engine, "a/1", "a/2")
    put(engine, told("a/1"))
    memory = Memory()
    read(engine, memory)
    registry.revoke_kiosk(engine, "a/1", NOW)
    assert list(read(engine, memory)[0]) == ["a/2"]
    register(engine, "a/1")
    found, _ = read(engine, memory)
    assert list(found) == ["a/1", "a/2"]
    assert found["a/1"].heard_at == NOW
