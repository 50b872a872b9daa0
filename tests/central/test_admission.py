"""How many epochs and branches one kiosk may begin, and that nobody else is held up."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from central import database
from central.store import Store
from central.tables import branch, rejected
from tests.central.centre import Centre, held_by
from tests.harness.kiosk_records import FakeKiosk


@pytest.fixture
def centre(engine):
    centre = Centre(engine)
    centre.store = Store(engine, most_epochs=3, most_branches=3)
    return centre


def count(centre, table):
    with database.reading(centre.engine) as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_epochs_beyond_the_bound_are_set_aside_and_those_that_exist_go_on(centre):
    kiosk = FakeKiosk()
    centre.register(kiosk)
    for number in range(3):
        centre.receive(kiosk, kiosk.start_epoch(f"epoch-{number}"))
    going_on = kiosk.crossing()
    kiosk.start_epoch("epoch-3")
    beyond = kiosk.crossing()
    taken = centre.receive(kiosk, going_on, beyond)
    assert [held for held, _, _ in held_by(taken)] == [4]
    assert ("too_many_epochs", 0, 1) in centre.incidents()
    assert (count(centre, branch), count(centre, rejected)) == (3, 1)


def test_a_kiosk_that_invents_epochs_in_one_message_is_stopped_within_it(centre):
    kiosk = FakeKiosk()
    centre.register(kiosk)
    invented = [kiosk.start_epoch(f"epoch-{number}", previous_epoch="", last_hash="") for number in range(50)]
    centre.receive(kiosk, *invented)
    assert (count(centre, branch), count(centre, rejected)) == (3, 47)


def test_a_kiosk_that_forks_again_and_again_is_stopped_and_others_are_not(centre):
    kiosk, other = FakeKiosk(), FakeKiosk("utopia/lane-2")
    centre.register(kiosk, other)
    centre.receive(kiosk, kiosk.start_epoch())
    for _ in range(6):
        centre.receive(kiosk, kiosk.clone().crossing())
    assert count(centre, branch) == 3
    assert held_by(centre.receive(other, other.start_epoch()))[0][0] == 1


def test_the_bound_is_the_same_after_a_restart(centre):
    kiosk = FakeKiosk()
    centre.register(kiosk)
    for number in range(3):
        centre.receive(kiosk, kiosk.start_epoch(f"epoch-{number}"))
    centre.store = Store(centre.engine, most_epochs=3, most_branches=3)
    assert centre.receive(kiosk, kiosk.start_epoch("epoch-3")).held == ()


def test_a_kiosk_that_invents_streams_is_stopped_and_those_that_exist_go_on(centre):
    kiosk, other = FakeKiosk(), FakeKiosk("utopia/lane-2")
    centre.register(kiosk, other)
    centre.receive(kiosk, kiosk.start_epoch())
    for number in range(40):
        invented = FakeKiosk(stream=f"stream-{number}", key=kiosk.key)
        centre.receive(invented, invented.start_epoch())
    assert (count(centre, branch), count(centre, rejected)) == (32, 9)
    assert [held for held, _, _ in held_by(centre.receive(kiosk, kiosk.crossing()))] == [2]
    assert held_by(centre.receive(other, other.start_epoch()))[0][0] == 1
