"""Readers that play a keyboard (HID mode), through the kernel's evdev interface.

Owns the input device: its events come to this kiosk alone (EVIOCGRAB), so that a document is never typed into a login
or a browser, and no other keyboard is opened. What the keys mean is for `hw.keyboard`; the thread and its retries are
`hw.reader`'s.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from hw.hot_plug import find
from hw.keyboard import Keystrokes
from hw.reader import LONGEST_PAUSE_S, LineReader
from hw.settings import ReaderSettings

if TYPE_CHECKING:
    from hw.black_box import BlackBox

# linux/input.h and linux/input-event-codes.h. The time is two longs, so the same words are right with 32 and 64 bits.
INPUT_EVENT = struct.Struct("@llHHi")  # seconds, microseconds, type, code, value
EV_SYN, EV_KEY = 0x00, 0x01
SYN_DROPPED = 3
KEY_UP, KEY_DOWN = 0, 1  # 2 is a key held down
_EVIOCGRAB = 0x40044590
_CHUNK = INPUT_EVENT.size * 64
_LOST_KEYS = b"?\xff?"  # no text and no MRZ holds this byte, so what it stands in is refused


def grab(descriptor: int) -> None:
    """Take the events of an input device from everybody else; raises OSError when somebody else did so before."""
    fcntl.ioctl(descriptor, _EVIOCGRAB, 1)


class KeyboardLine:
    """An open input device; see `hw.reader.Line`. It takes no commands."""

    def __init__(self, settings: ReaderSettings, take: Callable[[int], None]) -> None:
        self._keystrokes = Keystrokes(settings.layout)
        self._descriptor = os.open(find(settings.path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            take(self._descriptor)
        except OSError:
            os.close(self._descriptor)
            raise

    def fileno(self) -> int:
        """Return the device's descriptor."""
        return self._descriptor

    def received(self) -> bytes:
        """Return what the keys that were pressed mean."""
        events = os.read(self._descriptor, _CHUNK)
        if not events:
            raise OSError(errno.ENODEV, "the device was hung up")
        whole = len(events) // INPUT_EVENT.size * INPUT_EVENT.size
        return b"".join(
            self._meant(kind, code, value) for _, _, kind, code, value in INPUT_EVENT.iter_unpack(events[:whole])
        )

    def write(self, command: bytes) -> None:
        """Send nothing: a keyboard takes no commands."""

    def close(self) -> None:
        """Close the device, which also gives its events back."""
        os.close(self._descriptor)

    def _meant(self, kind: int, code: int, value: int) -> bytes:
        if kind == EV_SYN and code == SYN_DROPPED:
            self._keystrokes.reset()
            return _LOST_KEYS
        if kind != EV_KEY or value not in (KEY_UP, KEY_DOWN):
            return b""
        return self._keystrokes.key(code, is_down=value == KEY_DOWN)


class HidReader(LineReader):
    """A reader in HID keyboard mode. `take` makes the device ours alone; a simulated one has another way."""

    def __init__(
        self,
        settings: ReaderSettings,
        black_box: BlackBox | None = None,
        *,
        take: Callable[[int], None] = grab,
        longest_pause_s: float = LONGEST_PAUSE_S,
    ) -> None:
        super().__init__(settings, lambda: KeyboardLine(settings, take), black_box, longest_pause_s=longest_pause_s)
