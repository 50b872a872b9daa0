"""How long an HTTP server waits for a request: not for ever, or a hundred silent connections shut everybody out.

Owns that limit alone; uvicorn has one for what is idle between two requests, and none for a request that comes byte by
byte. Always true: an answer takes as long as it takes, since a live page is an answer without an end.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

REQUEST_WITHIN_S = 15.0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on who has not sent a whole request after `within_s`, or twice that on a later one."""

    within_s = REQUEST_WITHIN_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, and begin to look at it."""
        super().connection_made(transport)
        self._next_look = self.loop.call_later(self.within_s, self._look, None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection."""
        self._next_look.cancel()
        super().connection_lost(exc)

    def _look(self, before: RequestResponseCycle | PatientProtocol | None) -> None:
        """Hang up when no request was whole, neither now nor at the look before."""
        cycle = self.cycle
        is_waiting = cycle is None or cycle.response_complete or cycle.more_body
        if is_waiting and cycle is before:
            self.transport.abort()
            return
        self._next_look = self.loop.call_later(self.within_s, self._look, cycle if is_waiting else self)
