"""A request for a new certificate, carried over the one connection to the broker that the present one has.

And the file by which the daemon has root's own command ask, since it writes no key itself. Owns which request is under
way and what was answered; runs in the main loop alone. Always true: the daemon carries and judges nothing: the request
holds its own proofs, and who asked for it verifies the answer as one that came by HTTPS.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from edge.events import RenewalAnswered
from edge.uplink.uplink import Said
from edge.wire.topics import renewal_request_topic

MAX_REQUEST_BYTES = 16 * 1024
WISH = "renew"  # landfall-renew.path waits for it


def wish(folder: Path) -> None:
    """Have the machine ask the centre now, as it does each night; raise OSError where the file cannot be written."""
    (folder / WISH).write_bytes(b"")


class Renewal:
    """Answers the verb `renew` of the control socket; `say` publishes."""

    def __init__(self, kiosk: str, say: Callable[[Said], None]) -> None:
        self._kiosk, self._say = kiosk, say
        self._request = b""
        self._answer = ""

    def answer(self, arguments: dict[str, Any], *, is_connected: bool) -> dict[str, Any]:
        """Send a request that is new, and return what was answered to it so far; empty while nothing was."""
        if not isinstance(arguments.get("request"), dict):
            return {"error": "a renewal needs its request"}
        request = msgspec.json.encode(arguments["request"])
        if len(request) > MAX_REQUEST_BYTES:
            return {"error": "the request is too long"}
        if request != self._request:
            if not is_connected:
                return {"error": "there is no connection to the broker"}
            self._request, self._answer = request, ""
            self._say(Said(renewal_request_topic(self._kiosk), request, is_owed=True))
        return {"answer": self._answer}

    def take(self, event: RenewalAnswered) -> None:
        """Keep what came for the request that is under way."""
        if self._request:
            self._answer = event.answer
