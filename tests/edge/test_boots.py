"""When each boot was, as far as it can be known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.boots import MOST_UNDATED, Boots, decode, encode
from edge.events import Moment
from edge.wire.crossing import Clock

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NONSENSE = datetime(1970, 1, 1, tzinfo=UTC)


def at(boot: str, boottime_s: float, when: datetime | None = None, bound_s: float = 0.1) -> Moment:
    """Return a moment of a boot: synchronised at `when`, or unset."""
    if when is None:
        return Moment(NONSENSE + timedelta(seconds=boottime_s), Clock("unset", None, boot, boottime_s))
    return Moment(when, Clock("synchronised", bound_s, boot, boottime_s))


def undated(boots: Boots, moment: Moment) -> Boots:
    """Let a record be written."""
    boots.wrote(moment.clock)
    boots.look(moment)
    return boots


def again(boots: Boots, moment: Moment) -> Boots:
    """Start again from what the store kept."""
    return Boots(decode(encode(boots)), moment)


def test_a_boot_that_was_synchronised_from_the_start_needs_no_date() -> None:
    boots = undated(Boots(None, at("a", 10, START)), at("a", 20, START))
    assert boots.intervals(at("a", 30, START)) == []


def test_records_before_the_synchronisation_are_dated_by_the_error_bound_and_the_drift() -> None:
    boots = undated(Boots(None, at("a", 10)), at("a", 20))
    assert boots.intervals(at("a", 30)) == []
    (interval,) = boots.intervals(at("a", 1000, START + timedelta(seconds=1000), bound_s=0.2))
    assert interval.earliest is not None
    assert abs((START - interval.earliest).total_seconds() - 0.25) < 0.002
    assert abs((interval.latest - START).total_seconds() - 0.25) < 0.002
    assert interval.detail == {
        "boot_id": "a",
        "at_boottime_0": ["2026-03-01T11:59:59.750Z", "2026-03-01T12:00:00.251Z"],
    }


def test_what_was_dated_is_not_dated_again_until_something_undated_is_written() -> None:
    boots = undated(Boots(None, at("a", 10)), at("a", 20))
    boots.dated()
    later = at("a", 40, START)
    assert boots.intervals(later) == []
    undated(boots, at("a", 50))
    assert [interval.boot_id for interval in boots.intervals(later)] == ["a"]


def test_a_boot_that_never_knew_the_time_lies_between_the_last_known_time_and_the_next() -> None:
    boots = undated(Boots(None, at("a", 500, START)), at("a", 600, START + timedelta(seconds=100)))
    boots = undated(again(boots, at("b", 10)), at("b", 3600))
    boots = undated(again(boots, at("c", 10)), at("c", 20))
    latest, earlier = boots.intervals(at("c", 100, START + timedelta(hours=5), bound_s=0))
    assert (latest.boot_id, earlier.boot_id) == ("c", "b")
    assert earlier.earliest == START + timedelta(seconds=99.9)
    assert abs((START + timedelta(hours=4) - timedelta(seconds=100) - earlier.latest).total_seconds()) < 1


def test_several_such_boots_follow_one_another() -> None:
    boots = Boots(None, at("a", 100, START, bound_s=0))
    for boot in "bcd":
        boots = undated(again(boots, at(boot, 10)), at(boot, 1000))
    boots = again(boots, at("e", 5, START + timedelta(hours=10), bound_s=0))
    found = {interval.boot_id: interval for interval in boots.intervals(at("e", 5, START + timedelta(hours=10)))}
    assert list(found) == ["d", "c", "b"]
    for earlier, later in (("b", "c"), ("c", "d")):
        assert found[earlier].earliest < found[later].earliest
        assert found[earlier].latest < found[later].latest


def test_a_clock_that_contradicts_what_was_known_gives_no_earliest_time() -> None:
    boots = Boots(None, at("a", 10, START + timedelta(days=3650)))
    boots = undated(again(boots, at("b", 10)), at("b", 20))
    boots = again(boots, at("c", 10, START))
    (interval,) = boots.intervals(at("c", 10, START))
    assert interval.earliest is None
    assert interval.detail["at_boottime_0"][0] is None  # type: ignore[index]


def test_boots_without_end_are_not_kept_without_end() -> None:
    boots = Boots(None, at("first", 10))
    for number in range(MOST_UNDATED + 20):
        boots = undated(again(boots, at(f"boot {number}", 10)), at(f"boot {number}", 20))
    assert len(boots.kept.undated) == MOST_UNDATED
    assert boots.kept.undated[-1].boot_id == f"boot {MOST_UNDATED + 18}"


def test_what_another_version_kept_is_as_good_as_nothing() -> None:
    assert decode(None) is decode("{}") is decode("half a {") is None


# --- the clock of age -------------------------------------------------------------------------------------------------


def test_the_clock_of_age_does_not_follow_the_time_of_day() -> None:
    boots = Boots(None, at("a", 100, START))
    began_s = boots.running_s(at("a", 100, START))
    assert began_s == START.timestamp()
    assert boots.running_s(at("a", 110, START + timedelta(days=9000))) - began_s == 10
    assert boots.running_s(at("a", 120, START - timedelta(days=14))) - began_s == 20


def test_the_clock_of_age_goes_on_over_a_restart_and_rests_while_the_machine_is_off() -> None:
    boots = Boots(None, at("a", 100, START))
    boots = again(boots, at("a", 160, START))
    assert boots.running_s(at("a", 160, START)) - START.timestamp() == 60
    boots = again(boots, at("b", 5, START + timedelta(days=30)))
    assert boots.running_s(at("b", 15, START + timedelta(days=30))) - START.timestamp() == 70


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(1, 1e5), st.floats(1, 1e5), st.booleans()), min_size=1, max_size=8))
def test_every_interval_holds_the_truth(lives) -> None:
    """Each life: how long the machine was on, how long it was off afterwards, whether it knew the time at its start."""
    truth, now, boots = {}, START, None
    for number, (on_s, off_s, is_known) in enumerate(lives):
        boot, truth[f"{number}"] = f"{number}", now
        first = at(boot, 1, now + timedelta(seconds=1) if is_known else None)
        boots = Boots(None if boots is None else decode(encode(boots)), first)
        undated(boots, first)
        if is_known:
            for interval in boots.intervals(first):
                assert interval.earliest is None or interval.earliest <= truth[interval.boot_id]
                assert truth[interval.boot_id] <= interval.latest
            boots.dated()
        last = at(boot, on_s + 1, now + timedelta(seconds=on_s + 1) if is_known else None)
        boots.look(last)
        now += timedelta(seconds=on_s + 1 + off_s)


def test_a_boot_is_counted_once_and_a_power_cut_told_from_an_end_in_good_order() -> None:
    boots = Boots(None, at("a", 10, START))
    assert (boots.kept.boots, boots.kept.last_end) == (1, "")
    boots.stopped()
    boots = again(boots, at("a", 50, START + timedelta(seconds=40)))
    assert (boots.kept.boots, boots.kept.last_end) == (1, "")
    boots = again(boots, at("b", 10, START + timedelta(hours=1)))
    assert (boots.kept.boots, boots.kept.last_end) == (2, "interrupted")
    boots.stopped()
    boots = again(boots, at("c", 10, START + timedelta(hours=2)))
    assert (boots.kept.boots, boots.kept.last_end) == (3, "clean")
    assert again(boots, at("c", 90, START + timedelta(hours=3))).kept.last_end == "clean"
