"""`landfall read`: documents from an argument, a file, a picture or a reader's black box, and what the standards say.

Owns where the bytes come from and the exit status: 0 read and good, 1 read with failed checks, 2 not understood; of
several documents the worst counts. Always true: nothing is kept; this is the same `edge.documents.read` that the kiosk
runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from edge.documents.read import read
from edge.documents.verdict import Document, Result
from edge.errors import LandfallError
from hw.devices import Frame
from hw.framing import FrameError

MAX_PAYLOAD_BYTES = 64 * 1024
MAX_PICTURE_BYTES = 64 * 1024 * 1024

Outcome = Document | FrameError


def read_once(
    payload: str | None,
    *,
    file: Path | None,
    symbology: str | None,
    today: str | None,
    as_json: bool,
    trust: Path | None = None,
    health: bool = False,
) -> int:
    """Read one document, print it, and return the exit status."""
    from edge.screen import print_document, print_json

    document = _reading(trust, health)(_payload(payload, file), today=_day(today), symbology=symbology)
    print_json(document) if as_json else print_document(document)
    return _status(document)


def read_picture(picture: Path, *, today: str | None, as_json: bool, trust: Path | None, health: bool) -> int:
    """Read the machine readable zone and every barcode in a picture, print them, and return the worst exit status.

    Raises LandfallError for a picture without any.
    """
    from edge.screen import print_document, print_json

    try:
        from hw.page.documents import DocumentFinder
        from hw.picture import PictureError
    except ImportError as error:
        raise LandfallError(
            f"{error.name} is not installed", remedy="install landfall with the extra `pi`, which reads pictures"
        ) from None

    try:
        frames = DocumentFinder().documents(_content(picture, MAX_PICTURE_BYTES, "picture"))
    except PictureError as error:
        raise LandfallError(f"{picture}: {error}", remedy="give a PNG or JPEG") from None
    if not frames:
        raise LandfallError(
            f"{picture}: no machine readable zone and no barcode was found",
            remedy="hold the camera straight and closer: 10 pixels a character, 6 a module of a barcode, or more",
        )
    reading, day = _reading(trust, health), _day(today)
    documents = [_understood(frame, reading, day) for frame in frames]
    for document in documents:
        print_json(document) if as_json else print_document(document)
    return max(map(_status, documents))


def replay(black_box: Path, *, today: str | None, as_json: bool, trust: Path | None, health: bool) -> int:
    """Put the messages of a black box through framing and reading again, and return the worst exit status.

    Each is checked as of the day on which it came, unless another is given. A framing error counts as not understood;
    a message whose bytes were withheld is shown and does not count. JSON is one line a message.
    """
    from edge.screen import print_json, print_replayed
    from hw.black_box import load

    try:
        messages = list(load(black_box))
    except OSError as error:
        raise LandfallError(f"{black_box}: cannot be read ({error.strerror})") from None
    if not messages:
        raise LandfallError(f"{black_box}: holds no message", remedy="give a reader's file <name>.blackbox.jsonl")
    reading, worst = _reading(trust, health), 0
    for number, message in enumerate(messages, start=1):
        day = message.day if today is None else _day(today)
        try:
            items = [] if message.withheld else message.replay()
        except ValueError:
            raise LandfallError(f"{black_box}: message {number} has bytes or settings that are none") from None
        outcomes = [item if isinstance(item, FrameError) else _understood(item, reading, day) for item in items]
        if as_json:
            print_json({"message": number, "kept": message, "replayed": [_for_programs(one) for one in outcomes]})
        else:
            print_replayed(message, outcomes, number=number, of=len(messages))
        worst = max([worst, *map(_status, outcomes)])
    return worst


def _reading(trust: Path | None, health: bool) -> Callable[..., Document]:
    """Return `read` with the trust list and the switch put in; raises SettingError for a list that cannot be read."""
    if trust is None:
        return partial(read, health=health)
    from edge.trust_file import load

    return partial(read, trust=load(trust), health=health)


def _understood(frame: Frame, reading: Callable[..., Document], day: date | None) -> Document:
    return reading(frame.payload, today=day, symbology=frame.symbology, unrecognised=frame.unrecognised)


def _for_programs(outcome: Outcome) -> dict[str, object]:
    return {"error": outcome.reason} if isinstance(outcome, FrameError) else {"document": outcome}


def _status(outcome: Outcome) -> int:
    if isinstance(outcome, FrameError) or not outcome.is_understood:
        return 2
    return 1 if outcome.of(Result.FAILED) else 0


def _payload(payload: str | None, file: Path | None) -> bytes:
    """Return the payload; `\\n` and `\\r` typed as two characters in an argument are line ends."""
    if file is not None and payload is not None:
        raise LandfallError("give a payload or --file, not both")
    if file is not None:
        return _content(file, MAX_PAYLOAD_BYTES, "payload")
    if payload is None or payload == "-":
        return _bounded(sys.stdin.buffer.read(MAX_PAYLOAD_BYTES + 1), MAX_PAYLOAD_BYTES, "payload")
    typed = payload.replace("\\n", "\n").replace("\\r", "\r").encode("utf-8", "surrogateescape")
    return _bounded(typed, MAX_PAYLOAD_BYTES, "payload")


def _content(file: Path, most: int, what: str) -> bytes:
    try:
        with file.open("rb") as opened:
            return _bounded(opened.read(most + 1), most, what)
    except OSError as error:
        raise LandfallError(f"{file}: cannot be read ({error.strerror})") from None


def _bounded(found: bytes, most: int, what: str) -> bytes:
    if len(found) > most:
        raise LandfallError(f"the {what} is larger than {most} bytes, which none is")
    return found


def _day(text: str | None) -> date | None:
    if text == "unset":
        return None
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise LandfallError("--today takes a day such as 2026-11-22, or `unset`") from None
