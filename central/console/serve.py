"""The console's process: uvicorn, TLS, systemd and the journal.

Owns how it starts, tells that it lives, and ends. Always true: no line of the log holds an address with its query, a
form or a cookie; SIGTERM ends every stream and then the process, with exit status 0.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import traceback
from pathlib import Path
from types import FrameType

import uvicorn
from sqlalchemy import Engine
from starlette.applications import Starlette

from central.config import ConsoleSettings, FleetSettings
from central.console.app import console_app
from central.console.live import Live
from central.journal import ERROR, INFO, NOTICE, WARNING, log, notify
from central.patience import PatientProtocol

GOODBYE_S = 5
HEARTBEAT_S = 5.0
_MAX_CONNECTIONS = 1000


def serve(engine: Engine, settings: ConsoleSettings, limits: FleetSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises the signal again after an orderly end
    _log_to_journal()
    app = console_app(engine, settings, limits)
    Server(configuration(app, settings), settings.origins[0], app.state.console.live).run()


def configuration(app: Starlette, settings: ConsoleSettings) -> uvicorn.Config:
    """Return how uvicorn is to serve the console."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=GOODBYE_S,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
    )


class Server(uvicorn.Server):
    """Tells systemd that it is ready and that its loop turns, and ends the streams before it waits for them."""

    def __init__(self, configuration: uvicorn.Config, address: str, live: Live) -> None:
        super().__init__(configuration)
        self._address = address
        self._live = live
        self._heartbeat: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            log(NOTICE, f"the console is at {self._address}")
            notify("READY=1")
            self._heartbeat = asyncio.create_task(_beat())

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        notify("STOPPING=1")
        self._live.end()
        super().handle_exit(sig, frame)


async def _beat() -> None:
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(HEARTBEAT_S)


class _Journal(logging.Handler):
    """What libraries log, in the form of the centre's own lines; of a fault only its kind and place."""

    def emit(self, record: logging.LogRecord) -> None:
        priority = ERROR if record.levelno >= logging.ERROR else WARNING
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            log(priority if record.levelno >= logging.WARNING else INFO, record.getMessage())
            return
        place = traceback.extract_tb(error.__traceback__)[-1]
        log(ERROR, f"fault: {type(error).__name__} at {Path(place.filename).name}:{place.lineno}")


def _log_to_journal() -> None:
    logging.basicConfig(handlers=[_Journal()], level=logging.WARNING, force=True)
