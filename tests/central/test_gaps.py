"""Holes: when they become incidents, how often a kiosk is asked, and how a restored database is noticed."""

from __future__ import annotations

import msgspec
import pytest

from central import gaps, generations
from central.database import reading
from central.gaps import Ask
from central.store import Store
from edge.wire.messages import Status, StreamHead
from tests.central.centre import Centre, held_by, key_of
from tests.harness.kiosk_records import AT, FakeKiosk


@pytest.fixture
def kiosk():
    return FakeKiosk()


@pytest.fixture
def centre(engine, kiosk):
    centre = Centre(engine)
    centre.register(kiosk)
    return centre


def asked(asks):
    return [(ask.key.epoch, ask.from_sequence) for ask in asks]


def test_a_hole_is_asked_for_only_when_patience_has_ended(centre, kiosk):
    first, _, last = kiosk.start_epoch(), *kiosk.crossings(2)
    centre.receive(kiosk, first, last)
    centre.pass_time(4)
    assert (centre.sweep(), centre.incidents()) == ([], [])
    centre.pass_time(2)
    assert asked(centre.sweep()) == [(kiosk.epoch, 2)]
    assert centre.incidents() == [("gap", 2, 1)]


def test_the_pauses_between_requests_double(centre, kiosk):
    first, _, last = kiosk.start_epoch(), *kiosk.crossings(2)
    centre.receive(kiosk, first, last)
    moments = []
    for second in range(80):
        if centre.sweep():
            moments.append(second)
        centre.pass_time(1)
    assert moments == [5, 15, 35, 75]
    assert centre.incidents() == [("gap", 2, 4)]


def test_a_hole_that_was_filled_is_closed(centre, kiosk):
    first, lost, last = kiosk.start_epoch(), *kiosk.crossings(2)
    centre.receive(kiosk, first, last)
    centre.pass_time(6)
    centre.sweep()
    centre.receive(kiosk, lost)
    centre.pass_time(6)
    assert centre.sweep() == []
    assert (centre.incidents(), centre.incidents(closed=True)) == ([], [("gap", 2, 1)])


def test_the_next_hole_is_another_incident(centre, kiosk):
    first, a, b, c, d = kiosk.start_epoch(), *kiosk.crossings(4)
    centre.receive(kiosk, first, b, d)
    centre.pass_time(6)
    assert asked(centre.sweep()) == [(kiosk.epoch, 2)]
    centre.receive(kiosk, a)
    assert asked(centre.sweep()) == [(kiosk.epoch, 4)]
    assert (centre.incidents(), centre.incidents(closed=True)) == ([("gap", 4, 1)], [("gap", 2, 1)])
    assert held_by(centre.receive(kiosk, c)) == [(5, d.hash, False)]


def test_an_epoch_without_its_first_record_is_asked_for_from_the_start(centre, kiosk):
    kiosk.start_epoch()
    centre.receive(kiosk, *kiosk.crossings(2))
    centre.pass_time(6)
    assert asked(centre.sweep()) == [(kiosk.epoch, 1)]


def test_a_clones_missing_record_is_asked_for_though_the_trunk_is_longer(centre, kiosk):
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(2))
    twin = kiosk.clone()
    twin.captured.append("x")
    centre.receive(kiosk, *kiosk.crossings(6))
    missing, later = twin.crossings(2)
    centre.receive(twin, later)
    centre.pass_time(6)
    assert asked(centre.sweep()) == [(kiosk.epoch, 4)]
    assert held_by(centre.receive(twin, missing)) == [(5, later.hash, True)]
    assert centre.sweep() == []
    assert [kind for kind, _, _ in centre.incidents()] == ["fork"]


def status(kiosk, held_up_to):
    head = StreamHead(kiosk.epoch, kiosk.sequence + 1, kiosk.hash, held_up_to)
    return Status(kiosk.name, "online", "c", "b", "1", AT, {"crossing": head})


def test_a_kiosk_that_has_no_more_receipts_than_are_true_is_believed(centre, kiosk):
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(2))
    assert gaps.compare_status(centre.engine, status(kiosk, 3), centre.now) == []
    assert centre.incidents() == []


