"""The running kiosk, as who sets it up sees it: what happens at its devices, and practice as long as somebody looks.

Owns the cursor into what happened, and the lease of practice, which it renews while it is asked. Always true: a daemon
that ends meanwhile is a `LandfallError` that says so.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge.control import ask
from edge.errors import LandfallError

LEASE_S = 60.0
RENEW_S = 20.0
POLL_S = 0.1

Happening = dict[str, Any]


class RunningKiosk:
    """Asks the daemon behind a control socket; `monotonic` is the clock of whoever waits."""

    def __init__(self, socket: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._socket, self._monotonic = socket, monotonic
        self._last, self._renew_at_s = 0, float("inf")

    def status(self) -> dict[str, Any]:
        """Return what the kiosk says of itself."""
        return ask(self._socket, "status")

    def begin_practice(self) -> None:
        """Have crossings marked as practice; raises `LandfallError` while somebody is at a lane."""
        ask(self._socket, "practice", for_s=LEASE_S)
        self._renew_at_s = self._monotonic() + RENEW_S

    def keep_practising(self) -> None:
        """Renew practice when it is time; call it at least every ten seconds."""
        if self._monotonic() >= self._renew_at_s:
            self.begin_practice()

    def keep_practising_quietly(self) -> None:
        """Do the same while somebody thinks; what goes wrong comes up when something is asked of the kiosk."""
        with contextlib.suppress(LandfallError):
            self.keep_practising()

    def end_practice(self) -> None:
        """Let crossings count again; a kiosk that is gone has ended it by itself."""
        self._renew_at_s = float("inf")
        with contextlib.suppress(LandfallError):
            ask(self._socket, "practice", for_s=0)

    def forget(self) -> None:
        """Pass over what has happened up to now."""
        self._last = ask(self._socket, "recent", after=self._last)["last"]

    def happenings(self) -> Iterator[Happening]:
        """Yield what has happened since; what is not taken out is yielded the next time."""
        self.keep_practising()
        told = ask(self._socket, "recent", after=self._last)
        if told["last"] < self._last:  # the daemon has started anew and counts from one
            self._last = 0
            told = ask(self._socket, "recent", after=0)
        for one in told["happenings"]:
            self._last = one["number"]
            yield one

    def take_photo(self, lane: str) -> str:
        """Ask a lane's camera for a photo that nobody keeps, and return the request."""
        return ask(self._socket, "practice_photo", lane=lane)["request"]

    def show(self, lane: str, signal: str) -> None:
        """Show a signal on the panel of a lane; `ready` gives the panel back to it."""
        ask(self._socket, "practice_signal", lane=lane, signal=signal)

    def sign(self, report: dict[str, Any]) -> dict[str, Any]:
        """Have a report signed and put on the audit stream; return the JWS and its digest."""
        return ask(self._socket, "accepted", report=report)
