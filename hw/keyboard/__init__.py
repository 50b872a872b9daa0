"""Keystrokes of a reader that plays a keyboard into the bytes that it read.

Pure: no device, no thread, no clock. The reader does not send characters but the keys that somebody with a keyboard of
one country would press; `Layout` names the country, `Keystrokes` turns the presses back.
"""

from hw.keyboard.keystrokes import Keystrokes
from hw.keyboard.layouts import Layout

__all__ = ["Keystrokes", "Layout"]
