"""The console's process: uvicorn with TLS, and live pages that end with it.

Owns what uvicorn is told. Always true: SIGTERM ends every stream and then the process.
"""

from __future__ import annotations

import uvicorn
from sqlalchemy import Engine
from starlette.applications import Starlette

from central.config import ConsoleSettings, FleetSettings
from central.console.app import console_app
from central.http_service import TLS_CIPHERS, HttpService, check_tls
from central.patience import PatientProtocol

GOODBYE_S = 5
_MAX_CONNECTIONS = 1000


def serve(engine: Engine, settings: ConsoleSettings, limits: FleetSettings) -> None:
    """Serve until SIGTERM or SIGINT; raise `SettingError` for a certificate that cannot be used."""
    check_tls(settings.certificate, settings.key, "console")
    app = console_app(engine, settings, limits)
    ready = f"the console is at {settings.origins[0]}"
    HttpService(configuration(app, settings), ready, app.state.console.live.end).run_until_signal()


def configuration(app: Starlette, settings: ConsoleSettings) -> uvicorn.Config:
    """Return how uvicorn is to serve the console."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        ssl_ciphers=TLS_CIPHERS,
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
