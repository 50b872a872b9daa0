"""`landfall read`: one payload from an argument, a file or standard input, and what the standards say of it.

Owns where the bytes come from and the exit status: 0 read and good, 1 read with failed checks, 2 not understood. Always
true: nothing is kept; this is the same `edge.documents.read` that the kiosk runs.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

from edge.documents.read import read
from edge.documents.verdict import Result
from edge.errors import LandfallError

MAX_PAYLOAD_BYTES = 64 * 1024


def read_once(
    payload: str | None, *, file: Path | None, symbology: str | None, today: str | None, as_json: bool
) -> int:
    """Read one document, print it, and return the exit status."""
    from edge.screen import print_document, print_json

    document = read(_bytes(payload, file), today=_day(today), symbology=symbology)
    print_json(document) if as_json else print_document(document)
    if not document.is_understood:
        return 2
    return 1 if document.of(Result.FAILED) else 0


def _bytes(payload: str | None, file: Path | None) -> bytes:
    """Return the payload; `\\n` and `\\r` typed as two characters in an argument are line ends."""
    if file is not None and payload is not None:
        raise LandfallError("give a payload or --file, not both")
    try:
        if file is not None:
            found = file.read_bytes()
        elif payload is None or payload == "-":
            found = sys.stdin.buffer.read(MAX_PAYLOAD_BYTES + 1)
        else:
            found = payload.replace("\\n", "\n").replace("\\r", "\r").encode("utf-8", "surrogateescape")
    except OSError as error:
        raise LandfallError(f"{file}: cannot be read ({error.strerror})") from None
    if len(found) > MAX_PAYLOAD_BYTES:
        raise LandfallError(f"the payload is larger than {MAX_PAYLOAD_BYTES} bytes, which no document is")
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
