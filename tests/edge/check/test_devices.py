"""What a check finds of the devices."""

from __future__ import annotations

import pytest

from edge.check.devices import Tell, check_devices, say_nothing, settled
from edge.check.line import State
from edge.config import parse
from hw.simulated.port import SimulatedPort

TOML = """
[kiosk]
site = "utopia"
name = "lane-1"
[[lanes]]
name = "left"
{lane}
[store]
keep_receipted_h = 24
[keys]
record = "a"
opening = "b"
receipt = ["c"]
[uplink]
host = "localhost"
ca = "a"
certificate = "b"
key = "c"
"""


def found(
    tmp_path, lane: str, daemon: dict | None = None, tell: Tell = say_nothing, within_s: float = 0.1
) -> list[tuple[str, State]]:
    settings = parse(TOML.format(lane=lane), file="kiosk.toml", folder=tmp_path, environment={})
    lines = list(check_devices(settings, daemon, tell, within_s=within_s))
    assert all(line.remedy for line in lines if line.state is not State.OK)
    return [(line.what, line.state) for line in lines]


def test_a_reader_that_is_not_there_is_a_failure_with_its_name(tmp_path) -> None:
    lane = f'readers = [{{ name = "passport", path = "{tmp_path}/nothing" }}]'
    assert found(tmp_path, lane) == [("device passport", State.FAILED)]


def test_a_reader_that_comes_up_meanwhile_is_ready_and_how_long_it_has_is_told(tmp_path) -> None:
    port, told = SimulatedPort(tmp_path / "reader", baud=9600), []

    def plug(text: str) -> None:
        if "not plugged in" in text and not told:
            port.plug()
            told.append(text)

    try:
        lane = f'readers = [{{ name = "passport", path = "{port.path}" }}]'
        assert found(tmp_path, lane, tell=plug, within_s=30) == [("device passport", State.OK)]
    finally:
        port.unplug()
    assert told == ["30 s left for passport (not plugged in)"]


def test_a_daemon_whose_reader_is_gone_is_asked_until_it_is_back() -> None:
    devices, told = {"passport": {"state": "lost", "error": "unplugged"}, "lane": {"state": "lane ready"}}, []
    gone = {"devices": devices}
    answers = [gone, {"devices": {"passport": {"state": "ready"}}}]
    assert settled(lambda: answers.pop(0), told.append, within_s=5)["devices"]["passport"]["state"] == "ready"
    assert told == ["5 s left for passport (unplugged)"]
    assert settled(lambda: gone, told.append, within_s=0) is gone
    assert settled(lambda: None, told.append) is None


@pytest.mark.parametrize("scenario", ["", 'scenario = "misreads"', 'scenario = "beside.toml"'])
def test_a_simulated_lane_is_not_played(tmp_path, scenario) -> None:
    (tmp_path / "beside.toml").touch()
    assert found(tmp_path, f'panel = {{ driver = "simulated" }}\n{scenario}') == [("lane left", State.OK)]


@pytest.mark.parametrize(
    ("device", "state"),
    [
        ({"state": "ready"}, [("device passport", State.OK)]),
        ({"state": "ready", "losses": 3, "error": "no answer"}, [("device passport", State.WARN)]),
        ({"state": "lost", "error": "no answer"}, [("device passport", State.FAILED)]),
        ({"state": "starting"}, [("device passport", State.FAILED)]),
        ({"state": "lane ready", "signal": "ready"}, [("lane passport", State.OK)]),
        ({"state": "lane closed", "signal": "closed"}, [("lane passport", State.FAILED)]),
        ({"state": "ready", "case": "open"}, [("device passport", State.OK), ("device passport", State.WARN)]),
    ],
)
def test_while_the_daemon_runs_it_is_asked(tmp_path, device, state) -> None:
    assert found(tmp_path, "", {"passport": device}) == state
