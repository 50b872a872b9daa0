"""What happens to the kiosk itself, and who is told of it."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from edge.door import Door
from edge.health import Survey, Vitals
from edge.log import Log
from edge.settings import LaneSettings
from edge.watch import Watch
from edge.wire.health import MachineHealth
from edge.wiring import Lane
from hw.choose import Devices
from hw.devices import CaseOpened, DeviceLost, DeviceReady, DoorClosed, DoorOpened, PowerBack, PowerLost
from tests.edge.lane import moment


class Post:
    """A watched lane; the test is the recorder, the panel and the clock."""

    def __init__(self, *, drops_key: bool = False) -> None:
        self.dropped: list[str] = []
        self.audited: list[str] = []
        self.warnings = 0
        self.news = 0
        self.vitals = Vitals()
        settings = LaneSettings(name="left")
        lane = Lane(settings, None, Devices((), None, self), Door(10, 15))  # type: ignore[arg-type]
        self.door = lane.door
        self.watch = Watch(
            [lane],
            self.vitals,
            self,  # type: ignore[arg-type]
            Log(io.StringIO()),
            self.tell_soon,
            drops_key=drops_key,
            stop_after_s=10.0,
            has_rtc=True,
        )

    def audit(self, event: str, **detail: Any) -> None:
        self.audited.append(event)

    def drop_key(self, event: str, **detail: Any) -> None:
        self.dropped.append(event)

    def warn(self) -> None:
        self.warnings += 1

    def tell_soon(self) -> None:
        self.news += 1


@pytest.fixture
def post() -> Post:
    return Post()


def test_devices_that_come_and_go_are_in_health_and_not_on_the_audit_stream(post: Post) -> None:
    post.watch.take(DeviceReady("camera"), moment(1))
    post.watch.take(DeviceLost("camera", "unplugged"), moment(2))
    assert (post.vitals.devices["camera"].state, post.vitals.devices["camera"].error) == ("lost", "unplugged")
    assert (post.audited, post.news) == ([], 2)


def test_an_opened_case_is_audited_and_told_at_once(post: Post) -> None:
    post.watch.take(CaseOpened("panel"), moment(1))
    assert (post.audited, post.news, post.vitals.devices["panel"].is_open) == (["case_opened"], 1, True)


def test_an_opened_case_drops_the_key_where_the_settings_say_so() -> None:
    post = Post(drops_key=True)
    post.watch.take(CaseOpened("panel"), moment(1))
    assert (post.dropped, post.audited) == (["case_opened"], [])


def test_a_forced_door_sounds_the_buzzer_and_a_closed_one_does_not(post: Post) -> None:
    post.watch.take(DoorOpened("panel"), moment(1))
    assert (post.audited, post.warnings, post.vitals.devices["panel"].door) == (["door_forced"], 1, "forced")
    post.watch.take(DoorClosed("panel"), moment(2))
    assert (post.audited[1:], post.warnings, post.vitals.devices["panel"].door) == (["door_closed"], 1, "closed")


def test_a_door_that_stands_open_after_a_pass_is_due(post: Post) -> None:
    post.door.let_pass(moment(1))
    post.watch.take(DoorOpened("panel"), moment(1))
    assert (post.audited, post.watch.deadline_s) == ([], 16)
    assert not post.watch.check(moment(16))
    assert (post.audited, post.warnings) == (["door_held_open"], 1)


def test_power_that_does_not_come_back_stops_the_kiosk(post: Post) -> None:
    post.watch.take(PowerLost("power"), moment(1))
    post.watch.take(PowerLost("power"), moment(2))
    assert (post.audited, post.watch.deadline_s, post.watch.check(moment(10))) == (["power_lost"], 11, False)
    assert post.watch.check(moment(11))
    post.watch.take(PowerBack("power"), moment(11))
    assert (post.audited[1:], post.watch.check(moment(12))) == (["power_back"], False)


def test_a_battery_backed_clock_that_is_missing_is_a_lost_device(post: Post) -> None:
    survey = Survey(MachineHealth(), rtc_time_s=moment().at.timestamp())
    post.watch.look_at_clock(survey, moment())
    assert post.audited == []
    post.watch.look_at_clock(replace(survey, rtc_time_s=None), moment())
    assert (post.audited, post.vitals.devices["rtc"].state) == (["rtc_missing"], "lost")


def test_a_weak_supply_is_told_each_time_it_becomes_so(post: Post) -> None:
    for words in ((), ("under_voltage",), ("under_voltage", "throttled"), (), ("under_voltage",)):
        survey = Survey(MachineHealth(throttled=words))
        post.watch.look_at_voltage(survey)
        post.vitals.survey = survey
    assert post.audited == ["under_voltage", "under_voltage"]
