"""The enrolment desk over HTTPS: where a kiosk shows its code, renews, and looks for the centre's new keys.

Owns routes, limits and status codes; `desk` decides. TLS shows a certificate of the deployment's own authority, which a
kiosk has pinned before it calls. Always true: nobody is asked for a certificate, since who calls has none yet, or one
that ran out; a body has at most 20 KiB and ten seconds; one address has so many tries a minute; nothing that was sent
is logged.

    POST /v1/enrol         {"code": "...", "request": {...}}   -> 200 the signed answer, a JWS
    POST /v1/renew         {"request": {...}}                  -> 200 the signed answer, a JWS
    GET  /v1/centre-keys                                       -> 200 the centre's public keys, signed
    anything else                                              -> 4xx {"error": "...", "remedy": "..."}
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
import uvicorn
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from central.addresses import subscriber
from central.config import EnrolmentSettings
from central.enrolment.desk import Desk, EnrolmentRefused, Why
from central.http_service import TLS_CIPHERS, HttpService
from central.patience import PatientProtocol
from edge.errors import ContractError, LandfallError
from edge.identity.enrolment import decode_request

MAX_BODY_BYTES = 20 * 1024
BODY_WITHIN_S = 10.0
MOST_CONNECTIONS = 100
MOST_ADDRESSES = 4096
WRONG_CODE_TRIES = 4  # that a wrong code costs besides its own
JOSE = "application/jose"  # RFC 7515, 9.2.1


class _Body(msgspec.Struct, frozen=True):
    """What is posted; the request is parsed by whoever owns its form."""

    request: msgspec.Raw
    code: str = ""


@dataclass(slots=True)
class Pace:
    """How often one address may try: so many at once, and as many again each minute. Forgets the oldest addresses."""

    per_minute: int
    clock_s: Callable[[], float]
    _seen: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def allows(self, address: str) -> bool:
        """Take one try of an address, if it has any left."""
        now_s = self.clock_s()
        left, at_s = self._seen.pop(address, (float(self.per_minute), now_s))
        left = min(self.per_minute, left + (now_s - at_s) * self.per_minute / 60)
        is_allowed = left >= 1
        self._seen[address] = (left - is_allowed, now_s)
        while len(self._seen) > MOST_ADDRESSES:
            self._seen.popitem(last=False)
        return is_allowed

    def slow_down(self, address: str) -> None:
        """Let a wrong code cost its address more than one try; what it has left never falls below none."""
        if address in self._seen:
            left, at_s = self._seen[address]
            self._seen[address] = (max(0.0, left - WRONG_CODE_TRIES), at_s)


class _TooMuch(LandfallError):
    """The body is too long, or does not come."""


def application(desk: Desk, pace: Pace) -> Starlette:
    """Return the application; it holds no state besides `pace`."""

    async def enrol(request: Request) -> Response:
        body = await _body(request)
        return await _answer(lambda: desk.enrol(decode_request(bytes(body.request)), body.code))

    async def renew(request: Request) -> Response:
        body = await _body(request)
        return await _answer(lambda: desk.renew(decode_request(bytes(body.request))))

    async def centre_keys(request: Request) -> Response:
        return await _answer(desk.signed_centre_keys)

    def paced(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            address = subscriber(request.client.host if request.client else "")
            if not pace.allows(address):
                return _error(429, LandfallError("too many tries", remedy="wait a minute"))
            try:
                return await endpoint(request)
            except _TooMuch as error:
                return _error(413, error)
            except EnrolmentRefused as error:
                if error.why is Why.CODE:
                    pace.slow_down(address)
                return _error(403, error)
            except LandfallError as error:
                return _error(400, error)
            except SQLAlchemyError:
                return _error(503, LandfallError("the centre's database does not answer", remedy="try again later"))
            except ClientDisconnect:
                return Response(status_code=400)

        return run

    return Starlette(
        routes=[
            Route("/v1/enrol", paced(enrol), methods=["POST"]),
            Route("/v1/renew", paced(renew), methods=["POST"]),
            Route("/v1/centre-keys", paced(centre_keys), methods=["GET"]),
        ]
    )


def server(settings: EnrolmentSettings, app: Starlette) -> HttpService:
    """Return the server with its TLS and its limits."""
    return HttpService(
        uvicorn.Config(
            app,
            host=settings.listen,
            port=settings.port,
            ssl_certfile=settings.certificate,
            ssl_keyfile=settings.key,
            ssl_ciphers=TLS_CIPHERS,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=16 * 1024,
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            log_config=None,
            access_log=False,
        ),
        f"kiosks enrol at {settings.address}",
    )


async def _body(request: Request) -> _Body:
    async def read() -> bytes:
        content = b""
        async for piece in request.stream():
            content += piece
            if len(content) > MAX_BODY_BYTES:
                raise _TooMuch("the request is too long")
        return content

    try:
        content = await asyncio.wait_for(read(), BODY_WITHIN_S)
    except TimeoutError:
        raise _TooMuch("the request did not come within ten seconds") from None
    try:
        return msgspec.json.decode(content, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ContractError("this is not a request") from None


async def _answer(ask: Callable[[], str]) -> Response:
    """Ask the desk, which waits for the database, on a thread of its own."""
    return PlainTextResponse(await run_in_threadpool(ask), media_type=JOSE)


def _error(status: int, error: LandfallError) -> Response:
    content = msgspec.json.encode({"error": error.message, "remedy": error.remedy})
    return Response(content, status_code=status, media_type="application/json")
