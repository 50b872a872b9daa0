"""What time it is, and how far that can be believed."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.clock import SystemClock, boot_id, error_bound_s, hardware_id, installed_s, timesyncd_error_bound_s

PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime.now(UTC) + timedelta(days=365)


class Kernel:
    """The kernel's word on synchronisation, as the test wants it."""

    def __init__(self, bound_s: float | None) -> None:
        self.bound_s = bound_s

    def __call__(self) -> float | None:
        return self.bound_s


def clock(bound_s: float | None, *, floor: datetime = PAST, has_rtc: bool = False) -> tuple[SystemClock, Kernel]:
    """Return a clock and the kernel behind it."""
    kernel = Kernel(bound_s)
    return SystemClock(floor=floor, has_rtc=has_rtc, error_bound_s=kernel), kernel


def test_a_synchronised_clock_has_the_kernels_error_bound() -> None:
    now = clock(0.012)[0].now()
    assert (now.clock.state, now.clock.error_bound_s) == ("synchronised", 0.012)


def test_a_clock_that_nobody_vouches_for_is_unset() -> None:
    now = clock(None)[0].now()
    assert (now.clock.state, now.clock.error_bound_s, now.today) == ("unset", None, None)


def test_a_battery_backed_clock_holds_over_a_power_cut_with_an_unknown_bound() -> None:
    now = clock(None, has_rtc=True)[0].now()
    assert (now.clock.state, now.clock.error_bound_s) == ("holdover", None)


def test_a_clock_that_was_synchronised_holds_over_and_its_bound_grows() -> None:
    watched, kernel = clock(0.012)
    watched.now()
    kernel.bound_s = None
    first, second = watched.now(), watched.now()
    assert first.clock.state == second.clock.state == "holdover"
    assert first.clock.error_bound_s is not None and second.clock.error_bound_s is not None
    assert 1.0 <= first.clock.error_bound_s <= second.clock.error_bound_s < 1.1


def test_a_clock_that_is_synchronised_again_says_so() -> None:
    watched, kernel = clock(None)
    assert watched.now().clock.state == "unset"
    kernel.bound_s = 0.5
    assert watched.now().clock.state == "synchronised"


@pytest.mark.parametrize("bound_s", [0.001, None])
@pytest.mark.parametrize("has_rtc", [True, False])
def test_a_time_before_what_is_certainly_past_is_unset_whoever_vouches_for_it(bound_s, has_rtc) -> None:
    assert clock(bound_s, floor=FUTURE, has_rtc=has_rtc)[0].now().clock.state == "unset"


def test_the_time_is_utc_and_boottime_never_goes_back() -> None:
    watched, _ = clock(0.1)
    first, second = watched.now(), watched.now()
    assert first.at.utcoffset() == timedelta(0)
    assert 0 < first.clock.boottime_s <= second.clock.boottime_s <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_the_kernel_says_a_bound_or_nothing() -> None:
    bound_s = error_bound_s()
    assert bound_s is None or 0 <= bound_s < 3600


def test_a_boot_has_one_id() -> None:
    assert boot_id() == boot_id() == clock(0.1)[0].now().clock.boot_id
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", boot_id())


def test_a_machine_without_a_serial_number_has_none_and_no_error() -> None:
    assert "\0" not in hardware_id()


def test_where_the_kernel_may_not_be_asked_the_file_of_timesyncd_tells(tmp_path: Path) -> None:
    touched = tmp_path / "synchronized"
    assert timesyncd_error_bound_s(touched, 1000.0) is None
    touched.touch()
    os.utime(touched, (1000.0, 1000.0))
    assert timesyncd_error_bound_s(touched, 1000.0 + 3600) == pytest.approx(1.18)
    assert timesyncd_error_bound_s(touched, 1000.0 + 2 * 86_400) is None


def test_before_the_last_known_time_a_battery_is_not_believed_and_a_time_server_is() -> None:
    watched = SystemClock(floor=PAST, last_known=FUTURE, has_rtc=True, error_bound_s=Kernel(None))
    assert watched.now().clock.state == "unset"
    watched = SystemClock(floor=PAST, last_known=FUTURE, has_rtc=True, error_bound_s=Kernel(0.1))
    assert watched.now().clock.state == "synchronised"


@pytest.mark.parametrize("days", [-14, 14, 3650])
def test_a_clock_that_somebody_sets_while_nobody_vouches_for_it_is_unset(days, monkeypatch) -> None:
    watched, kernel = clock(0.012, has_rtc=True)
    watched.now()
    kernel.bound_s = None

    class Set(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=days)

    with monkeypatch.context() as set_wrong:
        set_wrong.setattr("edge.clock.datetime", Set)
        assert watched.now().clock.state == "unset"
    assert watched.now().clock.state == "holdover"


def test_this_landfall_was_installed_in_the_past() -> None:
    assert 0 < installed_s() <= time.time()


def test_the_zone_of_the_post_goes_with_every_reading() -> None:
    zone = ZoneInfo("Pacific/Auckland")
    for bound_s in (0.1, None):
        assert SystemClock(floor=PAST, has_rtc=False, error_bound_s=Kernel(bound_s), zone=zone).now().zone is zone
