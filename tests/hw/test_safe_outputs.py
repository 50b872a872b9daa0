"""Outputs are put safe after whoever held them is gone."""

from __future__ import annotations

import pytest
from gpiozero import PinSetInput

from hw.safe_outputs import put_safe
from hw.settings import PanelSettings
from hw.simulated.pins import WatchedFactory

SETTINGS = PanelSettings()
OUTPUTS = ("gate", "green", "amber", "red", "buzzer")
CONTACTS = ("accept", "refer", "tamper")


@pytest.fixture
def pins() -> WatchedFactory:
    """Pins as a killed daemon may leave them: every output high, nobody holds it."""
    factory = WatchedFactory()
    for part in OUTPUTS:
        pin = factory.pin(getattr(SETTINGS, part))
        pin.function = "output"
        pin.state = True
    return factory


def high(pins: WatchedFactory) -> set[str]:
    return {part for part in OUTPUTS if pins.pin(getattr(SETTINGS, part)).state}


def test_every_output_is_driven_low_and_released(pins):
    assert high(pins) == set(OUTPUTS)
    assert put_safe(SETTINGS, pins) == {}
    assert high(pins) == set()
    assert {pins.pin(getattr(SETTINGS, part)).function for part in OUTPUTS} == {"input"}


def test_one_pin_that_fails_leaves_no_other_out(pins, monkeypatch):
    gate = pins.pin(SETTINGS.gate)

    def refuse(value: object) -> None:
        raise PinSetInput

    monkeypatch.setattr(gate, "_set_state", refuse)
    monkeypatch.setattr(gate, "output_with_state", refuse)
    assert put_safe(SETTINGS, pins) == {"gate": "PinSetInput"}
    assert high(pins) == {"gate"}


def test_a_part_that_is_not_fitted_is_left_alone(pins):
    assert put_safe(PanelSettings(gate=""), pins) == {}
    assert high(pins) == {"gate"}


def test_buttons_are_not_touched(pins):
    before = [pins.pin(getattr(SETTINGS, part)).function for part in CONTACTS]
    put_safe(SETTINGS, pins)
    assert [pins.pin(getattr(SETTINGS, part)).function for part in CONTACTS] == before
