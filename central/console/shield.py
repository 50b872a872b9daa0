"""What every answer carries and every request must pass, before any page sees it (OWASP secure headers; CSP Level 3).

Owns the security headers, the check of `Host`, the limits of size and number. Always true: nothing inline runs, nothing
comes from elsewhere, nothing may frame the console, and a page is kept in no cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from central.addresses import subscriber
from central.console.limits import RequestLimit

MAX_BODY_BYTES = 64 * 1024
STATIC = "/static/"
_SOURCES = ("script-src", "style-src", "img-src", "connect-src", "form-action")
_POLICY = "; ".join(
    ["default-src 'none'", *(f"{source} 'self'" for source in _SOURCES), "base-uri 'none'", "frame-ancestors 'none'"]
)
HEADERS = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
TLS_HEADERS = {"strict-transport-security": "max-age=31536000"}


class Shield:
    """Middleware around the whole console; `origins` are those under which browsers may see it."""

    def __init__(self, app: ASGIApp, *, origins: Iterable[str], limit: RequestLimit) -> None:
        self._app = app
        self._hosts = {urlsplit(origin).netloc for origin in origins}
        is_tls = all(origin.startswith("https:") for origin in origins)
        self._headers = {**HEADERS, **(TLS_HEADERS if is_tls else {})}
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once what is not fit to pass; give everything else its headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, _Bounded(receive).receive, send_with_headers)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if headers.get("host", "") not in self._hosts:
            # Another name for this address may be an attempt to make a browser talk to it (DNS rebinding).
            return PlainTextResponse("This is not the address of the console; see console.origin.\n", 421)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal()) or int(length) > MAX_BODY_BYTES:
            return PlainTextResponse("The request is too large.\n", 413)
        if scope["path"].startswith(STATIC):
            return None
        wait_s = self._limit.take(subscriber((scope.get("client") or ("", 0))[0]))
        if wait_s:
            after = {"retry-after": str(math.ceil(wait_s))}
            return PlainTextResponse("Too many requests; wait a moment.\n", 429, headers=after)
        return None


class _Bounded:
    """A body that ends where too much of it came: without a length nothing else stops it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left_bytes = MAX_BODY_BYTES

    async def receive(self) -> Message:
        """Pass on what came; a body above the limit counts as a client that went away."""
        message = await self._receive()
        self._left_bytes -= len(message.get("body", b""))
        return message if self._left_bytes >= 0 else {"type": "http.disconnect"}
