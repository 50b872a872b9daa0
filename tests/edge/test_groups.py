"""People who travel together, and their count."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.events import Recorded, VoidDraft
from edge.groups import Group, LaneGroup, count_of, decode, encode
from edge.wire.crossing import Conveyance
from tests.edge.desk import Desk
from tests.edge.lane import moment

FERRY = Group(
    "group-1", "2026-03-01T12:00:00.000Z", 120, Conveyance("vessel", "9074729", "L'Express des Iles"), "A-1042"
)


def test_a_group_is_kept_as_text_and_read_again() -> None:
    assert decode(encode(FERRY)) == FERRY
    assert decode(encode(Group("g", "t"))) == Group("g", "t")


@pytest.mark.parametrize("text", [None, "", "{", '{"name": "another version"}'])
def test_what_is_no_group_is_none(text) -> None:
    assert decode(text) is None


def test_a_group_that_nobody_joins_is_due_and_one_that_grows_is_not() -> None:
    lane = LaneGroup(idle_s=60.0)
    assert lane.deadline_s is None
    lane.open(FERRY, moment(100))
    assert lane.deadline_s == 160
    lane.crossed("another", moment(130))
    assert (lane.count, lane.deadline_s) == (0, 160)
    lane.crossed("group-1", moment(150))
    assert (lane.count, lane.deadline_s) == (1, 210)
    assert lane.close() == FERRY
    assert lane.deadline_s is None


def test_the_count_is_kept_with_the_crossing_and_survives_a_restart(tmp_path: Path) -> None:
    with Desk(tmp_path / "cache.db") as desk:
        desk.recorder.keep(count_of("group-1"), "0")
        for id in ("a", "b", "c"):
            desk.cross(id, group="group-1")
        desk.recorder.record(VoidDraft("d", desk.clock.now(), "c", "entered_twice", "A-1042", "group-1"))
        desk.wait_for(Recorded, lambda event: event.id == "d")
        assert desk.state(count_of("group-1")) == "2"
    with Desk(tmp_path / "cache.db") as desk:
        desk.cross("e", group="group-1")
        assert desk.state(count_of("group-1")) == "3"
        desk.recorder.keep(count_of("group-1"), "")
        desk.wait_until(lambda: desk.state(count_of("group-1")) is None)


def test_a_void_says_why_and_who(tmp_path: Path) -> None:
    with Desk(tmp_path / "cache.db") as desk:
        desk.cross("a", group="group-1")
        desk.recorder.record(VoidDraft("b", desk.clock.now(), "a", "entered_twice", "A-1042"))
        desk.wait_for(Recorded, lambda event: event.id == "b")
        crossing, void = desk.letters("crossing")[-2:]
    assert crossing["group"] == "group-1"
    assert void["detail"] == {"reason": "entered_twice", "officer": "A-1042"}
