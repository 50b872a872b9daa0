"""What a traveller brings along is known beforehand, down to the bytes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.simulated.scenario import Fault, Scenario
from hw.simulated.travellers import specimen
from hw.simulated.turns import Message, messages, turn

WIRE = bytes(range(0x30, 0x70))


def sent(*faults: Fault, seed: int = 1) -> list[Message]:
    return messages(WIRE, faults, random.Random(seed))


def turns(scenario: Scenario, number: int) -> list:
    return [turn(scenario, scenario.first + at) for at in range(number)]


def test_without_a_fault_the_message_goes_out_once() -> None:
    assert sent() == [Message(WIRE)]


def test_a_passport_that_is_pulled_away_ends_in_the_middle_and_is_shown_again() -> None:
    fault = Fault(kind="early", every=1, at_byte=10, for_s=0.2)
    assert sent(fault) == [Message(WIRE[:10], pause_s=0.2), Message(WIRE)]


def test_a_reader_repeats_itself_as_often_as_it_is_told() -> None:
    assert sent(Fault(kind="repeat", every=1, times=4)) == [Message(WIRE)] * 4


@pytest.mark.parametrize("seed", range(20))
def test_a_reader_repeats_itself_two_to_five_times_by_the_seed(seed: int) -> None:
    fault = Fault(kind="repeat", every=1)
    assert 2 <= len(sent(fault, seed=seed)) <= 5
    assert sent(fault, seed=seed) == sent(fault, seed=seed)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_a_reader_is_unplugged_at_any_byte_of_the_message_by_the_seed(seed: int) -> None:
    (message,) = sent(Fault(kind="unplug", every=1), seed=seed)
    assert 0 <= message.unplug_at < len(WIRE)
    assert (message.wire, message.pause_s) == (WIRE, 0.5)


def test_any_byte_is_any_byte() -> None:
    found = {sent(Fault(kind="unplug", every=1), seed=seed)[0].unplug_at for seed in range(1000)}
    assert found == set(range(len(WIRE)))


def test_a_message_has_no_repr_of_what_is_in_it() -> None:
    assert "0123" not in repr(Message(WIRE))


def test_faults_meet_each_nth_traveller() -> None:
    scenario = Scenario(faults=[Fault(kind="noise", every=2), Fault(kind="bounce", every=3, for_s=0.01)])
    assert [[fault.kind for fault in one.faults] for one in turns(scenario, 6)] == [
        [], ["noise"], ["bounce"], ["noise"], [], ["noise", "bounce"],
    ]  # fmt: skip
    assert turn(scenario, 3).bounce_s == 0.01


def test_members_of_a_party_do_not_wait_for_each_other() -> None:
    scenario = Scenario(first=5, interval_s=7, parties=[1, 3])
    assert [one.pause_s for one in turns(scenario, 6)] == [7, 0, 0, 7, 7, 0]


def test_who_is_keyed_in_and_who_has_nothing() -> None:
    scenario = Scenario(keyed_every=2, no_document_every=4)
    assert [one.shows for one in turns(scenario, 4)] == ["document", "keyed", "document", "nothing"]


def test_a_boarding_pass_may_be_lost() -> None:
    scenario = Scenario(boarding_pass_every=1, no_boarding_pass_every=3)
    assert [one.has_boarding_pass for one in turns(scenario, 3)] == [True, True, False]


def test_the_officer_refers_some_and_does_not_come_to_others() -> None:
    scenario = Scenario(refer_every=2, no_officer_every=3)
    assert [one.word for one in turns(scenario, 3)] == ["accept", "refer", "nobody"]


def test_only_somebody_without_trouble_is_followed_too_closely_and_never_the_last() -> None:
    faults = [Fault(kind="together", every=1), Fault(kind="flip", every=2)]
    scenario = Scenario(count=7, faults=faults, expired_every=3, keyed_every=6)
    assert [one.is_followed for one in turns(scenario, 7)] == [True, False, False, False, False, False, False]


@given(seed=st.integers(0, 1000), ordinal=st.integers(1, 5000))
@settings(max_examples=30, deadline=None)
def test_the_same_seed_and_ordinal_are_the_same_turn(seed: int, ordinal: int) -> None:
    scenario = Scenario(seed=seed, expired_every=7, faults=[Fault(kind="unplug", every=2)])
    assert turn(scenario, ordinal) == turn(scenario, ordinal)


def test_the_day_of_the_flight_is_handed_in_and_never_the_machines() -> None:
    one = turn(Scenario(seed=1), 1, flight_day=60).traveller
    assert one == specimen(1, 1, flight_day=60)
