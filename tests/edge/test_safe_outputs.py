"""After the daemon has ended, the outputs of every lane are put safe."""

from __future__ import annotations

import io
import subprocess
import sys

import msgspec

from edge.log import Log
from edge.safe_outputs import put_lanes_safe
from edge.settings import Settings
from hw.devices import DeviceError
from hw.settings import PanelSettings
from hw.simulated.pins import WatchedFactory
from tests.edge.test_config import LEAST, parsed


def with_panels(*panels: PanelSettings) -> Settings:
    settings = parsed(LEAST)
    lanes = [msgspec.structs.replace(settings.lanes[0], name=f"lane-{n}", panel=p) for n, p in enumerate(panels)]
    return msgspec.structs.replace(settings, lanes=lanes)


def gate_left_open(*pins: str) -> WatchedFactory:
    factory = WatchedFactory()
    for pin in pins:
        factory.pin(pin).function = "output"
        factory.pin(pin).state = True
    return factory


def test_the_gates_of_both_lanes_are_closed() -> None:
    pins, said = gate_left_open("GPIO23", "GPIO24"), io.StringIO()
    lanes = with_panels(PanelSettings(driver="gpiozero"), PanelSettings(driver="gpiozero", gate="GPIO24"))
    assert put_lanes_safe(lanes, Log(said), lambda name: pins)
    assert not pins.pin("GPIO23").state and not pins.pin("GPIO24").state
    assert said.getvalue() == "<6>gates closed and lamps out lanes=2\n"


def test_a_board_without_pins_is_told_by_lane_and_the_other_lane_is_put_safe() -> None:
    pins, said, asked = gate_left_open("GPIO24"), io.StringIO(), []

    def pins_of(name: str) -> WatchedFactory:
        asked.append(name)
        if len(asked) == 1:
            raise DeviceError(name, "the pins cannot be opened")
        return pins

    lanes = with_panels(PanelSettings(driver="gpiozero"), PanelSettings(driver="gpiozero", gate="GPIO24"))
    assert not put_lanes_safe(lanes, Log(said), pins_of)
    assert not pins.pin("GPIO24").state
    assert "<3>an output could not be put safe where=lane-0" in said.getvalue()


def test_a_panel_that_is_none_or_simulated_has_no_pins_to_put_safe() -> None:
    def never(name: str) -> WatchedFactory:
        raise AssertionError(name)

    said = io.StringIO()
    assert put_lanes_safe(with_panels(PanelSettings(), PanelSettings(driver="simulated")), Log(said), never)
    assert said.getvalue() == ""


def test_settings_that_cannot_be_read_are_exit_status_2(tmp_path) -> None:
    command = [sys.executable, "-m", "edge.safe_outputs", "--config", str(tmp_path / "none.toml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "none.toml" in done.stderr
