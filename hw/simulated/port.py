"""A serial port with a reader at its far end, made of a pty.

Owns the pty and the link by which it is found, as `/dev/serial/by-id` would show it. Bytes leave at the pace of the
baud rate. Unplugging closes the master, so the driver sees what it sees of a real USB port: an error, then no device;
plugged in again, the port comes back under the same id and, often, another number.
"""

from __future__ import annotations

import fcntl
import os
import termios
import threading
import time
import tty
from pathlib import Path

_TICK_S = 0.01  # bytes that a USB adapter would hand over together
_BITS_PER_BYTE = 10  # 8N1


class SimulatedPort:
    """One plug; `path` is what goes into the reader's settings. Every method may be called from any thread."""

    def __init__(self, path: Path, *, baud: int) -> None:
        self.path = path
        self._bytes_per_tick = max(1, round(baud / _BITS_PER_BYTE * _TICK_S))
        self._master: int | None = None
        self._slave: int | None = None
        self._plug = threading.RLock()  # a write must not meet a descriptor that was closed and given away again
        self.written = bytearray()  # by the host: commands
        self.sent_at_s = 0.0  # when the last byte went out, on the monotonic clock

    def plug(self) -> None:
        """Put the reader in."""
        with self._plug:
            if self._master is not None:
                return
            self._master, self._slave = os.openpty()
            # The slave stays open here: a pty whose last slave was closed reads as hung up, a port does not.
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            link = self.path.with_suffix(".new")
            link.unlink(missing_ok=True)
            link.symlink_to(os.ttyname(self._slave))
            link.replace(self.path)

    def unplug(self) -> None:
        """Pull the reader out; what the driver has not read yet is gone."""
        with self._plug:
            if self._master is None or self._slave is None:
                return
            self.path.unlink(missing_ok=True)
            os.close(self._slave)
            os.close(self._master)
            self._master = self._slave = None

    def send(self, message: bytes, *, unplug_at: int | None = None) -> bool:
        """Send a message at the pace of the line; tell whether all of it went out.

        `unplug_at` pulls the reader out after so many bytes.
        """
        end = len(message) if unplug_at is None else min(unplug_at, len(message))
        due = time.monotonic()
        for at in range(0, end, self._bytes_per_tick):
            due += _TICK_S
            if not self._write(message[at : min(at + self._bytes_per_tick, end)]):
                return False
            self.sent_at_s = time.monotonic()
            time.sleep(max(0.0, due - time.monotonic()))
        if unplug_at is not None:
            self.unplug()
        return end == len(message)

    def is_read(self) -> bool:
        """Tell whether the host has taken all that was sent."""
        with self._plug:
            return self._slave is None or fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4)) == bytes(4)

    def _write(self, piece: bytes) -> bool:
        with self._plug:
            if self._master is None:
                return False
            self._take_commands()
            try:
                return os.write(self._master, piece) == len(piece)
            except (BlockingIOError, OSError):
                return False  # nobody reads and the line's buffer is full: lost, as on a wire

    def _take_commands(self) -> None:
        try:
            self.written += os.read(self._master or 0, 256)
            del self.written[:-256]
        except (BlockingIOError, OSError):
            return
