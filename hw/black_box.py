"""The black box of a reader: its last frames on disk, without the people in them, so that a field fault becomes a test.

Owns what is kept and the file; how the person is taken out belongs to `edge.documents.redact`. Always true: nothing
reaches the disk before it is redacted, and what cannot be redacted faithfully leaves only its length and what came of
it; the reader's own thread only counts and queues, and never waits; a full queue or a full disk costs kept frames, and
never a reading.

The file, `<reader>.blackbox.jsonl` with mode 0600 beside the store, has one JSON object a line, the oldest first:

    reader, framing, substitutes, check_bcc   the settings that the bytes were framed with
    day         the date (UTC) on which the checks were made
    length      how many bytes came, framing included
    bytes       those bytes, redacted, in hex; absent when they are withheld
    is_quiet    true when silence ended the message, and no terminator
    found       what came of it, in order: {family, symbology, length} of a frame, or {error} with the framer's reason
    withheld    why there are no bytes, else absent

It holds between `frames` and twice as many lines, then it is written anew with the last `frames` of them.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from edge.documents.read import read
from edge.documents.redact import redact
from hw.devices import Frame
from hw.framing import CUT, FrameError, Framer
from hw.settings import ReaderSettings

LONGEST_KEPT = 2048  # bytes; a driving licence or a boarding pass of four legs has less
_MOST_QUEUED = 16
_MOST_FOUND = 32  # of one message: a line that never rests must not fill the memory
_TRIES = 3

TOO_LONG = f"longer than {LONGEST_KEPT} bytes"
UNFAITHFUL = "the redacted bytes would not come out as these did"


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """One frame or one framing error of a message."""

    family: str = ""
    symbology: str | None = None
    length: int = 0
    error: str = ""


class KeptMessage(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of the file; see above."""

    reader: str
    framing: str
    substitutes: str
    check_bcc: bool
    day: date
    length: int
    bytes: str | None = None
    is_quiet: bool = False
    found: tuple[Found, ...] = ()
    withheld: str = ""

    def replay(self) -> list[Frame | FrameError]:
        """Return what a framer makes of the bytes now; raise ValueError for bytes or settings that are none."""
        return _framed(bytes.fromhex(self.bytes or ""), self.is_quiet, self._framer())

    def _framer(self) -> Framer:
        return Framer(self.framing, substitutes=self.substitutes.encode("latin-1"), check_bcc=self.check_bcc)


class _Message(msgspec.Struct, frozen=True):
    """What came over the wire up to the end of a message: never shown, never stored."""

    raw: bytes
    length: int
    is_quiet: bool
    items: tuple[Frame | FrameError, ...]

    def __repr__(self) -> str:
        return f"_Message(length={self.length})"


