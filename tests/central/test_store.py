"""The store on both databases: prefixes, duplicates, forks, tombstones, epochs, what is set aside, and two at once."""

from __future__ import annotations

import threading
from random import Random

import msgspec
import pytest
from sqlalchemy import func, select, update

from central import database, registry
from central.chain import Arrival
from central.database import reading
from central.store import Store
from central.tables import centre as centre_table
from central.tables import crossing, record, rejected
from central.verify import MAX_SEQUENCE
from edge.wire.record import CROSSING
from edge.wire.topics import parse_topic, stream_topic
from tests.central.centre import Centre, held_by
from tests.harness.kiosk_records import CentreKeys, FakeKiosk, batch


@pytest.fixture
def kiosk():
    return FakeKiosk()


@pytest.fixture
def centre(engine, kiosk):
    centre = Centre(engine)
    centre.register(kiosk)
    return centre


def count(engine, table, *where):
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*where))


def test_a_batch_in_order_is_held_and_answered_once(centre, kiosk):
    taken = centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(3))
    assert held_by(taken) == [(4, kiosk.hash, False)]
    assert centre.states(kiosk) == [(sequence, "opened", 0) for sequence in range(1, 5)]
    assert count(centre.engine, crossing) == 3


def test_the_plaintext_is_kept_byte_for_byte_with_fields_nobody_knows(centre, kiosk):
    kiosk.start_epoch()
    made = kiosk.crossing(**{"a field of the year 2031": {"x": [1, 2]}})
    centre.receive(kiosk, made)
    with reading(centre.engine) as connection:
        kept = connection.scalar(select(record.c.plaintext))
    assert kept == kiosk.centre.opener.open(made.data)


def test_records_that_come_out_of_order_wait_until_the_hole_closes(centre, kiosk):
    first, a, b, c = kiosk.start_epoch(), *kiosk.crossings(3)
    assert held_by(centre.receive(kiosk, c, b)) == []
    assert held_by(centre.receive(kiosk, first)) == [(1, first.hash, False)]
    assert [branch for _, _, branch in centre.states(kiosk)] == [0, None, None]
    assert held_by(centre.receive(kiosk, a)) == [(4, c.hash, False)]


def test_more_waiting_records_than_are_looked_at_together_are_all_picked_up(centre, kiosk, monkeypatch):
    monkeypatch.setattr("central.shelf.WAITING_CHUNK", 3)
    first, *rest = kiosk.start_epoch(), *kiosk.crossings(10)
    centre.receive(kiosk, *rest)
    assert held_by(centre.receive(kiosk, first)) == [(11, kiosk.hash, False)]


def test_a_duplicate_is_answered_and_stored_once(centre, kiosk):
    sent = [kiosk.start_epoch(), *kiosk.crossings(2)]
    centre.receive(kiosk, *sent)
    again = centre.receive(kiosk, *sent)
    assert again.arrivals == {Arrival.DUPLICATE: 3}
    assert held_by(again) == [(3, kiosk.hash, False)]
    assert count(centre.engine, record) == 3
    assert count(centre.engine, crossing) == 2


def test_a_clone_is_kept_beside_the_kiosk_and_both_are_told(centre, kiosk):
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(2))
    twin = kiosk.clone()
    assert held_by(centre.receive(kiosk, kiosk.crossing())) == [(4, kiosk.hash, False)]
    twin.captured.append("another traveller")
    theirs = twin.crossings(2)
    assert held_by(centre.receive(twin, *theirs)) == [(5, twin.hash, True)]
    assert held_by(centre.receive(kiosk, kiosk.crossing())) == [(5, kiosk.hash, True)]
    assert centre.ends(kiosk) == {(5, kiosk.hash), (5, twin.hash)}
    assert centre.incidents() == [("fork", 0, 2)]
    assert count(centre.engine, crossing) == 6


def test_a_tombstone_holds_the_place_and_the_record_itself_takes_it_back(centre, kiosk):
    first, lost, last = kiosk.start_epoch(), *kiosk.crossings(2)
    assert held_by(centre.receive(kiosk, first, kiosk.tombstone(lost), last)) == [(3, last.hash, False)]
    assert centre.incidents() == [("tombstone", 2, 1)]
    assert held_by(centre.receive(kiosk, lost)) == [(3, last.hash, False)]
    assert centre.states(kiosk)[1] == (2, "opened", 0)
    assert (centre.incidents(), centre.incidents(closed=True)) == ([], [("tombstone", 2, 1)])
    assert count(centre.engine, crossing) == 2


