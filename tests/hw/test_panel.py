"""The real panel on mock pins that are watched and pressed from other threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from gpiozero import PinInvalidPin

from hw.devices import (
    Button,
    ButtonPressed,
    CaseClosed,
    CaseOpened,
    DeviceError,
    DeviceLost,
    DeviceReady,
    DoorClosed,
    DoorOpened,
    Signal,
)
from hw.panel import PATTERNS, GpioPanel
from hw.settings import PanelSettings
from hw.simulated.pins import Eyes, WatchedFactory, press
from tests.hw.conftest import Inbox, eventually

SETTINGS = PanelSettings(direction="GPIO12", manual="GPIO13", group="GPIO19", door="GPIO16", gate_pulse_s=0.03)
OUTPUTS = ("green", "amber", "red", "buzzer", "gate")


@pytest.fixture
def pins() -> WatchedFactory:
    factory = WatchedFactory()
    factory.ground(SETTINGS.tamper)
    factory.ground(SETTINGS.door)
    return factory


@pytest.fixture
def panel(pins: WatchedFactory) -> Iterator[GpioPanel]:
    panel = GpioPanel(SETTINGS, pins)
    yield panel
    panel.stop()


def lit(pins: WatchedFactory) -> set[str]:
    return {part for part in OUTPUTS if pins.pin(getattr(SETTINGS, part)).state}


def test_a_panel_begins_closed_and_ready(panel, pins, inbox: Inbox):
    panel.start(inbox.put)
    assert inbox.rest() == [DeviceReady("panel")]
    assert lit(pins) == {"red"}


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("before", Signal)
def test_each_signal_is_seen_whatever_was_shown_before(panel, pins, inbox: Inbox, before: Signal, signal: Signal):
    panel.start(inbox.put)
    panel.show(before)
    panel.show(signal)
    lamp = PATTERNS[signal].lamp
    assert lit(pins) - {"buzzer"} <= ({lamp} if lamp else set())
    eventually(lambda: lamp is None or lamp in lit(pins))


@pytest.mark.parametrize("signal", [signal for signal in Signal if PATTERNS[signal].lamp in ("amber", "red")])
def test_eyes_tell_the_signals_of_one_lamp_apart(panel, pins, inbox: Inbox, signal: Signal):
    eyes = Eyes(pins, SETTINGS)
    panel.start(inbox.put)
    panel.show(signal)
    eventually(lambda: eyes.signal() is signal)


def test_green_is_lit_by_passed_alone(panel, pins, inbox: Inbox):
    eyes = Eyes(pins, SETTINGS)
    panel.start(inbox.put)
    for signal in Signal:
        panel.show(signal)
        assert eyes.greens == (signal is Signal.PASSED), signal
        eyes.greens = 0


def test_what_is_no_signal_shows_closed(panel, pins, inbox: Inbox):
    panel.start(inbox.put)
    panel.show(Signal.PASSED)
    panel.show("open sesame")
    assert lit(pins) == {"red"}


def test_the_gate_opens_for_one_pulse(panel, pins, inbox: Inbox):
    panel.start(inbox.put)
    panel.open_gate()
    eventually(lambda: "gate" in lit(pins))
    eventually(lambda: "gate" not in lit(pins))


def test_stop_makes_every_output_safe(panel, pins, inbox: Inbox):
    panel.start(inbox.put)
    panel.show(Signal.PASSED)
    panel.open_gate()
    panel.stop()
    assert lit(pins) == set()
    panel.stop()


@pytest.mark.parametrize("button", Button)
def test_a_button_pressed_by_a_finger_is_emitted_once(panel, pins, inbox: Inbox, button: Button):
    panel.start(inbox.put)
    inbox.wait_for(DeviceReady)
    press(pins, getattr(SETTINGS, button), for_s=0.01).join()
    assert inbox.next() == ButtonPressed("panel", button)
    assert inbox.rest() == []


def test_the_callback_of_a_button_comes_from_another_thread(panel, pins):
    threads: list[threading.Thread] = []
    panel.start(lambda event: threads.append(threading.current_thread()))
    press(pins, SETTINGS.accept, for_s=0.01).join()
    assert threads[0] is threading.main_thread()
    assert threads[1] is not threading.main_thread()


def test_opening_and_closing_the_case_is_emitted(panel, pins, inbox: Inbox):
    panel.start(inbox.put)
    inbox.wait_for(DeviceReady)
    pins.pin(SETTINGS.tamper).drive_high()
    pins.pin(SETTINGS.tamper).drive_low()
    assert [inbox.next(), inbox.next()] == [CaseOpened("panel"), CaseClosed("panel")]


def test_opening_and_closing_the_door_is_emitted(panel, pins, inbox: Inbox):
    panel.start(inbox.put)
    inbox.wait_for(DeviceReady)
    pins.pin(SETTINGS.door).drive_high()
    pins.pin(SETTINGS.door).drive_low()
    assert [inbox.next(), inbox.next()] == [DoorOpened("panel"), DoorClosed("panel")]


def test_a_warning_sounds_and_leaves_the_lamps_as_they_are(panel, pins, inbox: Inbox):
    panel.start(inbox.put)
    panel.show(Signal.CALL_OFFICER)
    eventually(lambda: lit(pins) == {"amber"})
    panel.warn()
    eventually(lambda: lit(pins) == {"amber", "buzzer"})


def test_a_case_that_is_open_at_the_start_is_emitted(inbox: Inbox):
    panel = GpioPanel(SETTINGS, WatchedFactory())
    panel.start(inbox.put)
    assert inbox.rest() == [DeviceReady("panel"), CaseOpened("panel"), DoorOpened("panel")]
    panel.stop()


def test_parts_that_are_not_fitted_are_left_out(pins, inbox: Inbox):
    only_green = PanelSettings(amber="", red="", buzzer="", gate="", accept="", refer="", tamper="")
    panel = GpioPanel(only_green, pins)
    panel.start(inbox.put)
    for signal in Signal:
        panel.show(signal)
    panel.open_gate()
    panel.stop()
    assert inbox.rest() == [DeviceReady("panel")]


@pytest.mark.parametrize("pin", ["GPIO17", "17", "BOARD11"])
def test_a_pin_used_twice_is_refused_by_the_names_of_both(pins, pin: str):
    with pytest.raises(DeviceError, match=rf"panel: green \(GPIO17\) and gate \({pin}\) share a pin"):
        GpioPanel(PanelSettings(gate=pin), pins)


def test_a_pin_that_no_board_has_is_refused(pins):
    with pytest.raises(DeviceError, match="panel: gate is on GPIO99, which is no pin of this board"):
        GpioPanel(PanelSettings(gate="GPIO99"), pins)


class LgpioError(Exception):
    """As lgpio's: it derives from nothing else."""


