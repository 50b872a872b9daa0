"""Outputs of a panel, put safe from outside: the daemon that held them is gone, killed perhaps while a gate was open.

Owns the order in which pins are taken and let go. Always true: each output is driven low before it is released, since a
Raspberry Pi may leave a pin as it last was; one pin that fails leaves no other out; buttons are not touched.
"""

from __future__ import annotations

from gpiozero import DigitalOutputDevice
from gpiozero.pins import Factory

from hw.settings import PanelSettings

__all__ = ["Factory", "put_safe"]

# The gate first: a lamp that stays lit lets nobody through.
OUTPUTS = ("gate", "green", "buzzer", "amber", "red")


def put_safe(panel: PanelSettings, pin_factory: Factory) -> dict[str, str]:
    """Drive every output of a panel low and release it; return why not, by part, for those that could not be."""
    failed = {}
    for part in OUTPUTS:
        pin = getattr(panel, part)
        if not pin:
            continue
        try:
            DigitalOutputDevice(pin, initial_value=False, pin_factory=pin_factory).close()
        except Exception as error:  # lgpio raises a bare class of its own; the next pin has to be tried all the same
            failed[part] = type(error).__name__
    return failed
