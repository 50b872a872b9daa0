"""The thread of one reader, on whatever line: open it, read it, and open it again when it was gone.

Owns the thread, the times at which to try again, and what is said of a loss. What the bytes mean is for `hw.framing`,
how a line is opened for the driver that hands in `open_line`. Always true: an exception never leaves the thread; a
reader that is unplugged, held by somebody else or not there yet is one `DeviceLost`, another one only when the reason
becomes another, and `DeviceReady` once it works; half of a message is never put together with what comes after a loss.
"""

from __future__ import annotations

import errno
import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from hw.allowance import Allowance
from hw.devices import DeviceLost, DeviceReady, DocumentRead, Emit, Frame, ReadFailed
from hw.framing import CUT, FrameError, Framer
from hw.hot_plug import NotUnique
from hw.settings import ReaderSettings

if TYPE_CHECKING:
    from hw.black_box import BlackBox

NOT_PLUGGED_IN = "not plugged in"
UNPLUGGED = "unplugged"
FLOODED = "the reader sends more than a reader can read; some of it was passed over"
_FIRST_PAUSE_S = 0.05
_ABSENT_PAUSE_S = 0.25
LONGEST_PAUSE_S = 2.0


class Line(Protocol):
    """An open line to a reader. Everything that goes wrong with it is an OSError; `ENODEV` means unplugged."""

    def fileno(self) -> int:
        """Return what to wait on."""

    def received(self) -> bytes:
        """Return what has come, without waiting."""

    def write(self, command: bytes) -> None:
        """Send a command, where the reader takes any."""

    def close(self) -> None:
        """Close it."""


class LineReader:
    """A document or barcode reader; see `hw.devices.DocumentReader`.

    `open_line` returns the line, or raises what is wrong with it; `black_box` keeps what comes over it; a reader that
    cannot be opened is tried again after pauses that grow up to `longest_pause_s`. Raises ValueError when the settings
    name a framing that does not exist.
    """

    def __init__(
        self,
        settings: ReaderSettings,
        open_line: Callable[[], Line],
        black_box: BlackBox | None = None,
        *,
        longest_pause_s: float = LONGEST_PAUSE_S,
    ) -> None:
        self.name = settings.name
        self._open_line = open_line
        self._idle_gap_s = settings.idle_gap_s
        self._framer = Framer(
            settings.framing, substitutes=settings.substitutes.encode("ascii"), check_bcc=settings.check_bcc
        )
        self._commands = self._framer.family.commands
        self._allowance = Allowance()
        self._black_box = black_box
        self._longest_pause_s = longest_pause_s
        self._thread: threading.Thread | None = None
        self._wake: int | None = None  # eventfd(2)
        self._began_s = 0.0  # when the first byte of what is being read came

    def start(self, emit: Emit) -> None:
        """Begin to read in a thread of its own."""
        if self._thread is not None:
            return
        self._wake = wake = os.eventfd(0)
        if self._black_box is not None:
            self._black_box.start()
        self._thread = threading.Thread(target=self._run, args=(emit, wake), name=f"reader {self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the line."""
        if self._thread is None or self._wake is None:
            return
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        if self._black_box is not None:
            self._black_box.stop()
        os.close(self._wake)
        self._thread = self._wake = None

    def _run(self, emit: Emit, wake: int) -> None:
        failures, told, last = 0, "", ""
        while True:
            self._is_ready = self._has_delivered = False
            try:
                self._read_until_told_to_stop(emit, wake)
                return
            except Exception as error:  # the thread's wrapper: the lane hears of it, and the reader is tried again
                reason = _reason(error)
            self._give_up_what_is_held(emit)
            is_steady = reason == last  # while a reader is being plugged in, what is wrong changes by itself
            if self._is_ready or not told or (is_steady and _is_news(reason, told)):
                emit(DeviceLost(self.name, reason))
                told = reason
            last = reason
            failures = 0 if self._has_delivered else failures + 1
            if _is_readable(wake, self._pause_s(reason, failures)):
                return

    def _pause_s(self, reason: str, failures: int) -> float:
        # To look whether it is there costs nothing; to open a port that fails, again and again, disturbs its reader.
        grown = _FIRST_PAUSE_S * 2 ** min(failures, 10)
        return min(self._longest_pause_s, _ABSENT_PAUSE_S if reason == NOT_PLUGGED_IN else grown)

    def _give_up_what_is_held(self, emit: Emit) -> None:
        was_cut = self._framer.reset()
        if self._black_box is not None:
            self._black_box.lost(was_cut)
        if was_cut:
            emit(ReadFailed(self.name, CUT))

    def _read_until_told_to_stop(self, emit: Emit, wake: int) -> None:
        with closing(self._open_line()) as line:
            self._is_ready = True
            emit(DeviceReady(self.name))
            line.write(self._commands.on_open)
            poll = select.poll()
            poll.register(wake, select.POLLIN)
            poll.register(line.fileno(), select.POLLIN)
            while True:
                pause_s = self._allowance.pause_s(time.monotonic())
                if pause_s and not _is_readable(wake, pause_s):
                    continue
                events = dict(poll.poll(self._idle_gap_s * 1000 if self._framer.is_waiting else None))
                if wake in events:
                    line.write(self._commands.on_stop)
                    return
                self._take(line, emit, is_quiet=not events)

    def _take(self, line: Line, emit: Emit, *, is_quiet: bool) -> None:
        received = b"" if is_quiet else line.received()
        if received and not self._framer.is_waiting:
            self._began_s = time.monotonic()
        self._has_delivered = self._has_delivered or bool(received)
        was_passing_over = self._framer.is_passing_over
        items = self._framer.flush() if is_quiet else self._framer.receive(received)
        is_passed_over = was_passing_over and self._framer.is_passing_over
        self._allowance.read(len(received), time.monotonic(), is_passed_over=is_passed_over)
        self._deliver(items, emit)
        if items:
            line.write(self._commands.after_frame)
        if self._black_box is not None:
            is_settled = not self._framer.is_waiting
            self._black_box.received(received, items, is_settled=is_settled, is_quiet=is_quiet)

    def _deliver(self, items: list[Frame | FrameError], emit: Emit) -> None:
        for item in items:
            admitted = self._allowance.admit(time.monotonic())
            if admitted is None:
                continue
            match item if admitted else FrameError(FLOODED):
                case Frame() as frame:
                    emit(DocumentRead(self.name, frame, time.monotonic() - self._began_s))
                case FrameError(reason):
                    emit(ReadFailed(self.name, reason))


def _is_readable(descriptor: int, timeout_s: float) -> bool:
    return bool(select.select([descriptor], [], [], timeout_s)[0])


def _is_news(reason: str, told: str) -> bool:
    is_still_gone = reason == NOT_PLUGGED_IN and told == UNPLUGGED
    return reason != told and not is_still_gone


def _reason(error: Exception) -> str:
    if isinstance(error, NotUnique):
        return str(error)
    match getattr(error, "errno", None):
        case errno.ENOENT:
            return NOT_PLUGGED_IN
        case errno.EACCES | errno.EPERM:
            return "no permission to open it; the udev rules for readers are not installed, or do not know this one"
        case errno.EAGAIN | errno.EBUSY:
            return "another program holds it"
        case errno.EIO | errno.ENXIO | errno.ENODEV:
            return UNPLUGGED
        case errno.ENOTTY | errno.EINVAL:
            return "the path names something that is no reader of this kind"
        case errno.ETIMEDOUT:
            return "it takes no commands"
    if isinstance(error, OSError):
        return "the line failed"
    return f"the reader's thread failed: {type(error).__name__}"
