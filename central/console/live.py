"""A page that keeps itself up to date (server-sent events, HTML Living Standard 9.2).

Owns the stream: twice a second it looks, and sends what differs from what it sent before. Always true: streams of one
address share what is drawn; a stream ends with its session and with the program, and keeps no session alive; there are
never more than `MAX_STREAMS` of them, and a page without one is only not live.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Lock

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

EVERY_S = 0.5
LOOK_AT_SESSION_EVERY = 30
MAX_STREAMS = 200
_KEPT = 500  # pictures of different addresses


@dataclass(frozen=True, slots=True)
class Picture:
    """What a page shows, as escaped HTML: parts by the id of their element, and the rows of its table in order."""

    parts: Mapping[str, str]
    rows: Mapping[str, str] = field(default_factory=dict)

    def since(self, before: Picture) -> dict[str, object]:
        """Return what is new, empty for nothing; the order of rows is told when it is another one."""
        found: dict[str, object] = {}
        if parts := {name: str(html) for name, html in self.parts.items() if before.parts.get(name) != html}:
            found["parts"] = parts
        if rows := {name: str(html) for name, html in self.rows.items() if before.rows.get(name) != html}:
            found["rows"] = rows
        if list(self.rows) != list(before.rows):
            found["order"] = list(self.rows)
        return found


Draw = Callable[[datetime], Picture]


class Live:
    """All streams of one console; `now` is its clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = Lock()
        self._drawn: dict[str, tuple[datetime, Picture]] = {}
        self._streams = 0
        self._ends = Event()

    def end(self) -> None:
        """End every stream within a second; may be called from a signal."""
        self._ends.set()

    def follow(self, address: str, draw: Draw, is_allowed: Callable[[], bool]) -> StreamingResponse:
        """Return a stream of what `draw` shows at this address, as long as `is_allowed`."""
        if self._streams >= MAX_STREAMS or self._ends.is_set():
            raise HTTPException(503, "Too many pages are live; this one shows what it showed when it was loaded.")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(
            self._events(address, draw, is_allowed), media_type="text/event-stream", headers=headers
        )

    async def _events(self, address: str, draw: Draw, is_allowed: Callable[[], bool]) -> AsyncIterator[bytes]:
        self._streams += 1
        before, rounds = Picture({}), 0
        try:
            while not self._ends.is_set():
                if rounds % LOOK_AT_SESSION_EVERY == 0 and not await run_in_threadpool(is_allowed):
                    yield b"event: signed-out\ndata:\n\n"
                    return
                picture = await run_in_threadpool(self._picture, address, draw)
                if changed := picture.since(before):
                    yield b"data: " + msgspec.json.encode(changed) + b"\n\n"
                elif rounds % LOOK_AT_SESSION_EVERY == 0:
                    yield b": still here\n\n"
                before, rounds = picture, rounds + 1
                # At the whole half second, as all the others: what one of them reads and draws serves all.
                await asyncio.sleep(EVERY_S - self._now().timestamp() % EVERY_S)
        finally:
            self._streams -= 1

    def _picture(self, address: str, draw: Draw) -> Picture:
        with self._lock:
            now = self._now()
            at, picture = self._drawn.get(address, (None, None))
            if at is not None and picture is not None and timedelta(0) <= now - at < timedelta(seconds=EVERY_S / 2):
                return picture
            drawn = draw(now)
            if len(self._drawn) >= _KEPT:
                self._drawn.clear()
            self._drawn[address] = now, drawn
            return drawn