class BlackBox:
    """Keeps the last messages of one reader; made by whoever opens the reader, started and stopped with it.

    Raises OSError when the file cannot be written.
    """

    def __init__(self, settings: ReaderSettings, folder: Path) -> None:
        self._settings = settings
        self.path = folder / f"{settings.name}.blackbox.jsonl"
        self._lines = _lines_of(self.path)[-settings.black_box :]
        self._write_anew()
        self._raw = bytearray()
        self._length = 0
        self._items: list[Frame | FrameError] = []
        self._queue: queue.Queue[_Message | None] = queue.Queue(_MOST_QUEUED)
        self._thread: threading.Thread | None = None

    # -- called by the reader's thread

    def received(self, raw: bytes, items: Iterable[Frame | FrameError], *, is_settled: bool, is_quiet: bool) -> None:
        """Take bytes as they came and what they completed; a message ends when the framer holds nothing more."""
        self._length += len(raw)
        self._raw += raw[: LONGEST_KEPT + 1 - len(self._raw)]
        self._items += items
        if (is_settled and (self._items or (is_quiet and self._raw))) or len(self._items) > _MOST_FOUND:
            self._end_message(is_quiet)

    def lost(self, was_cut: bool) -> None:
        """End the message, because the reader went away; `was_cut` says whether in the middle of it."""
        if was_cut:
            self._items.append(FrameError(CUT))
        if self._raw:
            self._end_message(is_quiet=False)

    def _end_message(self, is_quiet: bool) -> None:
        message = _Message(bytes(self._raw), self._length, is_quiet, tuple(self._items))
        self._raw.clear()
        self._items.clear()
        self._length = 0
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(message)

    def start(self) -> None:
        """Begin to redact and write in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name=f"black box {self._settings.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, and end the thread; may be called twice."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    # -- in the thread of its own

    def _run(self) -> None:
        while (message := self._queue.get()) is not None:
            try:
                kept = self._kept(message)
            except Exception as error:  # the thread's wrapper: a frame that confuses the redaction costs only itself
                kept = self._line(message, withheld=f"the redaction failed: {type(error).__name__}")
            with contextlib.suppress(OSError):  # a full disk is the store's to report
                self._append(msgspec.json.encode(kept) + b"\n")

    def _kept(self, message: _Message) -> KeptMessage:
        if message.length > LONGEST_KEPT:
            return self._line(message, withheld=TOO_LONG)
        line = self._line(message)
        wanted = _outcome(message.raw, line)
        for _ in range(_TRIES):
            try:
                redacted = redact(message.raw, seed=secrets.randbits(64), today=line.day)
            except ValueError as error:
                return msgspec.structs.replace(line, withheld=str(error))
            if redacted.is_faithful and _outcome(redacted.frame, line) == wanted:
                return msgspec.structs.replace(line, bytes=redacted.frame.hex())
        return msgspec.structs.replace(line, withheld=UNFAITHFUL)

    def _line(self, message: _Message, *, withheld: str = "") -> KeptMessage:
        settings = self._settings
        return KeptMessage(
            reader=settings.name,
            framing=str(settings.framing),
            substitutes=settings.substitutes,
            check_bcc=settings.check_bcc,
            day=datetime.now(UTC).date(),
            length=message.length,
            is_quiet=message.is_quiet,
            found=tuple(_found(item) for item in message.items),
            withheld=withheld,
        )

    def _append(self, line: bytes) -> None:
        self._lines.append(line)
        if len(self._lines) >= 2 * self._settings.black_box:
            del self._lines[: -self._settings.black_box]
            self._write_anew()
            return
        with open(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
            file.write(line)

    def _write_anew(self) -> None:
        anew = self.path.with_suffix(".new")
        with open(os.open(anew, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(self._lines)
        os.replace(anew, self.path)


def load(path: Path) -> Iterator[KeptMessage]:
    """Yield the messages of a black box; a line that is cut off or none of ours is left out. Raises OSError."""
    for line in _lines_of(path, must_exist=True):
        with contextlib.suppress(msgspec.MsgspecError):
            yield msgspec.json.decode(line, type=KeptMessage)


def _lines_of(path: Path, *, must_exist: bool = False) -> list[bytes]:
    """Return the whole lines of a file; a power cut leaves half a line at the end."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if must_exist:
            raise
        return []
    return [line for line in content.splitlines(keepends=True) if line.startswith(b"{") and line.endswith(b"}\n")]


def _found(item: Frame | FrameError) -> Found:
    match item:
        case Frame():
            return Found(item.family, item.symbology, len(item.payload))
        case FrameError(reason):
            return Found(error=reason)


def _framed(raw: bytes, is_quiet: bool, framer: Framer) -> list[Frame | FrameError]:
    items = framer.receive(raw)
    if is_quiet:
        items += framer.flush()
    return items + ([FrameError(CUT)] if framer.reset() else [])


def _outcome(raw: bytes, line: KeptMessage) -> list[object]:
    """Return what has to stay the same: the frames, the framing errors, and the result of every check."""
    outcome: list[object] = []
    for item in _framed(raw, line.is_quiet, line._framer()):
        outcome.append(_found(item))
        if isinstance(item, Frame):
            outcome.append(item.unrecognised)
            said = read(item.payload, today=line.day, symbology=item.symbology, unrecognised=item.unrecognised)
            outcome += [said.kind, *((one.check, one.result) for one in said.verdicts)]
    return outcome
