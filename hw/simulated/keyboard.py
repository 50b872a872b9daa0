"""A reader that plays a keyboard, made of a named pipe: the kernel's own `struct input_event`s come out of it.

Owns the pipe, the link by which it is found, as `/dev/input/by-id` would show it, and the typist: which keys of a
country send which bytes. A pipe cannot be grabbed as an input device can, so it is locked instead: `take`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hw.hid_reader import EV_KEY, EV_SYN, INPUT_EVENT, KEY_DOWN, KEY_UP, SYN_DROPPED
from hw.keyboard.layouts import CHARACTERS, SPACING, Layout

_ENTER, _SPACE, _LEFT_CTRL, _LEFT_SHIFT, _LEFT_ALT, _RIGHT_ALT = 28, 57, 29, 42, 56, 100
_KEYPAD = dict(zip("0123456789", (82, 79, 80, 81, 75, 76, 77, 71, 72, 73), strict=True))
_SYNC = INPUT_EVENT.pack(0, 0, EV_SYN, 0, 0)
_TICK_S = 0.001  # two reports of a full-speed keyboard


def take(descriptor: int) -> None:
    """Hold a simulated keyboard for oneself; raises OSError when somebody else does or when it is no simulated one."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        raise OSError(errno.ENOTTY, "not a simulated keyboard")
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Typist:
    """Presses the keys for what a reader read: on the layout where it has them, else by number on the keypad."""

    def __init__(self, layout: Layout | str = Layout.US) -> None:
        self._strokes: dict[str, tuple[tuple[int, ...], ...]] = {" ": ((_SPACE,),), "\r": ((_ENTER,),)}
        for key, levels in CHARACTERS[Layout(layout)].items():
            for held, character in zip(((), (_LEFT_SHIFT,), (_RIGHT_ALT,)), levels, strict=True):
                then = ((_SPACE,),) if character in SPACING else ()
                spelled = SPACING.get(character, character)
                self._strokes.setdefault(spelled, ((*held, key), *then))
        for letter in "abcdefghijklmnopqrstuvwxyz":
            self._strokes.setdefault(chr(ord(letter) & 0x1F), ((_LEFT_CTRL, *self._strokes[letter][0]),))

    def events(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield each key with its value, down and up, for a text of bytes."""
        for character in text.decode("latin-1"):
            strokes = self._strokes.get(character) if ord(character) < 0x80 else None
            for stroke in strokes or ():
                yield from _chord(stroke)
            if strokes is None:
                yield _LEFT_ALT, KEY_DOWN
                for digit in f"{ord(character):04d}":
                    yield from _chord((_KEYPAD[digit],))
                yield _LEFT_ALT, KEY_UP


def _chord(keys: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    yield from ((key, KEY_DOWN) for key in keys)
    yield from ((key, KEY_UP) for key in reversed(keys))


class SimulatedKeyboard:
    """One plug; `path` is what goes into the reader's settings. Every method may be called from any thread."""

    def __init__(self, path: Path, *, layout: Layout | str = Layout.US) -> None:
        self.path = path
        self._typist = Typist(layout)
        self._number = 0  # of the device: another one each time it is plugged in
        self._node: Path | None = None
        self._pipe: int | None = None
        self._plug = threading.RLock()
        self.sent_at_s = 0.0  # when the last key went out, on the monotonic clock

    def plug(self) -> None:
        """Put the reader in."""
        with self._plug:
            if self._pipe is not None:
                return
            self._number += 1
            self._node = self.path.with_name(f"{self.path.name}.event{self._number}")
            os.mkfifo(self._node, 0o600)
            # Open at both ends here, or a pipe that nobody reads could not be typed into.
            self._pipe = os.open(self._node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            link = self.path.with_suffix(".new")
            link.unlink(missing_ok=True)
            link.symlink_to(self._node)
            link.replace(self.path)

    def unplug(self) -> None:
        """Pull the reader out."""
        with self._plug:
            if self._pipe is None or self._node is None:
                return
            self.path.unlink(missing_ok=True)
            self._node.unlink(missing_ok=True)
            os.close(self._pipe)
            self._pipe = self._node = None

    def send(self, message: bytes, *, unplug_at: int | None = None) -> bool:
        """Type a message; tell whether all of it was typed. `unplug_at` pulls the reader out after so many bytes."""
        end = len(message) if unplug_at is None else min(unplug_at, len(message))
        for at in range(end):
            events = [
                INPUT_EVENT.pack(0, 0, EV_KEY, *event) + _SYNC for event in self._typist.events(message[at : at + 1])
            ]
            if not self._write(b"".join(events)):
                return False
            self.sent_at_s = time.monotonic()
            time.sleep(_TICK_S)
        if unplug_at is not None:
            self.unplug()
        return end == len(message)

    def lose_events(self) -> None:
        """Say, as the kernel does, that nobody listened in time and key events were lost."""
        self._write(INPUT_EVENT.pack(0, 0, EV_SYN, SYN_DROPPED, 0))

    def _write(self, events: bytes) -> bool:
        with self._plug:
            if self._pipe is None:
                return False
            try:
                return os.write(self._pipe, events) == len(events)
            except BlockingIOError:
                return False
