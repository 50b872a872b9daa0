"""The sums of both ends, and the walk along the chain."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import delete, insert, select, update

from central.database import writing
from central.reconcile import KioskCount, read_count, reconcile, verify_chain
from central.tables import branch, crossing, record
from edge.errors import ContractError
from edge.wire.record import AMENDMENT
from tests.central.centre import Centre
from tests.harness.kiosk_records import FakeKiosk


@pytest.fixture
def kiosk():
    return FakeKiosk()


@pytest.fixture
def centre(engine, kiosk):
    centre = Centre(engine)
    centre.register(kiosk)
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(4), kiosk.crossing(training=True))
    return centre


def count_of(kiosk, **fields):
    return msgspec.convert(kiosk.count() | fields, KioskCount)


def test_both_ends_agree_when_everything_arrived_once(centre, kiosk):
    found = reconcile(centre.engine, kiosk.name, count_of(kiosk))
    assert found.is_clean
    assert (found.captured, found.stored, found.training, found.unheld) == (4, 4, 1, 0)


def test_what_the_kiosk_has_not_sent_is_lost_so_far(centre, kiosk):
    kiosk.crossings(2)
    found = reconcile(centre.engine, kiosk.name, count_of(kiosk))
    assert (found.lost, found.unheld, found.is_clean) == (2, 2, False)


def test_a_kiosk_that_does_not_count_crossings_is_compared_by_records(centre, kiosk):
    kiosk.crossing()
    found = reconcile(centre.engine, kiosk.name, count_of(kiosk, captured=None))
    assert (found.captured, found.lost, found.is_clean) == (None, 1, False)


def test_crossings_that_the_kiosk_does_not_know_are_surplus(centre, kiosk):
    assert reconcile(centre.engine, kiosk.name, count_of(kiosk, captured=3)).surplus == 1


def test_one_crossing_in_two_records_is_duplicated(centre, kiosk):
    centre.receive(kiosk, kiosk.crossing(id=kiosk.captured[0]))
    found = reconcile(centre.engine, kiosk.name, count_of(kiosk, captured=4))
    assert (found.duplicated, found.lost, found.surplus) == (1, 0, 0)


def test_another_end_than_the_kiosks_is_a_break(centre, kiosk):
    head = kiosk.count()["streams"]["crossing"] | {"hash": "f" * 64}
    assert reconcile(centre.engine, kiosk.name, count_of(kiosk, streams={"crossing": head})).chain_breaks == 1


def test_every_branch_and_epoch_and_tombstone_of_a_whole_chain_passes(centre, kiosk):
    twin = kiosk.clone()
    twin.captured.append("x")
    centre.receive(twin, *twin.crossings(2))
    lost, unknown, last = kiosk.crossings(3)
    centre.receive(kiosk, kiosk.tombstone(lost), kiosk.tombstone(unknown, knows_hash=False), last)
    centre.receive(kiosk, kiosk.start_epoch("epoch-b", reason="forked"), *kiosk.crossings(2))
    found = verify_chain(centre.engine, kiosk.name)
    assert (found.breaks, found.branches, found.tombstones, found.waiting) == (0, 3, 2, 0)


def test_a_record_that_waits_is_counted_and_is_no_break(centre, kiosk):
    kiosk.crossing()
    centre.receive(kiosk, kiosk.crossing())
    found = verify_chain(centre.engine, kiosk.name)
    assert (found.breaks, found.waiting) == (0, 1)


def test_a_record_removed_from_the_database_is_found(centre, kiosk):
    with writing(centre.engine) as connection:
        connection.execute(delete(record).where(record.c.sequence == 3))
    found = verify_chain(centre.engine, kiosk.name)
    assert [(one.sequence, one.reason) for one in found.examples] == [(4, "the record before it is not stored")]


def test_a_record_removed_from_the_end_is_found(centre, kiosk):
    with writing(centre.engine) as connection:
        connection.execute(delete(record).where(record.c.sequence == 6))
    assert verify_chain(centre.engine, kiosk.name).breaks == 1


def test_a_whole_epoch_removed_from_the_database_is_found(centre, kiosk):
    with writing(centre.engine) as connection:
        connection.execute(delete(record))
    assert verify_chain(centre.engine, kiosk.name).breaks == 1


def test_an_envelope_altered_in_the_database_is_found(centre, kiosk):
    with writing(centre.engine) as connection:
        other = connection.scalar(select(record.c.envelope).where(record.c.sequence == 4))
        connection.execute(update(record).where(record.c.sequence == 3).values(envelope=other))
        connection.execute(update(record).where(record.c.sequence == 5).values(envelope="a.b.c"))
    assert [one.sequence for one in verify_chain(centre.engine, kiosk.name).examples] == [3, 5]


def test_a_branch_that_claims_more_than_is_stored_is_found(centre, kiosk):
    with writing(centre.engine) as connection:
        connection.execute(update(branch).values(held_up_to=99))
    assert verify_chain(centre.engine, kiosk.name).breaks == 1


def test_a_kiosk_that_nobody_heard_of_has_nothing(centre):
    found = reconcile(centre.engine, "utopia/nobody")
    assert (found.stored, found.chain.records, found.is_clean) == (0, 0, True)


def test_a_crossing_row_that_was_doubled_by_hand_is_found(centre, kiosk):
    with writing(centre.engine) as connection:
        row = dict(connection.execute(select(crossing)).mappings().first())
        connection.execute(insert(crossing).values(row | {"hash": "0" * 64}))
    assert reconcile(centre.engine, kiosk.name, count_of(kiosk)).duplicated == 1


def test_a_voided_crossing_stays_captured_and_stored_and_is_told(centre, kiosk):
    clock = {"state": "synchronised", "error_bound_s": 0.1, "boot_id": "b", "boottime_s": 1.0}
    for amends in (kiosk.captured[1], kiosk.captured[1], "of nobody"):
        void = {"clock": clock, "amends": amends, "kind": "void", "detail": {"reason": "entered_twice"}}
        centre.receive(kiosk, kiosk.append(AMENDMENT, void))
    decision = {"clock": clock, "amends": kiosk.captured[2], "kind": "decision", "detail": {"result": "passed"}}
    centre.receive(kiosk, kiosk.append(AMENDMENT, decision))
    found = reconcile(centre.engine, kiosk.name, count_of(kiosk))
    assert (found.captured, found.stored, found.voided, found.is_clean) == (4, 4, 1, True)


@pytest.mark.parametrize("text", [b"", b"[]", b'{"kiosk": 1}', b"[" * 5000])
def test_what_is_no_count_is_refused(text):
    with pytest.raises(ContractError, match="landfall queue stats"):
        read_count(text)