def test_a_tombstone_without_a_hash_learns_it_from_its_successor(centre, kiosk):
    first, lost, last = kiosk.start_epoch(), *kiosk.crossings(2)
    centre.receive(kiosk, first, kiosk.tombstone(lost, knows_hash=False))
    assert centre.states(kiosk)[1] == (2, "blank", 0)
    assert held_by(centre.receive(kiosk, last)) == [(3, last.hash, False)]
    assert centre.states(kiosk)[1] == (2, "tombstone", 0)
    assert centre.receive(kiosk, kiosk.tombstone(lost, knows_hash=False)).arrivals == {Arrival.DUPLICATE: 1}
    centre.receive(kiosk, lost)
    assert centre.states(kiosk) == [(1, "opened", 0), (2, "opened", 0), (3, "opened", 0)]


def test_the_end_of_a_branch_is_the_lost_record_once_its_hash_is_known(centre, kiosk):
    first, lost = kiosk.start_epoch(), kiosk.crossing()
    centre.receive(kiosk, first, kiosk.tombstone(lost, knows_hash=False))
    assert held_by(centre.receive(kiosk, lost)) == [(2, lost.hash, False)]
    assert centre.ends(kiosk) == {(2, lost.hash)}


@pytest.mark.parametrize(
    "garbled", [b"no letter", b'{"id":"x","kiosk":"y"}', b"[" * 5000], ids=["text", "fields", "deep"]
)
def test_a_letter_that_is_none_is_quarantined_and_counts_as_held(centre, kiosk, garbled):
    first, bad, good = kiosk.start_epoch(), kiosk.append(CROSSING, garbled), kiosk.crossing()
    assert held_by(centre.receive(kiosk, first, bad, good)) == [(3, good.hash, False)]
    assert centre.states(kiosk)[1] == (2, "quarantine", 0)
    assert centre.incidents() == [("quarantine", 2, 1)]
    with reading(centre.engine) as connection:
        letter, plaintext = connection.execute(
            select(record.c.letter, record.c.plaintext).where(record.c.sequence == 2)
        ).one()
    assert (letter, plaintext) == (bad.data, None)


def test_a_letter_of_another_position_is_quarantined(centre, kiosk):
    first, one = kiosk.start_epoch(), kiosk.crossing()
    stolen = kiosk.put(CROSSING, one.data)
    centre.receive(kiosk, first, one, stolen)
    assert [state for _, state, _ in centre.states(kiosk)] == ["opened", "opened", "quarantine"]


def test_what_was_quarantined_for_want_of_a_key_is_opened_when_it_comes_again(engine, kiosk):

    stranger = Centre(engine, keys=CentreKeys())
    stranger.register(kiosk)
    sent = [kiosk.start_epoch(), kiosk.crossing()]
    stranger.receive(kiosk, *sent)
    assert [state for _, state, _ in stranger.states(kiosk)] == ["quarantine", "quarantine"]
    assert Centre(engine).receive(kiosk, *sent).arrivals == {Arrival.BETTER: 2}
    assert [state for _, state, _ in stranger.states(kiosk)] == ["opened", "opened"]


def test_a_new_epoch_goes_on_counting_and_is_reported(centre, kiosk):
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(2))
    assert centre.incidents() == []
    taken = centre.receive(kiosk, kiosk.start_epoch("epoch-b", reason="other_hardware"), kiosk.crossing())
    assert held_by(taken) == [(5, kiosk.hash, False)]
    assert centre.incidents() == [("new_epoch", 4, 1)]


@pytest.mark.parametrize("arrives", ["before", "after"])
def test_an_epoch_that_knows_less_than_is_held_shows_that_the_store_was_rolled_back(centre, kiosk, arrives):
    old = [kiosk.start_epoch(), *kiosk.crossings(2)]
    rolled_back = kiosk.clone()
    old += kiosk.crossings(2)
    new = [rolled_back.start_epoch("epoch-b", reason="rolled_back"), *rolled_back.crossings(1)]
    for part in [old, new] if arrives == "before" else [new, old]:
        centre.receive(kiosk, *part)
    assert {kind for kind, _, _ in centre.incidents()} == {"new_epoch", "rolled_back"}


