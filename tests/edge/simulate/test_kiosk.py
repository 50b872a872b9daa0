"""A simulated kiosk is made from real settings, and touches nothing of what they name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge.errors import LandfallError, SettingError
from edge.seal import Sealer, load_private_key, load_public_key
from edge.simulate.kiosk import Simulated, make
from hw.choose import open_devices
from hw.settings import PANEL_PARTS, DeviceSettings, same_pin
from hw.simulated.scenario import CameraScenario, Scenario, load
from tests.edge.test_config import LEAST

TWO_LANES = """
[[lanes]]
name = "left"
kind = "desk"
policy = { direction = "exit", required = ["travel_document", "boarding_pass"], photo = "wanted", show_s = 4 }
readers = [
  { name = "passport", path = "/dev/serial/by-id/usb-3M", baud = 9600, black_box = 50 },
  { name = "pass", driver = "hid", kind = "barcode", path = "05e0:1200" },
]
camera = { driver = "picamera2" }
panel = { driver = "gpiozero", refer = "", buzzer = "GPIO12" }
[[lanes]]
name = "right"
"""


def made(folder: Path, scenario: Scenario, config: str = "", speed: float = 1.0) -> Simulated:
    path = None
    if config:
        path = folder / "kiosk.toml"
        path.write_text(config)
    return make(folder / "simulated", scenario, speed=speed, config=path)


def with_lanes(lanes: str) -> str:
    return LEAST.partition("[[lanes]]")[0] + "\n[store]" + LEAST.partition("[store]")[2] + lanes


def test_the_kiosk_has_what_the_scenario_needs(tmp_path: Path) -> None:
    (lane,) = made(tmp_path, Scenario(boarding_pass_every=1)).settings.lanes
    assert [reader.kind for reader in lane.readers] == ["document", "barcode"]
    assert lane.policy.required == ("travel_document", "boarding_pass")
    (lane,) = made(tmp_path / "b", Scenario(boarding_pass_every=2)).settings.lanes
    assert (lane.policy.required, lane.policy.optional) == (("travel_document",), ("boarding_pass",))
    (lane,) = made(
        tmp_path / "c", Scenario(boarding_pass_every=0, camera=CameraScenario(is_fitted=False))
    ).settings.lanes
    assert ([reader.kind for reader in lane.readers], lane.camera.driver, lane.policy.photo) == (
        ["document"], "none", "off",
    )  # fmt: skip


def test_real_settings_keep_their_policy_and_lose_their_devices(tmp_path: Path) -> None:
    left, right = made(tmp_path, Scenario(), with_lanes(TWO_LANES)).settings.lanes
    assert (left.kind, left.policy.direction, left.policy.show_s) == ("desk", "exit", 4.0)
    assert [reader.driver for reader in left.readers] == ["simulated", "simulated-hid"]
    assert {reader.path for reader in left.readers} == {""}
    assert {lane.panel.driver for lane in (left, right)} == {"simulated"}
    assert left.camera.driver == "simulated"
    assert left.panel.name != right.panel.name  # or the officer of one lane would press for the other
    pins = [same_pin(pin) for part in PANEL_PARTS if (pin := getattr(left.panel, part))]
    assert left.panel.refer and left.panel.manual and len(pins) == len(set(pins))


def test_every_crossing_is_practice_and_specimens_are_accepted(tmp_path: Path) -> None:
    for lane in made(tmp_path, Scenario(), with_lanes(TWO_LANES)).settings.lanes:
        assert (lane.policy.training, lane.policy.specimens) == (True, "accept")


def test_keys_and_paths_are_its_own(tmp_path: Path) -> None:
    kiosk = made(tmp_path, Scenario(), with_lanes(TWO_LANES))
    settings = kiosk.settings
    paths = (settings.store.path, settings.control.socket, settings.keys.record, settings.keys.opening)
    assert {settings.resolve(path).parent for path in paths} == {kiosk.folder.resolve()}
    assert load_private_key(settings.resolve(settings.keys.record)).is_private
    letter = Sealer(load_public_key(settings.resolve(settings.keys.opening))).seal(b"secret")
    assert kiosk.opener.open(letter) == b"secret"


def test_two_lanes_have_people_of_their_own(tmp_path: Path) -> None:
    scenarios = made(tmp_path, Scenario(seed=7), with_lanes(TWO_LANES)).scenarios
    assert [one.seed for one in scenarios.values()] == [7, 8]
    assert len({one.witness for one in scenarios.values()}) == 2


def test_speed_shortens_people_and_lamps_and_nothing_that_the_machine_needs(tmp_path: Path) -> None:
    kiosk = made(tmp_path, Scenario(interval_s=10, officer_s=5), with_lanes(TWO_LANES), speed=10)
    policy, scenario = kiosk.settings.lanes[0].policy, kiosk.scenarios["left"]
    assert (scenario.interval_s, scenario.officer_s, policy.show_s) == (1.0, 0.5, 0.4)
    assert (policy.collect_s, policy.repeat_s, policy.record_s) == (12.0, 3.0, 5.0)


def test_what_is_written_is_what_the_lane_reads(tmp_path: Path) -> None:
    kiosk = made(tmp_path, load("small-boat"))
    (lane,) = kiosk.settings.lanes
    written = load(str(kiosk.folder / lane.scenario))
    assert msgspec.structs.replace(written, witness="", waits_for="") == msgspec.structs.replace(
        kiosk.scenarios[lane.name], witness="", waits_for=""
    )
    devices = open_devices(
        DeviceSettings(readers=lane.readers, panel=lane.panel, scenario=str(kiosk.folder / lane.scenario))
    )
    assert devices.simulation is not None
    devices.stop()


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "simulated").mkdir()
    (tmp_path / "simulated" / "cache.db").touch()
    with pytest.raises(LandfallError, match="is not empty; name a new folder"):
        made(tmp_path, Scenario())


def test_wrong_settings_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SettingError):
        made(tmp_path, Scenario(), "[kiosk]")
    assert not (tmp_path / "simulated").exists()
