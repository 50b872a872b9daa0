"""Power that goes and comes, and the clock that has a battery."""

from __future__ import annotations

from edge.supply import PowerWatch, RtcWatch
from tests.edge.lane import moment


def test_a_kiosk_works_on_without_the_mains_and_then_stops_in_order() -> None:
    power = PowerWatch(stop_after_s=10.0)
    assert power.lost(moment(100))
    assert not power.must_stop(moment(109))
    assert power.must_stop(moment(110))


def test_power_that_is_back_in_time_changes_nothing() -> None:
    power = PowerWatch(stop_after_s=10.0)
    power.lost(moment(100))
    assert power.back()
    assert (power.deadline_s, power.must_stop(moment(200))) == (None, False)


def test_the_same_word_twice_is_no_news_and_wins_no_time() -> None:
    power = PowerWatch(stop_after_s=10.0)
    assert not power.back()
    power.lost(moment(100))
    assert not power.lost(moment(105))
    assert power.deadline_s == 110


def test_a_kiosk_that_shall_not_stop_works_until_it_is_dark() -> None:
    power = PowerWatch(stop_after_s=0)
    assert power.lost(moment(100))
    assert not power.must_stop(moment(10_000))


def test_a_clock_that_is_right_is_no_news() -> None:
    rtc = RtcWatch()
    now = moment(100)
    assert not rtc.look(now.at.timestamp() + 59, now)
    assert rtc.state == "right"


def test_a_clock_that_is_missing_or_wrong_is_told_once_and_so_is_its_recovery() -> None:
    rtc, now = RtcWatch(), moment(100)
    assert rtc.look(None, now)
    assert not rtc.look(None, now)
    assert rtc.look(now.at.timestamp() - 3600, now)
    assert rtc.state == "wrong"
    assert rtc.look(now.at.timestamp(), now)


def test_no_clock_is_called_wrong_while_nobody_knows_the_time() -> None:
    rtc, now = RtcWatch(), moment(100, "holdover")
    assert not rtc.look(0.0, now)
    assert rtc.state == "unknown"
