"""The console as one ASGI application: its pages, who may ask for them, and what a page says that cannot be shown.

Owns the table of routes. Always true: every route that is not open to all names the right it needs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from time import monotonic

import jinja2
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from central.clock import utc_now
from central.config import ConsoleSettings, FleetSettings
from central.console import alerts_page, audit_page, fleet_page, kiosk_commands, kiosk_page, sign_in, words
from central.console.limits import RequestLimit
from central.console.live import Live
from central.console.passwords import Passwords
from central.console.rights import Right
from central.console.sessions import Sessions
from central.console.shield import Shield
from central.console.visit import Console, guarded, open_to_all
from central.fleet import view
from central.fleet.snapshot import Snapshot
from central.fleet.view import Standing
from central.fleet.words import Severity

HERE = Path(__file__).parent
_STATIC_FOR_S = 86_400


def console_app(
    engine: Engine,
    settings: ConsoleSettings,
    limits: FleetSettings,
    *,
    passwords: Passwords | None = None,
    now: Callable[[], datetime] = utc_now,
    limit: RequestLimit | None = None,
) -> Starlette:
    """Return the application; the database must be up to date."""
    passwords = passwords or Passwords()
    idle, longest = timedelta(minutes=settings.idle_min), timedelta(hours=settings.longest_h)
    sessions = Sessions(engine, passwords, idle=idle, longest=longest)
    app = Starlette(
        routes=_routes(),
        middleware=[Middleware(Shield, origins=settings.origins, limit=limit or RequestLimit(monotonic))],
        exception_handlers={HTTPException: _refused, SQLAlchemyError: _no_database, Exception: _fault},
    )
    snapshot = Snapshot(view.Fleet(engine, limits).at)
    app.state.console = Console(engine, settings, passwords, sessions, _templates(), snapshot, Live(now), now)
    return app


def _routes() -> list[Route | Mount]:
    look, tend = Right.LOOK, Right.TEND_ALERTS
    kiosk = "/kiosk/{site}/{lane}"
    return [
        Route("/", guarded(look, fleet_page.show)),
        Route("/live", guarded(look, fleet_page.stream, is_page=False)),
        Route("/sites", guarded(look, fleet_page.show_sites)),
        Route(kiosk, guarded(look, kiosk_page.show)),
        Route(f"{kiosk}/live", guarded(look, kiosk_page.stream, is_page=False)),
        Route(f"{kiosk}/history", guarded(look, kiosk_page.history, is_page=False)),
        Route(f"{kiosk}/command", guarded(Right.COMMAND, kiosk_commands.issue), methods=["POST"]),
        Route(f"{kiosk}/command/{{id}}", guarded(look, kiosk_commands.show)),
        Route("/alerts", guarded(look, alerts_page.show)),
        Route("/alerts/acknowledge", guarded(tend, alerts_page.acknowledge), methods=["POST"]),
        Route("/alerts/silence", guarded(tend, alerts_page.silence), methods=["POST"]),
        Route("/alerts/lift", guarded(tend, alerts_page.lift), methods=["POST"]),
        Route("/sign-in", open_to_all(sign_in.ask)),
        Route("/sign-in", open_to_all(sign_in.sign_in), methods=["POST"]),
        Route("/sign-out", guarded(look, sign_in.sign_out), methods=["POST"]),
        Route("/theme", open_to_all(sign_in.choose_theme), methods=["POST"]),
        Route("/account", guarded(look, sign_in.show_account)),
        Route("/account/password", guarded(look, sign_in.change_password), methods=["POST"]),
        Route("/account/totp", guarded(look, sign_in.offer_totp), methods=["POST"]),
        Route("/account/totp/confirm", guarded(look, sign_in.confirm_totp), methods=["POST"]),
        Route("/audit", guarded(Right.SEE_AUDIT_LOG, audit_page.show)),
        Mount("/static", _Static(directory=HERE / "static")),
    ]


class _Static(StaticFiles):
    """Files that come with the program; a page names them with the hash of their content."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = f"public, max-age={_STATIC_FOR_S}"
        return response


def _templates() -> Jinja2Templates:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words.FILTERS)
    environment.globals.update(static=_static_address, Right=Right, Severity=Severity, Standing=Standing)
    return Jinja2Templates(env=environment)


@cache
def _static_address(name: str) -> str:
    """Return the address of a file of the program, which is another one whenever its content is."""
    return f"/static/{name}?{hashlib.sha256((HERE / 'static' / name).read_bytes()).hexdigest()[:12]}"


_REMEDIES = {
    400: "Go back and try again.",
    403: "Go back to the page you came from, load it again and repeat what you did there.",
    404: "Check the address, or look for the kiosk in the fleet.",
    405: "Go back and use the buttons of the page.",
}


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = "There is no such page." if error.status_code == 404 and error.detail == "Not Found" else error.detail
    return _error_page(request, error.status_code, what, _REMEDIES.get(error.status_code, ""))


def _no_database(request: Request, _: Exception) -> Response:
    remedy = "See whether the database server runs, and what `journalctl -u landfall-console` says. Kiosks keep every"
    return _error_page(request, 503, "The database does not answer.", f"{remedy} crossing meanwhile; nothing is lost.")


def _fault(request: Request, _: Exception) -> Response:
    remedy = "Try again. If it stays, send the line with `fault:` in `journalctl -u landfall-console` to who looks"
    return _error_page(request, 500, "The console made a mistake.", f"{remedy} after Landfall.")


def _error_page(request: Request, status: int, what: str, remedy: str) -> Response:
    """Return a page that needs neither the database nor a session."""
    console: Console = request.app.state.console
    values = {"status": status, "what": what, "remedy": remedy}
    return console.templates.TemplateResponse(request, "error.html", values, status_code=status)
