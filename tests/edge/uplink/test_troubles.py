"""Trouble is told at once, then once in a while, and all of it is counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.events import UplinkTrouble
from edge.uplink.troubles import TROUBLE_S, Troubles


def test_the_first_of_a_kind_is_told_at_once_and_the_next_ones_together() -> None:
    told: list[UplinkTrouble] = []
    troubles = Troubles(told.append)
    assert troubles.add("crossing", "forked", 5.0) and troubles.add("audit", "forked", 5.0)
    assert not troubles.add("crossing", "forked", 5.1) and not troubles.add("crossing", "forked", 5.2)
    assert told == [UplinkTrouble("crossing", "forked", 1), UplinkTrouble("audit", "forked", 1)]
    assert troubles.wake_at_s() == 5.0 + TROUBLE_S
    troubles.tell_due(5.0 + TROUBLE_S)
    assert told[2:] == [UplinkTrouble("crossing", "forked", 2)]
    assert troubles.wake_at_s() is None


def test_a_stranger_names_no_stream() -> None:
    told: list[UplinkTrouble] = []
    troubles = Troubles(told.append)
    for stream in ("\x1b[2J", "eriksson", ""):
        troubles.add(stream, "not_valid", 0.0)
    troubles.tell_due(TROUBLE_S)
    assert told == [UplinkTrouble("unknown", "not_valid", 1), UplinkTrouble("unknown", "not_valid", 2)]


@given(st.lists(st.floats(0, 3), max_size=50))
def test_however_it_comes_all_of_it_is_told_in_the_end(pauses) -> None:
    told: list[UplinkTrouble] = []
    troubles, now_s = Troubles(told.append), 0.0
    for pause in pauses:
        now_s += pause
        troubles.add("crossing", "forked", now_s)
    troubles.tell_due(now_s + TROUBLE_S)
    assert sum(one.count for one in told) == len(pauses)
    assert len(told) <= now_s / TROUBLE_S + 2