def test_an_epoch_that_ends_the_one_before_in_another_record_shows_a_cut_tail(centre, kiosk):
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(2))
    centre.receive(kiosk, kiosk.start_epoch("epoch-b", reason="salvaged", last_hash="f" * 64))
    assert {kind for kind, _, _ in centre.incidents()} == {"new_epoch", "cut_tail"}


def test_a_store_that_calls_itself_new_though_the_kiosk_had_one_is_reported(centre, kiosk):
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(2))
    replaced = FakeKiosk(kiosk.name, key=kiosk.key, epoch="epoch-b")
    centre.receive(replaced, replaced.start_epoch())
    assert centre.incidents() == [("new_epoch", 1, 1)]


def test_a_tombstone_founds_its_epoch_when_the_epoch_record_is_lost(centre, kiosk):
    old = [kiosk.start_epoch(), kiosk.crossing()]
    lost = kiosk.start_epoch("epoch-b", reason="salvaged")
    new = [kiosk.tombstone(lost), *kiosk.crossings(2)]
    centre.receive(kiosk, *new)
    assert centre.ends(kiosk) == {(0, "")}
    centre.receive(kiosk, *old)
    centre.pass_time(6)
    centre.sweep()
    assert centre.ends(kiosk) == {(5, kiosk.hash)}


def test_practice_is_told_apart(centre, kiosk):
    centre.receive(kiosk, kiosk.start_epoch(), kiosk.crossing(), kiosk.crossing(training=True))
    assert count(centre.engine, crossing, crossing.c.training.is_(True)) == 1


def test_what_is_set_aside_is_bounded_and_counted(engine, kiosk):
    centre = Centre(engine, rejected_keep=5)
    centre.register(kiosk)
    for _ in range(3):
        centre.receive_bytes(stream_topic(kiosk.name, "crossing"), b"[1,2,3,4]")
    assert count(engine, rejected) == 5
    assert centre.incidents() == [("rejected", 0, 12)]


def test_one_bad_record_never_stops_the_others(centre, kiosk):
    first, bad, last = kiosk.start_epoch(), kiosk.crossing(), kiosk.crossing()
    bad = msgspec.structs.replace(bad, data=bad.data[:-4] + "AAAA")
    taken = centre.receive(kiosk, first, bad, last)
    assert held_by(taken) == [(1, first.hash, False)]
    assert [branch for _, _, branch in centre.states(kiosk)] == [0, None]


def test_any_order_and_repetition_ends_in_the_same_rows(centre):
    random = Random(7)
    for number in range(4):
        kiosk = FakeKiosk(f"utopia/lane-{number}")
        centre.register(kiosk)
        centre.pass_time(1)  # one of these names had another key, and new keys of a known name count within a second
        sent = [kiosk.start_epoch(), *kiosk.crossings(6)]
        twin = kiosk.clone()
        twin.captured.append("x")
        sent += [*kiosk.crossings(4), *twin.crossings(3)]
        ends = {(kiosk.sequence, kiosk.hash), (twin.sequence, twin.hash)}
        sent += random.sample(sent, 5)
        random.shuffle(sent)
        while sent:
            size = random.randint(1, 6)
            centre.receive(kiosk, *sent[:size])
            del sent[:size]
        assert centre.ends(kiosk) == ends
        assert len(centre.states(kiosk)) == 14


def test_two_collectors_at_once_store_everything_once_and_the_prefix_is_whole(centre, url, kiosk):
    sent = [kiosk.start_epoch(), *kiosk.crossings(60)]
    pieces = [sent[start : start + 4] for start in range(0, len(sent), 2)]  # each record in two messages
    Random(3).shuffle(pieces)
    failures = []

    def work(mine):
        engine = database.connect(url)
        try:
            other = Centre(engine)
            for piece in mine:
                other.receive(kiosk, *piece)
        except Exception as error:
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=work, args=(pieces[number::3],)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert centre.ends(kiosk) == {(61, kiosk.hash)}
    assert [sequence for sequence, _, _ in centre.states(kiosk)] == list(range(1, 62))


