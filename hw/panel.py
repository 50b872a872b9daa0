"""Lamps, buzzer, gate and buttons on the pins of a Raspberry Pi, the only file that knows gpiozero.

Owns what each `Signal` looks and sounds like. The pin factory comes in by the constructor, so the same panel runs on
lgpio and on mock pins. Always true: at most one lamp is lit, the others are put out first; a panel that was stopped,
or asked for something it does not know, shows no green and keeps the gate closed; callbacks only emit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gpiozero import DigitalInputDevice, DigitalOutputDevice, GPIOZeroError
from gpiozero.pins import Factory

from hw.devices import (
    Button,
    ButtonPressed,
    CaseClosed,
    CaseOpened,
    DeviceError,
    DeviceEvent,
    DeviceLost,
    DeviceReady,
    DoorClosed,
    DoorOpened,
    Emit,
    Signal,
)
from hw.settings import PanelSettings


@dataclass(frozen=True, slots=True)
class Pattern:
    """How one signal looks and sounds; times in seconds, `blink_s` is the time on and the time off, 0 is steady."""

    lamp: Literal["green", "amber", "red"] | None
    blink_s: float = 0.0
    beeps: int = 0
    beep_s: float = 0.1


PATTERNS = {
    Signal.READY: Pattern(None),
    Signal.WORKING: Pattern("amber", blink_s=0.5),
    Signal.TRY_AGAIN: Pattern("amber", blink_s=0.125, beeps=2),
    Signal.PASSED: Pattern("green", beeps=1),
    Signal.CALL_OFFICER: Pattern("amber", beeps=1, beep_s=0.8),
    Signal.MANUAL: Pattern("red", blink_s=0.5),
    Signal.CLOSED: Pattern("red"),
}
_OUTPUTS = ("green", "amber", "red", "buzzer", "gate")
_CONTACTS = ("accept", "refer", "direction", "manual", "group", "tamper", "door")
_OPENINGS = {"tamper": (CaseOpened, CaseClosed), "door": (DoorOpened, DoorClosed)}
_WARNING_BEEPS, _SHORT_BEEP_S = 6, 0.15


class GpioPanel:
    """The panel of one lane; see `hw.devices.Panel`. Methods are for one thread, the one that owns the lane.

    Lamps, buzzer and gate are lit or open at a high pin; buttons, tamper switch and door contact connect their pin to
    ground, the latter two while case and door are closed, so that a cut wire reads as an open one. Raises DeviceError
    when a pin does not exist or is used twice.
    """

    def __init__(self, settings: PanelSettings, pin_factory: Factory) -> None:
        self.name = settings.name
        self._settings = settings
        self._factory = pin_factory
        self._pins = {part: pin for part in (*_OUTPUTS, *_CONTACTS) if (pin := getattr(settings, part))}
        self._refuse_shared_pins()
        self._outputs: dict[str, DigitalOutputDevice] = {}
        self._contacts: dict[str, DigitalInputDevice] = {}
        self._emit: Emit | None = None
        self._is_lost = False

    def start(self, emit: Emit) -> None:
        """Take the pins, show `CLOSED`, and begin to report buttons and the tamper switch."""
        if self._emit is not None:
            return
        self._emit = emit
        self.show(Signal.CLOSED)
        if self._is_lost:
            return
        emit(DeviceReady(self.name))
        for part, (opened, _) in _OPENINGS.items():
            if (contact := self._contacts.get(part)) is not None and not contact.is_active:
                emit(opened(self.name))

    def show(self, signal: Signal) -> None:
        """Show one signal; the one before it ends. What is no signal is shown as `CLOSED`."""
        if self._emit is None:
            return
        self._try(self._show, PATTERNS.get(signal, PATTERNS[Signal.CLOSED]))

    def open_gate(self) -> None:
        """Let one traveller through: one pulse on the gate relay, from now, even when the last one is not over."""
        if "gate" in self._outputs:
            self._try(self._pulse_gate, self._outputs["gate"])

    def warn(self) -> None:
        """Call attention to the lane by six short beeps; the lamps stay as they are."""
        if "buzzer" in self._outputs:
            self._try(self._beep, self._outputs["buzzer"], _WARNING_BEEPS)

    def confirm(self, beeps: int) -> None:
        """Answer a button by so many short beeps; the lamps stay as they are."""
        if "buzzer" in self._outputs:
            self._try(self._beep, self._outputs["buzzer"], beeps)

    def stop(self) -> None:
        """Put every output into its safe state and release the pins."""
        self._emit = None
        for output in self._outputs.values():
            self._try(output.off)
        for part in (*self._contacts.values(), *self._outputs.values()):
            self._try(part.close)
        self._contacts, self._outputs = {}, {}
        self._is_lost = False

    def _refuse_shared_pins(self) -> None:
        used: dict[object, str] = {}
        for part, pin in self._pins.items():
            try:
                place = self._factory.pin(pin)
            except (GPIOZeroError, ValueError) as error:
                raise DeviceError(self.name, f"{part} is on {pin}, which is no pin of this board") from error
            if place in used:
                other = f"{used[place]} ({self._pins[used[place]]})"
                raise DeviceError(self.name, f"{other} and {part} ({pin}) share a pin", remedy="give each its own")
            used[place] = part

    def _take_pins(self) -> None:
        settings, factory = self._settings, self._factory
        for part in _OUTPUTS:
            if part in self._pins and part not in self._outputs:
                self._outputs[part] = DigitalOutputDevice(self._pins[part], initial_value=False, pin_factory=factory)
        for part in _CONTACTS:
            if part in self._pins and part not in self._contacts:
                contact = DigitalInputDevice(
                    self._pins[part], pull_up=True, bounce_time=settings.debounce_s, pin_factory=factory
                )
                self._contacts[part] = contact
                if part in _OPENINGS:
                    opened, closed = _OPENINGS[part]
                    contact.when_deactivated = self._emits(opened(self.name))
                    contact.when_activated = self._emits(closed(self.name))
                else:
                    contact.when_activated = self._emits(ButtonPressed(self.name, Button(part)))

    def _emits(self, event: DeviceEvent) -> Callable[[], None]:
        def tell() -> None:
            emit = self._emit
            if emit is not None:
                emit(event)

        return tell

    def _show(self, pattern: Pattern) -> None:
        if len(self._outputs) + len(self._contacts) < len(self._pins):
            self._take_pins()  # the start, or another attempt after one that failed
        for part in ("green", "amber", "red", "buzzer"):
            if part in self._outputs:
                self._outputs[part].off()
        lamp = self._outputs.get(pattern.lamp or "")
        if lamp is not None and pattern.blink_s:
            lamp.blink(on_time=pattern.blink_s, off_time=pattern.blink_s)
        elif lamp is not None:
            lamp.on()
        buzzer = self._outputs.get("buzzer")
        if buzzer is not None and pattern.beeps:
            buzzer.blink(on_time=pattern.beep_s, off_time=pattern.beep_s, n=pattern.beeps)

    def _beep(self, buzzer: DigitalOutputDevice, beeps: int) -> None:
        buzzer.blink(on_time=_SHORT_BEEP_S, off_time=_SHORT_BEEP_S, n=beeps)

    def _pulse_gate(self, gate: DigitalOutputDevice) -> None:
        gate.off()  # a pulse of its own for each traveller: a turnstile counts edges
        gate.blink(on_time=self._settings.gate_pulse_s, off_time=0, n=1)

    def _try(self, act: Callable[..., None], *args: object) -> None:
        """Do something with the pins; a failure is `DeviceLost`, once, and the next success `DeviceReady`."""
        try:
            act(*args)
        except Exception as error:  # gpiozero lets errors of lgpio through, which derive from nothing else
            if not self._is_lost and self._emit is not None:
                self._emit(DeviceLost(self.name, f"the pins do not answer: {type(error).__name__}"))
            self._is_lost = True
        else:
            if self._is_lost and self._emit is not None:
                self._emit(DeviceReady(self.name))
            self._is_lost = False
