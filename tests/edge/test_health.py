"""What the kiosk says of itself."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest

from edge.events import Room
from edge.health import Survey, Vitals, health, queue_figures, store_state
from edge.wire import messages
from edge.wire.health import MAX_HEALTH_BYTES, Health, MachineHealth
from edge.wire.schema import schema
from edge.wire.topics import Stream
from tests.edge.lane import moment


class Head(msgspec.Struct):
    """A head of the cache, as far as health looks at it."""

    epoch: str = "e"
    next_sequence: int = 8
    last_hash: str = "0" * 64
    held_up_to: int = 5
    count: int = 4
    bytes: int = 1000


def said(vitals: Vitals, **lanes: tuple[str, str, str]) -> dict:
    """Return the figures as they go out."""
    return msgspec.to_builtins(health("utopia/lane-1", "0.1.0", vitals, lanes, {"crossing": Head()}, moment(10)))


def test_the_queue_says_what_awaits_its_receipt() -> None:
    figures = queue_figures({"crossing": Head()})["crossing"]
    assert (figures["unreceipted"], figures["kept"], figures["next_sequence"], figures["held_up_to"]) == (2, 4, 8, 5)


def test_a_new_kiosk_is_not_connected_and_its_store_is_closed() -> None:
    figures = said(Vitals())
    assert (figures["uplink"]["state"], figures["uplink"]["connections"]) == ("disconnected", 0)
    assert figures["store"] == {"state": "closed", "tombstones": 0}


@pytest.mark.parametrize(
    ("room", "is_ready", "state"),
    [
        (Room.PLENTY, True, "ready"),
        (Room.SHORT, True, "no_photos"),
        (Room.NONE, True, "full"),
        (Room.NONE, False, "full"),
        (Room.SHORT, False, "closed"),
        (Room.PLENTY, False, "closed"),
    ],
)
def test_the_store_says_what_it_takes_and_how_much_room_is_left(room, is_ready, state) -> None:
    store = said(Vitals(room=room, is_store_ready=is_ready, free_bytes=5_000_000))["store"]
    assert (store["state"], store["free_bytes"]) == (state, 5_000_000)


def test_a_device_that_has_not_said_anything_is_told_as_starting_and_not_left_out() -> None:
    vitals = Vitals.of_start(["camera", "panel"], "")
    vitals.device("panel", "ready", moment(1))
    assert said(vitals)["devices"]["camera"]["state"] == "starting"
    assert said(vitals)["devices"]["panel"]["state"] == "ready"


def test_a_device_that_was_lost_says_since_when_and_why() -> None:
    vitals = Vitals()
    vitals.device("camera", "ready", moment(1))
    vitals.device("camera", "lost", moment(5.25), "no answer")
    assert said(vitals)["devices"]["camera"] == {
        "state": "lost", "since_s": 5.25, "error": "no answer", "losses": 1
    }  # fmt: skip


def test_only_a_connection_after_a_loss_counts_as_a_new_one() -> None:
    vitals = Vitals()
    for at_s, is_connected in enumerate([True, True, False, False, True]):
        vitals.uplink(is_connected, "why", moment(at_s))
    figures = said(vitals)["uplink"]
    assert (figures["state"], figures["connections"], figures["since_s"]) == ("connected", 2, 4.0)


def test_lanes_stand_among_the_devices() -> None:
    assert said(Vitals(), left=("ready", "working", ""))["devices"]["left"]["state"] == "lane ready"


def test_the_figures_follow_the_contracts_schema() -> None:
    vitals = Vitals()
    vitals.device("camera", "lost", moment(1), "no answer")
    vitals.troubles["not_valid"] += 1
    jsonschema.validate(said(vitals, left=("closed", "closed", "closer")), schema("health"))


def test_a_device_that_came_back_still_says_why_it_was_lost() -> None:
    vitals = Vitals()
    for at_s, state in enumerate(["ready", "lost", "lost", "ready"]):
        vitals.device("camera", state, moment(at_s), "no answer" if state == "lost" else "")
    assert said(vitals)["devices"]["camera"] == {"state": "ready", "since_s": 3.0, "error": "no answer", "losses": 1}


def test_what_is_not_known_is_left_out_and_never_zero() -> None:
    figures = said(Vitals())
    assert figures["machine"] == {}
    assert not {"keys", "settings_sha256"} & set(figures)
    assert not {"hours_left", "sync_p95_ms", "damaged_files", "free_bytes"} & set(figures["store"])
    assert "error_bound_s" not in figures["clock"] and "last_receipt_at" not in figures["uplink"]


def test_the_sync_time_is_what_95_of_100_commits_stay_below() -> None:
    vitals = Vitals()
    vitals.commits_s.extend(number / 1000 for number in range(1, 101))
    assert said(vitals)["store"]["sync_p95_ms"] == 96.0


def test_an_opened_case_is_told_with_its_panel() -> None:
    vitals = Vitals()
    vitals.device("panel", "ready", moment(1))
    vitals.case("panel", is_open=True)
    assert said(vitals)["devices"]["panel"]["case"] == "open"
    vitals.case("panel", is_open=False)
    assert said(vitals)["devices"]["panel"]["case"] == "closed"


def test_only_a_stream_that_awaits_a_receipt_says_since_when() -> None:
    vitals = Vitals(survey=Survey(MachineHealth(), oldest_at={"crossing": "2026-03-01T12:00:00.000Z"}))
    assert said(vitals)["queue"]["crossing"]["oldest_at"] == "2026-03-01T12:00:00.000Z"
    done = health("utopia/lane-1", "0.1.0", vitals, {}, {"crossing": Head(held_up_to=7)}, moment(10))
    assert "oldest_at" not in msgspec.to_builtins(done)["queue"]["crossing"]


@pytest.mark.parametrize("text", ["x" * 100_000, "\x00" * 10_000, '"' * 10_000, "\U0001f6c2" * 10_000, "\ud800" * 999])
def test_the_message_stays_small_whatever_devices_and_the_broker_say(text) -> None:
    vitals = Vitals(store_error=text)
    for number in range(500):
        vitals.device(f"{number}-reader-with-a-very-long-name", "lost", moment(number), text)
        vitals.troubles[f"{number}{text}"] += 1
    vitals.uplink(False, text, moment(1))
    encoded = messages.encode(
        health("utopia/lane-1", "0.1.0", vitals, {}, dict.fromkeys(Stream, Head(bytes=10**15)), moment(9e9))
    )
    assert len(encoded) < MAX_HEALTH_BYTES
    messages.decode(Health, encoded)


def test_of_too_many_devices_those_in_trouble_are_told() -> None:
    vitals = Vitals()
    for number in range(50):
        vitals.device(f"reader-{number}", "ready", moment(1))
    vitals.device("reader-49", "lost", moment(2), "no answer")
    assert "reader-49" in said(vitals)["devices"]


def test_a_lane_says_what_it_asks_of_the_traveller_and_nothing_when_it_asks_nothing() -> None:
    devices = said(Vitals(), left=("collecting", "working", "closer"), right=("ready", "ready", ""))["devices"]
    assert devices["left"]["guidance"] == "closer"
    assert "guidance" not in devices["right"]


def test_a_store_that_failed_once_is_well_again_with_the_next_record() -> None:
    vitals = Vitals(room=Room.PLENTY, free_bytes=5_000_000)
    news = [vitals.store(error) for error in ("", "disk full", "disk full", "")]
    assert news == [True, True, False, True]
    assert (store_state(vitals), vitals.store_error) == ("ready", "")