def test_epochs_of_many_kiosks_in_one_batch_are_taken_together(centre):
    kiosks = [FakeKiosk(f"utopia/lane-{number}") for number in range(12)]
    centre.register(*kiosks)
    good = []
    for one in kiosks:
        topic = stream_topic(one.name, one.stream)
        good += centre.examiner.examine(parse_topic(topic), topic, batch(one.start_epoch(), one.crossing()))[0]
    taken = centre.store.take(good, [], centre.now)
    assert {one.key.kiosk: one.held_up_to for one in taken.held} == {one.name: 2 for one in kiosks}


def test_the_generation_grows_with_every_start_of_a_collector(engine):
    first = Store(engine).take([], [], Centre(engine).now).generations.everybodys
    assert Store(engine).take([], [], Centre(engine).now).generations.everybodys > first


def test_a_database_taken_back_under_a_running_collector_gets_a_generation_newer_than_both(engine):
    store = Store(engine)
    old = store.take([], [], Centre(engine).now).generations.everybodys
    new = Store(engine).take([], [], Centre(engine).now).generations.everybodys
    seen = store.take([], [], Centre(engine).now).generations.everybodys
    with engine.begin() as connection:
        connection.execute(update(centre_table).where(centre_table.c.key == "generation").values(value=old))
    assert store.take([], [], Centre(engine).now).generations.everybodys > max(new, seen)


def test_an_epoch_stands_only_once_the_tail_of_the_one_before_is_held(centre, kiosk):
    old = [kiosk.start_epoch(), *kiosk.crossings(3)]
    new = [kiosk.start_epoch("epoch-b", reason="rolled_back"), *kiosk.crossings(2)]
    centre.receive(kiosk, *old[:2])
    assert centre.receive(kiosk, *new).held == ()
    assert centre.ends(kiosk) == {(0, "")}
    held = centre.receive(kiosk, *old[2:]).held
    assert {(one.key.epoch, one.held_up_to) for one in held} == {("epoch-a", 4), ("epoch-b", 7)}
    assert centre.ends(kiosk) == {(7, kiosk.hash)}


def test_both_epochs_stand_when_they_come_in_one_batch_in_any_order(centre, kiosk):
    records = [kiosk.start_epoch(), kiosk.crossing(), kiosk.start_epoch("epoch-b", reason="forked"), kiosk.crossing()]
    centre.receive(kiosk, *reversed(records))
    assert centre.ends(kiosk) == {(4, kiosk.hash)}


def test_a_tombstone_that_does_not_know_the_record_before_it_takes_its_place(centre, kiosk):
    before = [kiosk.start_epoch(), *kiosk.crossings(2)]
    lost = kiosk.crossing()
    after = kiosk.crossings(2)
    centre.receive(kiosk, *before, kiosk.tombstone(lost, prev=""), *after)
    assert centre.ends(kiosk) == {(6, kiosk.hash)}


def test_a_revoked_key_stops_counting_within_a_second(centre, kiosk):
    centre.receive(kiosk, kiosk.start_epoch())
    assert registry.revoke_kiosk(centre.engine, kiosk.name, centre.now) == 1
    centre.pass_time(1)
    assert held_by(centre.receive(kiosk, kiosk.crossing())) == []


def test_the_last_sequence_that_can_be_counted_is_stored_like_any_other(centre, kiosk):
    kiosk.sequence = MAX_SEQUENCE - 1
    last = kiosk.start_epoch(last_sequence=0)
    assert held_by(centre.receive(kiosk, last)) == [(MAX_SEQUENCE, last.hash, False)]


def test_released_records_that_the_centre_lost_hold_their_places_though_an_epoch_began_among_them(centre, kiosk):
    """The database was taken back to record 3; the kiosk has released 4 to 7 since, and a new epoch began at 6."""
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(2))
    kiosk.crossings(2)
    lost, before = [kiosk.start_epoch("epoch-b", reason="other_hardware"), kiosk.crossing()], ""
    for sequence in range(4, 8):
        stone = kiosk.tombstone(lost[-1], knows_hash=sequence == 7, sequence=sequence, prev=before)
        before = lost[-1].hash if sequence == 7 else stone.hash
        centre.receive(kiosk, stone)
    assert held_by(centre.receive(kiosk, kiosk.crossing())) == [(8, kiosk.hash, False)]
