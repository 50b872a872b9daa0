"""The error tree of Landfall.

Owns every exception that the project raises on purpose, and how the place of any other is written. Always true: a
message says what is wrong, where, and what to do about it, and never carries personal data; facts that a screen may
want are attributes.
"""

from __future__ import annotations

from pathlib import Path
from traceback import walk_tb
from types import TracebackType


class LandfallError(Exception):
    """Base of every error that Landfall raises on purpose.

    `remedy` is one sentence that tells the reader what to do; it is part of the text when it is not empty.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{message}; {remedy}" if remedy else message)
        self.message = message
        self.remedy = remedy


class SettingError(LandfallError):
    """A setting is missing, of the wrong type or out of its range. Exit status 2.

    `file`, `key` and `right` (what would be right) are attributes: `kiosk.toml: uplink.port must be 1-65535, got
    99999`.
    """

    def __init__(self, file: str, key: str, right: str, *, got: object = None) -> None:
        self.file, self.key, self.right = file, key, right
        shown = "" if got is None else f", got {got}"
        super().__init__(f"{file}: {key} {right}{shown}" if key else f"{file}: {right}{shown}")


class ContractError(LandfallError):
    """Bytes from the wire do not have the form that `edge.wire` describes."""


class SealError(LandfallError):
    """A key could not be loaded, or a signature or letter is not valid."""


class ProvisioningError(LandfallError):
    """A key, certificate, bundle or file cannot be made or used as asked."""


class KeyDropped(SealError):
    """The key that signs records was dropped because the case was opened."""

    def __init__(self) -> None:
        super().__init__("the signing key was dropped because the case was opened", remedy="see `landfall rearm`")


class StoreError(LandfallError):
    """The local cache could not do what was asked."""


class StreamsOnlyGrow(StoreError):
    """Somebody asked a stream to change or drop a record; streams are append-only until a receipt releases them."""


class StoreFull(StoreError):
    """The disk has no room for the record; the lane must go to paper mode."""


class StoreDamaged(StoreError):
    """SQLite reports a damaged file; a restart salvages what can be read."""


def place_of(trace: TracebackType | None) -> str:
    """Return where an error was raised, `store.py:12`; with its kind, this is what a log tells of an unexpected one."""
    raised_in = [(frame.f_code.co_filename, line) for frame, line in walk_tb(trace)]
    if not raised_in:
        return "unknown"
    file, line = raised_in[-1]
    return f"{Path(file).name}:{line}"
