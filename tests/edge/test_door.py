"""The door behind the gate: passes, forced doors, doors that stand open."""

from __future__ import annotations

import pytest

from edge.door import Door
from tests.edge.lane import moment


@pytest.fixture
def door() -> Door:
    return Door(pass_s=10.0, open_s=15.0)


def test_a_pass_is_no_news(door: Door) -> None:
    door.let_pass(moment(100))
    assert door.opened(moment(109)) is None
    assert door.state == "open"
    assert door.closed() is None
    assert (door.state, door.deadline_s) == ("closed", None)


@pytest.mark.parametrize("let_pass", [False, True])
def test_a_door_that_opens_without_a_pass_was_forced(door: Door, let_pass) -> None:
    if let_pass:
        door.let_pass(moment(80))
    assert door.opened(moment(100)) == "door_forced"
    assert door.state == "forced"
    assert door.closed() == "door_closed"


def test_a_door_that_stands_open_after_a_pass_is_told_once(door: Door) -> None:
    door.let_pass(moment(100))
    door.opened(moment(101))
    assert door.deadline_s == 116
    assert door.check(moment(115)) is None
    assert door.check(moment(116)) == "door_held_open"
    assert door.check(moment(200)) is None
    assert door.state == "held_open"
    assert door.closed() == "door_closed"


def test_a_closed_door_is_never_due(door: Door) -> None:
    assert door.check(moment(1000)) is None
