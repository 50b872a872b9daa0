"""Readers on a serial line, the only file that knows pyserial.

Owns the port, its thread and the times at which to try again. What the bytes mean is for `hw.framing`. Always true: an
exception never leaves the thread; a reader that is unplugged, held by somebody else or not there yet is one
`DeviceLost`, then attempts with growing pauses, then `DeviceReady`; the path is resolved anew each time, so a reader
that comes back under another number is found by its id.
"""

from __future__ import annotations

import errno
import glob
import os
import select
import threading
from typing import TYPE_CHECKING

import serial

from hw.devices import DeviceLost, DeviceReady, DocumentRead, Emit, Frame, ReadFailed
from hw.framing import CUT, FrameError, Framer
from hw.settings import ReaderSettings

if TYPE_CHECKING:
    from hw.black_box import BlackBox

_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_CHUNK = 4096


class SerialDocumentReader:
    """A document reader on a serial port; see `hw.devices.DocumentReader`.

    `black_box` keeps what comes over the wire. Raises ValueError when the settings name a framing that does not exist.
    """

    def __init__(self, settings: ReaderSettings, black_box: BlackBox | None = None) -> None:
        self.name = settings.name
        self._settings = settings
        self._framer = Framer(
            settings.framing, substitutes=settings.substitutes.encode("ascii"), check_bcc=settings.check_bcc
        )
        self._commands = self._framer.family.commands
        self._black_box = black_box
        self._thread: threading.Thread | None = None
        self._wake: tuple[int, int] | None = None

    def start(self, emit: Emit) -> None:
        """Begin to read in a thread of its own."""
        if self._thread is not None:
            return
        self._wake = os.pipe()
        wake = self._wake[0]
        if self._black_box is not None:
            self._black_box.start()
        self._thread = threading.Thread(target=self._run, args=(emit, wake), name=f"reader {self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the port."""
        if self._thread is None or self._wake is None:
            return
        os.write(self._wake[1], b"x")
        self._thread.join()
        if self._black_box is not None:
            self._black_box.stop()
        for descriptor in self._wake:
            os.close(descriptor)
        self._thread = self._wake = None

    def _run(self, emit: Emit, wake: int) -> None:
        failures = 0
        while True:
            self._is_ready = self._has_delivered = False
            try:
                self._read_until_told_to_stop(emit, wake)
                return
            except Exception as error:  # the thread's wrapper: the lane hears of it, and the reader is tried again
                was_cut = self._framer.reset()
                if self._black_box is not None:
                    self._black_box.lost(was_cut)
                if was_cut:
                    emit(ReadFailed(self.name, CUT))
                if self._is_ready or failures == 0:
                    emit(DeviceLost(self.name, _reason(error)))
            failures = 1 if self._has_delivered else failures + 1
            if _is_readable(wake, _PAUSES_S[min(failures, len(_PAUSES_S)) - 1]):
                return

    def _read_until_told_to_stop(self, emit: Emit, wake: int) -> None:
        with self._open() as port:
            self._is_ready = True
            emit(DeviceReady(self.name))
            port.write(self._commands.on_open)
            poll = select.poll()
            poll.register(wake, select.POLLIN)
            poll.register(port.fileno(), select.POLLIN)
            while True:
                events = dict(poll.poll(self._settings.idle_gap_s * 1000 if self._framer.is_waiting else None))
                if wake in events:
                    port.write(self._commands.on_stop)
                    return
                received = self._received(port) if events else b""
                items = self._framer.receive(received) if events else self._framer.flush()
                self._deliver(items, emit)
                if items:
                    port.write(self._commands.after_frame)
                if self._black_box is not None:
                    is_settled = not self._framer.is_waiting
                    self._black_box.received(received, items, is_settled=is_settled, is_quiet=not events)

    def _open(self) -> serial.Serial:
        pattern = self._settings.path
        found = sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]
        if not found:
            raise FileNotFoundError(errno.ENOENT, "nothing matches the path")
        # Without `exclusive` another program could open it too and take half of the bytes. Opening raises DTR.
        return serial.Serial(found[0], self._settings.baud, timeout=0, write_timeout=1, exclusive=True)

    def _received(self, port: serial.Serial) -> bytes:
        received = port.read(_CHUNK)
        if not received:
            raise serial.SerialException("the line was hung up")
        self._has_delivered = True
        return received

    def _deliver(self, items: list[Frame | FrameError], emit: Emit) -> None:
        for item in items:
            match item:
                case Frame():
                    emit(DocumentRead(self.name, item))
                case FrameError(reason):
                    emit(ReadFailed(self.name, reason))


class SerialBarcodeReader(SerialDocumentReader):
    """A barcode reader on a serial port: the same line, and often the same device as the document reader's."""


def _is_readable(descriptor: int, timeout_s: float) -> bool:
    return bool(select.select([descriptor], [], [], timeout_s)[0])


def _reason(error: Exception) -> str:
    match getattr(error, "errno", None):
        case errno.ENOENT:
            return "not plugged in"
        case errno.EACCES | errno.EPERM:
            return "no permission to open the port; the kiosk's user must be in the group dialout"
        case errno.EAGAIN | errno.EBUSY:
            return "another program holds the port"
        case errno.EIO | errno.ENXIO | errno.ENODEV:
            return "unplugged"
    if isinstance(error, serial.SerialException):
        return "unplugged" if "no data" in str(error) or "hung up" in str(error) else "the port failed"
    return f"the reader's thread failed: {type(error).__name__}"