def test_a_kiosk_with_receipts_for_more_shows_that_the_database_was_restored(centre, kiosk):
    before = centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(2)).generations.of(kiosk.name)
    lost = kiosk.crossings(3)
    (ask,) = gaps.compare_status(centre.engine, status(kiosk, 6), centre.now)
    assert ask == Ask(key_of(kiosk), 4, ask.generation)
    assert ask.generation > before
    assert centre.incidents() == [("centre_restored", 6, 1)]
    assert centre.receive(kiosk, *lost).generations.of(kiosk.name) == ask.generation
    centre.sweep()
    assert centre.incidents() == []


def test_one_restore_is_one_new_generation_however_often_a_kiosk_tells(centre, kiosk):
    told = [gaps.compare_status(centre.engine, status(kiosk, held), centre.now) for held in (9, 9, 10)]
    assert len({ask.generation for asks in told for ask in asks}) == 1
    assert [len(asks) for asks in told] == [1, 1, 1]


def test_a_kiosk_that_claims_receipts_which_nobody_gave_changes_nothing_for_the_others(centre, kiosk):
    other = FakeKiosk("utopia/lane-2")
    centre.register(other)
    before = centre.receive(other, other.start_epoch()).generations.of(other.name)
    hostile = kiosk
    for held in range(9, 12):
        gaps.compare_status(centre.engine, status(hostile, held), centre.now)
        centre.pass_time(60)
        centre.sweep()
    assert centre.receive(other, *other.crossings(1)).generations.of(other.name) == before
    with reading(centre.engine) as connection:
        assert generations.read(connection, [hostile.name]).of(hostile.name) > before


def test_a_kiosk_that_never_stops_claiming_is_not_heard_any_more(centre, kiosk):
    def claim(epoch):
        heads = {"crossing": StreamHead(epoch, 10, "0" * 64, 9)}
        return gaps.compare_status(centre.engine, Status(kiosk.name, "online", "c", "b", "1", AT, heads), centre.now)

    heard = [bool(claim(f"epoch-{number}")) for number in range(gaps.MOST_CLAIMS + 3)]
    assert heard == [True] * gaps.MOST_CLAIMS + [False] * 3
    assert len(centre.incidents()) == gaps.MOST_CLAIMS


def test_a_collector_that_starts_begins_a_generation_that_is_newer_than_any_kiosks_own(centre, kiosk):
    (ask,) = gaps.compare_status(centre.engine, status(kiosk, 9), centre.now)
    Store(centre.engine)
    with reading(centre.engine) as connection:
        again = generations.read(connection, [kiosk.name])
    assert (again.of(kiosk.name) > ask.generation, again.own) == (True, {})


def test_what_a_restored_centre_lost_is_asked_for_again_until_it_comes(centre, kiosk):
    centre.receive(kiosk, kiosk.start_epoch())
    gaps.compare_status(centre.engine, status(kiosk, 6), centre.now)
    centre.pass_time(11)
    assert asked(centre.sweep()) == [(kiosk.epoch, 2)]
    assert centre.sweep() == []


def test_of_a_kiosk_with_holes_in_countless_epochs_some_are_looked_at_a_sweep_and_each_in_its_turn(centre, kiosk):
    other = FakeKiosk("utopia/lane-2")
    centre.register(other)
    for number in range(40):
        kiosk.start_epoch(f"epoch-{number:02}")
        centre.receive(kiosk, kiosk.crossing())
    other.start_epoch()
    centre.receive(other, other.crossing())
    centre.pass_time(10)
    first = centre.sweep()
    assert len(first) == gaps.MOST_LOOKED_AT + 1
    assert other.name in {ask.key.kiosk for ask in first}
    seen = {ask.key for ask in first}
    for _ in range(2):
        centre.pass_time(2.5)
        seen |= {ask.key for ask in centre.sweep()}
    assert len(seen) == 41


def test_the_request_is_made_once_when_several_collectors_look(centre, kiosk):
    first, _, last = kiosk.start_epoch(), *kiosk.crossings(2)
    centre.receive(kiosk, first, last)
    centre.pass_time(6)
    asks = [ask for _ in range(3) for ask in gaps.sweep(centre.engine, centre.now, patience_s=5)]
    assert asked(asks) == [(kiosk.epoch, 2)]
    assert msgspec.structs.fields(StreamHead)  # the head that a kiosk tells has what a comparison needs
