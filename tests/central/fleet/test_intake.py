"""What is believed of what kiosks tell, and what a hostile or sick one can do."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from central.config import FleetSettings
from central.fleet import report as reports
from central.fleet.boot_order import MOST_SEEN
from central.fleet.diagnosis import is_offline
from central.fleet.intake import Intake
from central.fleet.report import MAX_HEALTH_BYTES
from central.incidents import Kind
from edge.seal import Verifier
from edge.wire.messages import STATUS_TYP
from edge.wire.topics import health_topic, status_topic
from tests.central.fleet.fleet import NOW, health_of, signed_health, signed_status
from tests.harness.kiosk_records import FakeKiosk

SETTINGS = FleetSettings()


class Desk:
    """An intake with two registered kiosks and a clock."""

    def __init__(self) -> None:
        self.one, self.two = FakeKiosk("utopia/lane-1"), FakeKiosk("utopia/lane-2")
        keys = {kiosk.name: Verifier([kiosk.key]) for kiosk in (self.one, self.two)}
        self.intake = Intake({}, keys.get, SETTINGS)
        self.now = NOW
        self.boottime_s = 1000.0

    def tell(self, kiosk: FakeKiosk, **sections) -> None:
        self.boottime_s += 1
        said = health_of(kiosk.name, self.now, **{"clock": {"boottime_s": self.boottime_s}, **sections})
        self.put(health_topic(kiosk.name), signed_health(kiosk, said))

    def put(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        self.intake.put(topic, payload, self.now, is_retained=is_retained)

    def turn(self):
        return self.intake.turn(self.now, {})

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def desk():
    return Desk()


def kinds(heard):
    return [(one.kind, one.kiosk, one.detail) for one in heard.incidents]


def test_health_becomes_the_state_of_its_kiosk_and_a_sample(desk):
    desk.tell(desk.one, queue={"crossing": {"unreceipted": 4}, "audit": {"unreceipted": 1}})
    heard = desk.turn()
    (state,) = heard.states
    assert (state.kiosk, state.heard_at, state.health_at, state.clock_offset_s) == ("utopia/lane-1", NOW, NOW, 0.0)
    (sample,) = heard.samples
    assert (sample["kiosk"], sample["queue"], sample["temperature_c"]) == ("utopia/lane-1", 5.0, 51.5)
    assert heard.incidents == []


def test_of_many_messages_the_newest_counts_and_one_sample_a_minute_is_kept(desk):
    for unreceipted in (1, 2, 3):
        desk.tell(desk.one, queue={"crossing": {"unreceipted": unreceipted}})
    assert [state.report.queue for state in desk.turn().states] == [3.0]
    desk.pass_time(1)
    desk.tell(desk.one)
    heard = desk.turn()
    assert (len(heard.states), heard.samples) == (1, [])


FORGED = {
    "nothing signed": lambda kiosk: msgspec.json.encode(health_of(kiosk.name)),
    "bytes": lambda kiosk: b"\xff\x00" * 50,
    "empty": lambda kiosk: b"",
    "another's key": lambda kiosk: signed_health(FakeKiosk(kiosk.name), health_of(kiosk.name)),
    "a status": lambda kiosk: signed_status(kiosk, "online"),
}


@pytest.mark.parametrize("payload", FORGED.values(), ids=FORGED.keys())
def test_what_a_kiosk_did_not_sign_is_refused_and_noticed(desk, payload):
    desk.put(health_topic(desk.one.name), payload(desk.one))
    heard = desk.turn()
    assert heard.states == []
    assert [(one.kind, one.kiosk, one.stream) for one in heard.incidents] == [
        (Kind.REJECTED, "utopia/lane-1", "health")
    ]


def test_health_in_the_name_of_another_kiosk_is_refused(desk):
    desk.put(health_topic(desk.one.name), signed_health(desk.one, health_of(desk.two.name)))
    heard = desk.turn()
    assert (heard.states, kinds(heard)) == ([], [(Kind.HEALTH, "utopia/lane-1", "health of another kiosk")])


def test_a_stranger_is_refused(desk):
    stranger = FakeKiosk("utopia/lane-9")
    desk.put(health_topic(stranger.name), signed_health(stranger, health_of(stranger.name)))
    heard = desk.turn()
    assert (heard.states, kinds(heard)) == ([], [(Kind.REJECTED, "utopia/lane-9", "kiosk is not registered here")])


def test_a_mebibyte_is_refused_unread_and_harms_nobody(desk):
    desk.put(health_topic(desk.one.name), b"x" * (1024 * 1024))
    desk.tell(desk.two)
    heard = desk.turn()
    assert [state.kiosk for state in heard.states] == [desk.two.name]
    assert kinds(heard) == [(Kind.HEALTH, "utopia/lane-1", f"larger than {MAX_HEALTH_BYTES // 1024} KiB")]


SICK = {
    "devices are a list": {"devices": [1, 2]},
    "a device is a word": {"devices": {"passport": "ready"}},
    "names with script": {"devices": {"<script>alert(1)</script>": {"state": "ready"}}},
    "numbers are words": {"queue": {"crossing": {"unreceipted": "many"}}},
    "numbers are negative": {"store": {"free_bytes": -1}},
    "numbers are huge": {"machine": {"cpu_celsius": 1e300}},
    "moments are none": {"keys": {"certificate_expires_at": "soon"}},
    "words are objects": {"version": {"a": 1}},
    "words are long": {"version": "9" * 4000},
    "too many devices": {"devices": {f"d{number}": {"state": "ready"} for number in range(500)}},
    "sections are null or false": {"uplink": False, "clock": {"boottime_s": 5000}, "machine": 7},
}


@pytest.mark.parametrize("sections", SICK.values(), ids=SICK.keys())
def test_what_is_of_no_use_costs_that_field_alone_and_is_noticed(desk, sections):
    said = health_of(desk.one.name) | sections
    desk.put(health_topic(desk.one.name), signed_health(desk.one, said))
    heard = desk.turn()
    (state,) = heard.states
    assert [one.kind for one in heard.incidents] == [Kind.HEALTH]
    kept = msgspec.json.encode(state.report)
    assert len(kept) < 8192
    assert b"<script" not in kept


def test_script_in_a_word_is_kept_as_text_of_bounded_length(desk):
    desk.tell(desk.one, devices={"passport": {"state": "lost", "error": "<script>\x1b[2J\u202e" + "x" * 500}})
    (state,) = desk.turn().states
    error = state.report.devices["passport"].error
    assert len(error) == 120
    assert error.isascii()
    assert error.isprintable()


def test_a_clock_that_is_far_off_changes_nothing_but_its_offset(desk):
    desk.put(
        health_topic(desk.one.name), signed_health(desk.one, health_of(desk.one.name, NOW - timedelta(days=20000)))
    )
    (state,) = desk.turn().states
    assert (state.heard_at, state.clock_offset_s) == (NOW, -20000 * 86400.0)


def test_what_was_said_before_is_not_believed_again(desk):
    old = signed_health(desk.one, health_of(desk.one.name, queue={"crossing": {"unreceipted": 99}}))
    desk.put(health_topic(desk.one.name), old)
    desk.turn()
    desk.pass_time(30)
    desk.tell(desk.one)
    desk.turn()
    desk.put(health_topic(desk.one.name), old)
    heard = desk.turn()
    assert (heard.states, heard.incidents) == ([], [])
    assert desk.intake.states[desk.one.name].report.queue == 0


class Boot:
    """One boot of a kiosk: signs health whose seconds go on, whatever becomes of it."""

    def __init__(self, desk: Desk, number: int, *, clock: str = "synchronised", counts: bool = True) -> None:
        self._desk, self._number, self._clock, self._counts = desk, number, clock, counts
        self._boottime_s = 10.0
        self._id = f"boot-{number}-{id(self)}"

    def say(self) -> bytes:
        self._boottime_s += 30
        machine = {"boots": self._number} if self._counts else {}
        clock = {"state": self._clock, "boottime_s": self._boottime_s}
        at = self._desk.now if self._clock == "synchronised" else NOW - timedelta(days=1000)
        kiosk = self._desk.one
        return signed_health(kiosk, health_of(kiosk.name, at, boot_id=self._id, clock=clock, machine=machine))


def is_taken(desk, payload):
    desk.pass_time(4)
    desk.put(health_topic(desk.one.name), payload)
    return bool(desk.turn().states)


@pytest.mark.parametrize("clock", ["synchronised", "unset"])
@pytest.mark.parametrize("counts", [True, False])
def test_what_an_older_boot_said_is_not_believed_again(desk, clock, counts):
    boots = [Boot(desk, number, clock=clock, counts=counts) for number in (7, 8, 9)]
    said = [boot.say() for boot in boots for _ in range(2)]
    assert [is_taken(desk, one) for one in said] == [True] * 6
    assert [is_taken(desk, one) for one in said] == [False] * 6
    desk.pass_time(3600)
    assert [is_taken(desk, one) for one in said] == [False] * 6
    assert is_taken(desk, boots[-1].say())


@pytest.mark.parametrize("clock", ["synchronised", "unset"])
def test_what_an_older_boot_said_and_nobody_heard_is_not_believed_while_the_kiosk_speaks(desk, clock):
    withheld = Boot(desk, 7, clock=clock).say()
    boot = Boot(desk, 8, clock=clock)
    assert is_taken(desk, boot.say())
    assert not is_taken(desk, withheld)
    assert is_taken(desk, boot.say())


def test_a_kiosk_is_believed_again_whatever_was_played_back_in_between(desk):
    withheld = Boot(desk, 7, clock="unset", counts=False).say()
    boot = Boot(desk, 8, clock="unset", counts=False)
    assert is_taken(desk, boot.say())
    is_taken(desk, withheld)
    assert is_taken(desk, boot.say())
    assert not is_taken(desk, withheld)


@pytest.mark.parametrize("clock", ["synchronised", "unset"])
def test_a_kiosk_that_lost_its_store_counts_from_one_and_is_believed(desk, clock):
    assert is_taken(desk, Boot(desk, 41, clock=clock).say())
    desk.pass_time(120)
    assert is_taken(desk, Boot(desk, 1, clock=clock).say())


def test_a_kiosk_whose_clock_was_ahead_is_believed_after_its_next_boot(desk):
    desk.pass_time(86400)
    ahead = Boot(desk, 7).say()
    desk.pass_time(-86400)
    assert is_taken(desk, ahead)
    assert is_taken(desk, Boot(desk, 8).say())


def test_how_far_boots_were_heard_is_kept_for_a_bounded_number(desk):
    for number in range(40):
        assert is_taken(desk, Boot(desk, number).say())
    report = desk.intake.states[desk.one.name].report
    assert len(report.seen_boots) == MOST_SEEN
    assert reports.decode(reports.encode(report)) == report


def test_a_time_of_day_that_stands_still_is_a_clock_that_stopped(desk):
    desk.tell(desk.one)
    desk.turn()
    desk.boottime_s += 60
    desk.tell(desk.one)
    (state,) = desk.turn().states
    assert state.report.clock_state == "stopped"


def test_a_clock_that_stopped_is_noticed_however_often_the_kiosk_tells_the_same_time(desk):
    found = []
    for second in range(14):
        if second == 13:
            desk.pass_time(1)
        desk.tell(desk.one)
        (state,) = desk.turn().states
        found.append(state.report.clock_state == "stopped")
    assert found == [False] * 10 + [True] * 3 + [False]


def test_a_flood_is_noticed_once_a_minute_and_only_its_newest_is_taken(desk):
    looked_at = 0
    for second in range(59):
        for _ in range(20):
            desk.tell(desk.one)
        if second % 30 == 0:
            desk.tell(desk.two)
        heard = desk.turn()
        looked_at += sum(state.kiosk == desk.one.name for state in heard.states)
        if heard.incidents:
            assert kinds(heard) == [(Kind.FLOOD, "utopia/lane-1", "more than agreed in a minute")]
        desk.pass_time(1)
    assert looked_at <= SETTINGS.health_per_minute + 1
    assert desk.intake.states[desk.two.name].health_at == NOW + timedelta(seconds=30)
    desk.pass_time(SETTINGS.silent_after_s)
    desk.turn()
    assert desk.intake.states[desk.one.name].report.boottime_s == desk.boottime_s


def test_birth_and_death_are_taken_in_the_order_in_which_they_come(desk):
    topic = status_topic(desk.one.name)
    desk.put(topic, signed_status(desk.one, "online"))
    (born,) = desk.turn().states
    assert (born.connected_at, born.offline_at, born.heard_at) == (NOW, None, NOW)
    desk.pass_time(60)
    desk.put(topic, signed_status(desk.one, "offline"))
    (gone,) = desk.turn().states
    assert (gone.offline_at, gone.heard_at) == (desk.now, NOW)
    desk.put(topic, signed_status(desk.one, "offline"), is_retained=True)
    assert desk.turn().states == []
    desk.pass_time(60)
    desk.tell(desk.one)
    (back,) = desk.turn().states
    assert (back.offline_at, back.connected_at) == (None, desk.now)


@pytest.mark.parametrize("is_one_turn", [True, False])
def test_the_death_of_the_connection_before_does_not_make_a_kiosk_look_gone(desk, is_one_turn):
    topic = status_topic(desk.one.name)
    for state, connection in (("online", "first"), ("online", "second"), ("offline", "first")):
        desk.put(topic, signed_status(desk.one, state, connection=connection))
        if not is_one_turn or (connection == "first" and state == "online"):
            desk.turn()
    desk.turn()
    assert not is_offline(desk.intake.states[desk.one.name])
    desk.put(topic, signed_status(desk.one, "offline", connection="second"))
    desk.turn()
    assert is_offline(desk.intake.states[desk.one.name])


def test_a_watcher_that_has_just_started_knows_the_connection_by_the_retained_birth(desk):
    topic = status_topic(desk.one.name)
    desk.tell(desk.one)
    desk.turn()
    desk.put(topic, signed_status(desk.one, "online", connection="now"), is_retained=True)
    desk.turn()
    desk.put(topic, signed_status(desk.one, "offline", connection="before"))
    desk.turn()
    assert not is_offline(desk.intake.states[desk.one.name])


def test_of_health_and_a_death_in_one_turn_the_later_counts(desk):
    topic = status_topic(desk.one.name)
    desk.tell(desk.one)
    desk.put(topic, signed_status(desk.one, "offline"))
    (gone,) = desk.turn().states
    assert is_offline(gone)
    assert gone.report is not None
    desk.put(topic, signed_status(desk.one, "offline"))
    desk.tell(desk.one)
    (back,) = desk.turn().states
    assert not is_offline(back)


def test_health_that_a_flood_held_back_does_not_raise_a_kiosk_that_died_after_it(desk):
    for _ in range(SETTINGS.health_per_minute + 1):
        desk.tell(desk.one)
        desk.turn()
    desk.tell(desk.one)
    desk.put(status_topic(desk.one.name), signed_status(desk.one, "offline"))
    desk.turn()
    desk.pass_time(30)
    desk.turn()
    assert is_offline(desk.intake.states[desk.one.name])


def test_a_retained_birth_does_not_say_that_a_kiosk_was_heard_just_now(desk):
    desk.tell(desk.one)
    desk.turn()
    desk.pass_time(600)
    (before,) = desk.intake.states.values()
    desk.put(status_topic(desk.one.name), signed_status(desk.one, "online"), is_retained=True)
    desk.turn()
    assert desk.intake.states[desk.one.name].heard_at == before.heard_at


def test_retained_health_is_of_yesterday_and_ignored(desk):
    said = signed_health(desk.one, health_of(desk.one.name))
    desk.put(health_topic(desk.one.name), said, is_retained=True)
    assert desk.turn().states == []


def test_a_status_that_is_neither_birth_nor_death_is_noticed(desk):
    said = {"kiosk": desk.one.name, "state": "rebooting", "connection": "", "boot_id": "", "version": "", "at": ""}
    payload = desk.one.signer.sign(msgspec.json.encode(said), STATUS_TYP).encode()
    desk.put(status_topic(desk.one.name), payload)
    assert [one.kind for one in desk.turn().incidents] == [Kind.HEALTH]


def test_a_status_that_was_cleared_says_nothing(desk):
    desk.put(status_topic(desk.one.name), b"")
    heard = desk.turn()
    assert (heard.states, heard.incidents) == ([], [])


def test_a_queue_that_grows_shows_in_its_trend_and_one_that_shrinks_too(desk):
    for waiting in range(0, 3000, 100):
        desk.pass_time(30)
        desk.boottime_s += 30
        desk.tell(desk.one, queue={"crossing": {"unreceipted": waiting}})
        desk.turn()
    grown = desk.intake.states[desk.one.name].queue_trend_per_h
    assert 6_000 < grown < 12_000
    desk.pass_time(30)
    desk.tell(desk.one)
    desk.turn()
    assert desk.intake.states[desk.one.name].queue_trend_per_h < 0
