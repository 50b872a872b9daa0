"""The line of an uninterruptible supply, on mock pins."""

from __future__ import annotations

import pytest

from hw.devices import DeviceError, PowerBack, PowerLost
from hw.power_line import PowerLine
from hw.settings import PowerSettings
from hw.simulated.pins import WatchedFactory
from tests.hw.conftest import Inbox

LOST, BACK = PowerLost("power"), PowerBack("power")


def line(pins: WatchedFactory, lost_is: str) -> PowerLine:
    return PowerLine(PowerSettings(lost="GPIO24", lost_is=lost_is), pins)  # type: ignore[arg-type]


@pytest.mark.parametrize("lost_is", ["high", "low"])
def test_power_is_reported_when_it_goes_and_when_it_comes(lost_is, inbox: Inbox) -> None:
    pins = WatchedFactory()
    pin = pins.pin("GPIO24")
    power = line(pins, lost_is)
    power.start(inbox.put)
    assert inbox.rest() == [LOST]  # nothing is connected: a cut wire
    there, gone = (pin.drive_low, pin.drive_high) if lost_is == "high" else (pin.drive_high, pin.drive_low)
    there()
    gone()
    assert [inbox.next(), inbox.next()] == [BACK, LOST]
    power.stop()
    power.stop()


def test_a_supply_that_is_there_at_the_start_is_reported_too(inbox: Inbox) -> None:
    pins = WatchedFactory()
    pins.ground("GPIO24")
    power = line(pins, "high")
    power.start(inbox.put)
    assert inbox.rest() == [BACK]
    power.stop()


def test_a_pin_that_no_board_has_is_refused() -> None:
    with pytest.raises(DeviceError, match="power: lost is on GPIO99, which is no pin of this board"):
        PowerLine(PowerSettings(lost="GPIO99"), WatchedFactory())
