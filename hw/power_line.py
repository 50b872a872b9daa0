"""The line on which an uninterruptible supply says that the mains are gone.

Owns one input pin. Always true: a cut wire reads as power lost; callbacks only emit; what to do about it is decided
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

from gpiozero import DigitalInputDevice, GPIOZeroError
from gpiozero.pins import Factory

from hw.devices import DeviceError, Emit, PowerBack, PowerLost
from hw.settings import PowerSettings

NAME = "power"


class PowerLine:
    """The line of the supply. Raises DeviceError when the pin does not exist."""

    def __init__(self, settings: PowerSettings, pin_factory: Factory) -> None:
        self._settings, self._factory = settings, pin_factory
        try:
            pin_factory.pin(settings.lost)
        except (GPIOZeroError, ValueError) as error:
            raise DeviceError(NAME, f"lost is on {settings.lost}, which is no pin of this board") from error
        self._line: DigitalInputDevice | None = None

    def start(self, emit: Emit) -> None:
        """Take the pin and report every change of the supply; a supply that is lost already is reported at once."""
        if self._line is not None:
            return
        is_high = self._settings.lost_is == "high"
        # The pull goes towards the level that says lost, so that a wire that came off says it too.
        line = DigitalInputDevice(
            self._settings.lost,
            pull_up=is_high,
            bounce_time=self._settings.debounce_s,
            pin_factory=self._factory,
        )
        lost, back = _emits(emit, PowerLost(NAME)), _emits(emit, PowerBack(NAME))
        # gpiozero calls a line with a pull-up active when it is low, and one with a pull-down when it is high.
        line.when_activated = back
        line.when_deactivated = lost
        self._line = line
        (back if line.is_active else lost)()

    def stop(self) -> None:
        """Release the pin; may be called twice."""
        if self._line is not None:
            self._line.close()
            self._line = None


def _emits(emit: Emit, event: PowerLost | PowerBack) -> Callable[[], None]:
    return lambda: emit(event)
