"""Who still needs a key of the centre's, by what kiosks have said."""

from __future__ import annotations

import pytest

from central import registry, uptake
from central.uptake import Awaited
from edge.wire.messages import Status, StreamHead
from tests.central.centre import Centre
from tests.harness.kiosk_records import AT, FakeKiosk

OLD, NEW = "old-key", "new-key"
SILENT = "has not said which keys it knows"


@pytest.fixture
def kiosk():
    return FakeKiosk("utopia/lane-1")


@pytest.fixture
def centre(engine, kiosk):
    centre = Centre(engine)
    centre.register(kiosk)
    return centre


def is_born(centre, kiosk, opening, *receipts, state="online"):
    """Let a kiosk's daemon start with these keys of the centre."""
    heads = {"crossing": StreamHead(kiosk.epoch, kiosk.sequence + 1, kiosk.hash, 0)} if state == "online" else {}
    status = Status(kiosk.name, state, "c", "b", "1", AT, heads, opening, receipts)
    uptake.note_birth(centre.engine, status, centre.now)


def test_a_kiosk_that_was_never_heard_needs_every_old_key(centre, kiosk):
    assert uptake.who_lacks_receipt_key(centre.engine, NEW) == [Awaited(kiosk.name, SILENT)]
    assert uptake.who_seals_to_others(centre.engine, [NEW]) == [Awaited(kiosk.name, SILENT)]


def test_a_kiosk_of_an_older_version_that_names_no_keys_is_waited_for(centre, kiosk):
    is_born(centre, kiosk, "")
    assert [one.kiosk for one in uptake.who_lacks_receipt_key(centre.engine, NEW)] == [kiosk.name]
    assert [one.kiosk for one in uptake.who_seals_to_others(centre.engine, [NEW])] == [kiosk.name]


def test_a_receipt_key_is_taken_once_a_birth_names_it(centre, kiosk):
    is_born(centre, kiosk, OLD, OLD)
    assert uptake.who_lacks_receipt_key(centre.engine, NEW) == [Awaited(kiosk.name, "does not know the new key")]
    is_born(centre, kiosk, OLD, OLD, NEW)
    assert uptake.who_lacks_receipt_key(centre.engine, NEW) == []


def test_an_opening_key_is_needed_until_what_was_sealed_before_the_new_one_is_held(centre, kiosk):
    backlog = [kiosk.start_epoch(), *kiosk.crossings(3)]
    is_born(centre, kiosk, OLD, OLD)
    assert uptake.who_seals_to_others(centre.engine, [NEW]) == [Awaited(kiosk.name, "seals to the old key")]
    is_born(centre, kiosk, NEW, OLD)
    centre.receive(kiosk, *backlog[:3])
    (awaited,) = uptake.who_seals_to_others(centre.engine, [NEW])
    assert awaited == Awaited(kiosk.name, "has 1 records to send from before it took the new key")
    kiosk.crossings(5)
    is_born(centre, kiosk, NEW, OLD)
    centre.receive(kiosk, backlog[3])
    assert uptake.who_seals_to_others(centre.engine, [NEW]) == [], "what came after the first birth is sealed anew"


def test_a_card_that_was_put_back_needs_the_old_key_again(centre, kiosk):
    is_born(centre, kiosk, NEW, NEW)
    assert uptake.who_seals_to_others(centre.engine, [NEW]) == []
    is_born(centre, kiosk, OLD, OLD)
    assert [one.kiosk for one in uptake.who_seals_to_others(centre.engine, [NEW])] == [kiosk.name]


def test_a_goodbye_says_nothing_of_keys(centre, kiosk):
    is_born(centre, kiosk, NEW, NEW)
    is_born(centre, kiosk, "", state="offline")
    assert uptake.who_lacks_receipt_key(centre.engine, NEW) == []


def test_a_kiosk_that_was_revoked_is_not_waited_for(centre, kiosk):
    registry.revoke_kiosk(centre.engine, kiosk.name, centre.now)
    assert uptake.who_lacks_receipt_key(centre.engine, NEW) == []


def test_each_kiosk_that_is_waited_for_is_named(centre, kiosk):
    other = FakeKiosk("utopia/lane-2")
    centre.register(other)
    is_born(centre, kiosk, NEW, NEW)
    assert [one.kiosk for one in uptake.who_lacks_receipt_key(centre.engine, NEW)] == [other.name]
