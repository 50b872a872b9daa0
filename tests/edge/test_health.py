"""What the kiosk says of itself."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest

from edge.events import Room
from edge.health import Vitals, health, queue_figures
from edge.wire.schema import schema
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
    assert figures["store"] == {"state": "closed", "error": "", "free_bytes": None, "tombstones": 0}


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


def test_a_device_that_was_lost_says_since_when_and_why() -> None:
    vitals = Vitals()
    vitals.device("camera", "ready", moment(1))
    vitals.device("camera", "lost", moment(5.25), "no answer")
    assert said(vitals)["devices"]["camera"] == {"state": "lost", "since_s": 5.25, "error": "no answer"}


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


def test_every_figure_is_explained_by_the_schema() -> None:
    vitals = Vitals()
    vitals.device("camera", "lost", moment(1), "no answer")
    figures, explained = said(vitals, left=("closed", "closed", "closer")), schema("health")["properties"]
    assert set(figures["devices"]["left"]) <= set(explained["devices"]["additionalProperties"]["properties"])
    assert set(figures["devices"]["camera"]) <= set(explained["devices"]["additionalProperties"]["properties"])
    assert set(figures["queue"]["crossing"]) == set(explained["queue"]["additionalProperties"]["properties"])
    for part in ("uplink", "store", "clock"):
        assert set(figures[part]) == set(explained[part]["properties"])


def test_a_lane_says_what_it_asks_of_the_traveller_and_nothing_when_it_asks_nothing() -> None:
    devices = said(Vitals(), left=("collecting", "working", "closer"), right=("ready", "ready", ""))["devices"]
    assert devices["left"]["guidance"] == "closer"
    assert "guidance" not in devices["right"]
