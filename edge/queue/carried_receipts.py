"""Hand receipts that were carried here to the running kiosk, which judges them as if they had come by MQTT.

Owns how a file is read and handed over in pieces that the control socket takes. Always true: this process judges and
releases nothing; a kiosk that does not run cannot take receipts, because one writer alone may change the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge.control import ask
from edge.errors import ContractError, LandfallError
from edge.wire.carried import decode_receipts, receipts_name

MAX_FILE_BYTES = 16 * 1024 * 1024
_TAKEN = ("held", "no_news", "unreadable_here")
_PIECE = 12  # receipts in one request, which may have 64 KiB


def read_receipts(path: Path, kiosk: str) -> list[str]:
    """Return the receipts in a file, or in the file for this kiosk in a folder; raise `LandfallError` otherwise."""
    if path.is_dir():
        path = path / receipts_name(kiosk)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise LandfallError(
            f"{path}: cannot be read ({error.strerror})", remedy="give the file that `landfall-central import` wrote"
        ) from None
    try:
        return decode_receipts(content[:MAX_FILE_BYTES])
    except ContractError as error:
        raise LandfallError(f"{path}: {error.message}", remedy="fetch it from the centre again") from None


def hand_over(socket: Path, receipts: list[str], progress: Callable[[int, int], None]) -> list[dict[str, Any]]:
    """Give receipts to the running kiosk and return what it says of each, in order.

    Each answer has `meaning` and, of a receipt that the centre signed, `kiosk`, `stream`, `epoch` and `held_up_to`.
    """
    answers: list[dict[str, Any]] = []
    for piece in _pieces(receipts):
        answers += ask(socket, "receipts", receipts=piece)["receipts"]
        progress(len(answers), len(receipts))
    return answers


def is_taken(answer: dict[str, Any]) -> bool:
    """Tell whether the kiosk followed a receipt, or had no need to."""
    return answer["meaning"] in _TAKEN


def _pieces(receipts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(receipts), _PIECE):
        yield receipts[start : start + _PIECE]
