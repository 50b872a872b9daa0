"""An HTTP server of the centre as a service of systemd: uvicorn, its log and its signs of life.

Owns how such a process starts, tells that it lives, and ends. Always true: READY=1 is said once the port listens, and
not before; no line of the log holds an address with its query, a form or a cookie; SIGTERM ends the process with exit
status 0.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from central.journal import ERROR, INFO, NOTICE, WARNING, log, notify, told
from edge.errors import SettingError

HEARTBEAT_S = 5.0
TLS_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of TLS 1.3 are good as they come (RFC 9325, 4.2)


def check_tls(certificate: Path | None, key: Path | None, section: str) -> None:
    """Raise `SettingError` when a server's certificate and key cannot be used, before uvicorn stumbles over them."""
    if certificate is None or key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError):
        right = f"must be the PEM files of a certificate and its key, which this user can read: {certificate}, {key}"
        raise SettingError("", f"{section}.certificate and {section}.key", right) from None


class HttpService(uvicorn.Server):
    """Serve what `configuration` says; `ready` is logged when it listens, `on_end` called when it is to end."""

    def __init__(self, configuration: uvicorn.Config, ready: str, on_end: Callable[[], None] = lambda: None) -> None:
        super().__init__(configuration)
        self._ready = ready
        self._on_end = on_end
        self._heartbeat: asyncio.Task[None] | None = None

    def run_until_signal(self) -> None:
        """Serve until SIGTERM or SIGINT, with the log in the form of the journal; for a process's main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)  # uvicorn raises the signal again after an orderly end
        logging.basicConfig(handlers=[_Journal()], level=logging.WARNING, force=True)
        self.run()

    async def startup(self, sockets: list[object] | None = None) -> None:
        """Listen, then tell systemd."""
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            log(NOTICE, self._ready)
            notify("READY=1")
            self._heartbeat = asyncio.create_task(_beat())

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal: no new request, and the end after those that are under way."""
        notify("STOPPING=1")
        self._on_end()
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
        if error is not None:
            log(ERROR, told(error))
            return
        log(priority if record.levelno >= logging.WARNING else INFO, record.getMessage())