@pytest.mark.parametrize("error", [PinInvalidPin, OSError, LgpioError])
def test_pins_that_stop_answering_are_lost_once_and_ready_when_they_work_again(
    panel, pins, inbox: Inbox, monkeypatch, error: type[Exception]
):
    def refuse(self: object, value: object) -> None:
        raise error("gone")

    panel.start(inbox.put)
    inbox.wait_for(DeviceReady)
    with monkeypatch.context() as broken:
        broken.setattr(type(pins.pin("GPIO17")), "_set_state", refuse)
        panel.show(Signal.PASSED)
        panel.show(Signal.READY)
        assert inbox.rest() == [DeviceLost("panel", f"the pins do not answer: {error.__name__}")]
    panel.show(Signal.CLOSED)
    assert inbox.rest() == [DeviceReady("panel")]
    assert lit(pins) == {"red"}


def test_pins_that_cannot_be_taken_at_the_start_are_taken_later(panel, pins, inbox: Inbox, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(type(pins.pin("GPIO17")), "_set_state", _refuse)
        panel.start(inbox.put)
        assert inbox.rest() == [DeviceLost("panel", "the pins do not answer: PinInvalidPin")]
    panel.show(Signal.PASSED)
    assert inbox.rest() == [DeviceReady("panel")]
    assert "green" in lit(pins)


def test_a_panel_that_was_stopped_shows_nothing(panel, pins, inbox: Inbox):
    panel.start(inbox.put)
    panel.stop()
    panel.show(Signal.PASSED)
    panel.open_gate()
    assert lit(pins) == set()


def _refuse(self: object, value: object) -> None:
    raise PinInvalidPin("gone")
