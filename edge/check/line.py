"""One line of a check. PURE.

Owns its form. Always true: it names files, settings and machines, and nothing of a traveller or of a private key.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # it works, but not for long or not as meant
    FAILED = "failed"


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was looked at, how it is, what was found, and what to do about it."""

    what: str
    state: State
    detail: str = ""
    remedy: str = ""


def ok(what: str, detail: str = "") -> Line:
    """Return a good line."""
    return Line(what, State.OK, detail)


def warn(what: str, detail: str, remedy: str) -> Line:
    """Return a line that somebody should look at."""
    return Line(what, State.WARN, detail, remedy)


def failed(what: str, detail: str, remedy: str) -> Line:
    """Return a line that keeps the kiosk from its work."""
    return Line(what, State.FAILED, detail, remedy)
