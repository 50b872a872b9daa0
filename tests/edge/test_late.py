"""What reaches the disk after its lane gave up is voided, once, however the store answers."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from edge.events import Recorded, RecordFailed, StoreReady
from edge.late import LateRecords
from edge.wire.record import Position
from tests.edge.lane import moment


def recorded(id: str) -> Recorded:
    return Recorded(id, Position("utopia/lane-1", "e", "crossing", 2))


def late_records() -> LateRecords:
    numbers = count(1)
    return LateRecords(lambda: f"void-{next(numbers)}")


def test_a_record_that_nobody_gave_up_is_left_alone() -> None:
    assert late_records().handle(recorded("a"), moment()) == []


@given(st.lists(st.booleans(), max_size=8))
def test_however_often_the_amendment_fails_it_is_on_disk_once_in_the_end(answers) -> None:
    late = late_records()
    late.give_up("a")
    (asked,) = late.handle(recorded("a"), moment())
    stored = []
    for is_stored in [*answers, True]:
        assert asked.draft.amends == "a"
        if is_stored:
            stored.append(asked.draft.id)
            assert late.handle(recorded(asked.draft.id), moment()) == []
            break
        assert late.handle(RecordFailed(asked.draft.id, "full"), moment()) == []
        (asked,) = late.handle(StoreReady(), moment())
    assert len(stored) == 1
    assert late.handle(StoreReady(), moment()) == []
    assert late.handle(recorded("a"), moment()) == []
