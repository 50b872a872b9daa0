"""What every device must do, simulated or real.

Runs on simulated devices always, and with `pytest --hardware tests/hw/test_device_suite.py` on those of this kiosk: the
file named by LANDFALL_DEVICES holds `hw.settings.DeviceSettings` as TOML. Somebody has to show a document when asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hw.choose import Devices, open_devices
from hw.devices import DeviceReady, DocumentRead, PhotoTaken, Signal
from hw.framing import Family
from hw.keyboard import Layout
from hw.settings import CameraSettings, DeviceSettings, PanelSettings, ReaderSettings
from tests.hw.conftest import Inbox

FRAMINGS = (Family.AUTO, Family.ACCESS_IS, Family.RTE, Family.ELYCTIS)


READERS = {
    **{str(framing): ReaderSettings(name="mrz", driver="simulated", framing=framing) for framing in FRAMINGS},
    "hid, de": ReaderSettings(name="mrz", driver="simulated-hid", layout=Layout.DE),
}


def simulated(reader: ReaderSettings, scenario: Path) -> DeviceSettings:
    scenario.write_text("count = 1\npatience_s = 0.2")
    return DeviceSettings(
        readers=[reader],
        camera=CameraSettings(driver="simulated", deadline_s=20),
        panel=PanelSettings(driver="simulated", gate_pulse_s=0.05),
        scenario=str(scenario),
    )


@pytest.fixture(params=[*READERS, pytest.param("real", marks=pytest.mark.hardware)])
def devices(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Devices]:
    if request.param == "real":
        settings = msgspec.toml.decode(Path(os.environ["LANDFALL_DEVICES"]).read_bytes(), type=DeviceSettings)
    else:
        settings = simulated(READERS[request.param], tmp_path / "scenario.toml")
    devices = open_devices(settings)
    yield devices
    devices.stop()


def test_every_device_gets_ready_and_does_its_work(devices: Devices, inbox: Inbox):
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
    if devices.readers:
        assert inbox.wait_for(DocumentRead).frame.payload.count(b"\n") in (1, 2)


def test_every_device_stops_and_may_be_stopped_twice(devices: Devices, inbox: Inbox):
    devices.start(inbox.put)
    devices.stop()
    devices.stop()
