"""Readers on a serial line, the only file that knows pyserial.

Owns the port: exclusive, so that no other program takes half of the bytes, and found anew each time it is opened. The
thread and its retries are `hw.reader`'s.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import serial

from hw.hot_plug import find
from hw.reader import LONGEST_PAUSE_S, LineReader
from hw.settings import ReaderSettings

if TYPE_CHECKING:
    from hw.black_box import BlackBox

_CHUNK = 4096
_WRITE_TIMEOUT_S = 1


class SerialLine:
    """An open serial port; see `hw.reader.Line`. Opening raises DTR, which some readers wait for."""

    def __init__(self, settings: ReaderSettings) -> None:
        path = find(settings.path)
        try:
            self._port = serial.Serial(path, settings.baud, timeout=0, write_timeout=_WRITE_TIMEOUT_S, exclusive=True)
        except serial.SerialException as error:
            if error.errno is None:  # opened, and then it has no speed to set
                raise OSError(errno.ENOTTY, "not a serial port") from error
            raise

    def fileno(self) -> int:
        """Return the port's descriptor."""
        return self._port.fileno()

    def received(self) -> bytes:
        """Return what has come."""
        try:
            received = self._port.read(_CHUNK)
        except serial.SerialException as error:  # it seldom carries the errno that it was made of
            raise OSError(errno.ENODEV, "the port failed") from error
        if not received:
            raise OSError(errno.ENODEV, "the line was hung up")
        return received

    def write(self, command: bytes) -> None:
        """Send a command."""
        try:
            self._port.write(command)
        except serial.SerialTimeoutException as error:
            raise OSError(errno.ETIMEDOUT, "the command was not taken") from error
        except serial.SerialException as error:
            raise OSError(errno.ENODEV, "the port failed") from error

    def close(self) -> None:
        """Close the port."""
        self._port.close()


class SerialReader(LineReader):
    """A document or barcode reader on a serial port: the same line, and often the same device."""

    def __init__(
        self,
        settings: ReaderSettings,
        black_box: BlackBox | None = None,
        *,
        longest_pause_s: float = LONGEST_PAUSE_S,
    ) -> None:
        super().__init__(settings, lambda: SerialLine(settings), black_box, longest_pause_s=longest_pause_s)
