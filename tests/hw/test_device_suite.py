"""What every device must do, simulated or real.

Runs on simulated devices always, and with `pytest --hardware tests/hw/test_device_suite.py` on those of this kiosk: the
file named by LANDFALL_DEVICES holds `hw.settings.DeviceSettings` as TOML. Somebody has to show each reader a document
when the lamps go out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hw.choose import Devices, open_devices
from hw.devices import (
    Button,
    ButtonPressed,
    CaseClosed,
    CaseOpened,
    DeviceReady,
    DocumentRead,
    DoorClosed,
    DoorOpened,
    PhotoTaken,
    Signal,
)
from hw.framing import Family
from hw.keyboard import Layout
from hw.settings import CameraSettings, DeviceSettings, PanelSettings, ReaderSettings
from hw.simulated.pins import press
from tests.hw.conftest import Inbox

CONTACTS = {
    "accept": "GPIO5",
    "refer": "GPIO6",
    "direction": "GPIO12",
    "manual": "GPIO13",
    "group": "GPIO19",
    "door": "GPIO16",
}
FRAMINGS = (Family.AUTO, Family.ACCESS_IS, Family.RTE, Family.ELYCTIS)
READERS = {
    **{str(framing): [ReaderSettings(name="mrz", driver="simulated", framing=framing)] for framing in FRAMINGS},
    "keyboard": [ReaderSettings(name="mrz", driver="simulated-hid", layout=Layout.DE)],
    "serial and keyboard": [
        ReaderSettings(name="mrz", driver="simulated"),
        ReaderSettings(name="bcbp", driver="simulated-hid", kind="barcode", layout=Layout.FR),
    ],
}


def simulated(readers: list[ReaderSettings], scenario: Path) -> DeviceSettings:
    scenario.write_text("count = 1\npatience_s = 0.2")
    return DeviceSettings(
        readers=readers,
        camera=CameraSettings(driver="simulated", deadline_s=20),
        panel=PanelSettings(driver="simulated", **CONTACTS, gate_pulse_s=0.05),
        scenario=str(scenario),
    )


@pytest.fixture(params=[*READERS, pytest.param("real", marks=pytest.mark.hardware)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> DeviceSettings:
    if request.param == "real":
        return msgspec.toml.decode(Path(os.environ["LANDFALL_DEVICES"]).read_bytes(), type=DeviceSettings)
    return simulated(READERS[request.param], tmp_path / "scenario.toml")


@pytest.fixture
def devices(settings: DeviceSettings) -> Iterator[Devices]:
    devices = open_devices(settings)
    yield devices
    devices.stop()


def test_every_device_gets_ready_and_does_its_work(settings: DeviceSettings, devices: Devices, inbox: Inbox):
    devices.start(inbox.put)
    ready = {inbox.wait_for(DeviceReady).device for _ in devices.names()}
    assert ready == set(devices.names())
    if devices.camera is not None:
        devices.camera.take_photo("suite")
        assert inbox.wait_for(PhotoTaken).request == "suite"
    if devices.panel is not None:
        for signal in Signal:
            devices.panel.show(signal)
        devices.panel.open_gate()
        devices.panel.show(Signal.READY)  # please show a document
    waited_for = {reader.name: reader.kind for reader in settings.readers}
    while waited_for:
        read = inbox.wait_for(DocumentRead)
        lines = read.frame.payload.count(b"\n") + 1
        assert lines in (2, 3) or waited_for.get(read.device) != "document"
        waited_for.pop(read.device, None)


def test_a_panel_tells_what_a_person_does_at_it(tmp_path: Path, inbox: Inbox):
    settings = simulated(READERS["auto"], tmp_path / "scenario.toml")
    devices = open_devices(msgspec.structs.replace(settings, readers=[], camera=CameraSettings()))
    simulation, panel = devices.simulation, settings.panel
    assert simulation is not None
    try:
        devices.start(inbox.put)
        inbox.wait_for(DeviceReady)
        for button in Button:
            press(simulation.pins, getattr(panel, button), for_s=0.01).join()
            assert inbox.wait_for(ButtonPressed) == ButtonPressed("panel", button)
        for part, opened, closed in (("tamper", CaseOpened, CaseClosed), ("door", DoorOpened, DoorClosed)):
            contact = simulation.pins.pin(getattr(panel, part))
            contact.drive_high()
            contact.drive_low()
            assert [inbox.wait_for(opened), inbox.wait_for(closed)] == [opened("panel"), closed("panel")]
    finally:
        devices.stop()


def test_every_device_stops_and_may_be_stopped_twice(devices: Devices, inbox: Inbox):
    devices.start(inbox.put)
    devices.stop()
    devices.stop()
