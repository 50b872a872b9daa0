"""Settings become devices, real and simulated mixed, or an error that says what to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hw.choose import open_devices
from hw.devices import DeviceError, DeviceReady, PhotoTaken, Signal
from hw.settings import CameraSettings, DeviceSettings, PanelSettings, ReaderSettings
from hw.simulated.pins import WatchedFactory
from tests.hw.conftest import Inbox

SIMULATED = DeviceSettings(
    readers=[
        ReaderSettings(name="mrz", driver="simulated"),
        ReaderSettings(name="bcbp", driver="simulated", kind="barcode"),
    ],
    camera=CameraSettings(driver="simulated", deadline_s=20),
    panel=PanelSettings(driver="simulated"),
)
REAL_READER = ReaderSettings(name="mrz", path="/dev/serial/by-id/usb-Somebody_Reader-if00")


def test_a_lane_without_devices_has_none():
    devices = open_devices(DeviceSettings())
    assert (devices.readers, devices.camera, devices.panel, devices.simulation) == ((), None, None, None)
    assert devices.names() == ()


def test_a_simulated_lane_starts_and_stops_whole(inbox: Inbox):
    devices = open_devices(SIMULATED)
    devices.start(inbox.put)
    assert {inbox.wait_for(DeviceReady).device for _ in range(4)} == set(devices.names())
    devices.camera.take_photo("1")
    assert inbox.wait_for(PhotoTaken).jpeg.startswith(b"\xff\xd8")
    devices.stop()
    devices.stop()


def test_a_real_reader_goes_with_a_simulated_panel():
    devices = open_devices(DeviceSettings(readers=[REAL_READER], panel=PanelSettings(driver="simulated")))
    assert devices.names() == ("panel", "mrz")
    assert devices.simulation.ports == {}
    devices.stop()


def test_a_real_panel_takes_the_pin_factory_that_is_given(inbox: Inbox):
    factory = WatchedFactory()
    devices = open_devices(DeviceSettings(panel=PanelSettings(driver="gpiozero")), pin_factory=factory)
    devices.start(inbox.put)
    devices.panel.show(Signal.PASSED)
    assert factory.pin("GPIO17").state
    devices.stop()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (DeviceSettings(readers=[ReaderSettings(name="mrz")]), "mrz: path is missing; give the reader's name in"),
        (DeviceSettings(readers=[REAL_READER, REAL_READER]), "mrz: two devices have this name"),
        (
            DeviceSettings(readers=[ReaderSettings(name="mrz", path="/dev/ttyUSB0", framing="morse")]),
            "mrz: framing morse is unknown; use auto, raw, barcode",
        ),
        (DeviceSettings(camera=CameraSettings(driver="simulated"), scenario="nowhere"), "scenario: nowhere cannot be"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_a_remedy(settings: DeviceSettings, message: str):
    with pytest.raises(DeviceError, match=message):
        open_devices(settings)


def test_missing_lgpio_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "gpiozero.pins.lgpio", None)
    with pytest.raises(DeviceError, match="panel: lgpio is not installed; install landfall with the extra `pi`"):
        open_devices(DeviceSettings(panel=PanelSettings(driver="gpiozero")))


def test_no_vendor_library_is_imported_before_it_is_asked_for():
    check = "import sys, hw.choose; print(sorted({'serial', 'gpiozero', 'picamera2', 'lgpio'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
