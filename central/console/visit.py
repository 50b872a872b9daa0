"""From a request to somebody who is signed in and may do what is asked.

Owns the cookies, the check of forms (Origin and token, OWASP CSRF) and the refusals. Always true: no page function runs
for somebody without the right it was registered with, and no POST is looked at whose form was not made here for this
visitor.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from central import database
from central.config import ConsoleSettings
from central.console import audit
from central.console.accounts import By
from central.console.live import Draw, Live
from central.console.passwords import Passwords
from central.console.rights import Right, who_may
from central.console.sessions import Sessions, SignedIn, csrf_token
from central.fleet.snapshot import Snapshot
from central.fleet.view import KioskView
from edge.errors import LandfallError

THEME_COOKIE = "landfall-theme"
THEMES = ("light", "dark")
TOKEN_FIELD = "form_token"
MAX_FIELDS = 50


@dataclass(frozen=True, slots=True)
class Console:
    """What every page needs; one for the whole life of the program."""

    engine: Engine
    settings: ConsoleSettings
    passwords: Passwords
    sessions: Sessions
    templates: Jinja2Templates
    snapshot: Snapshot
    live: Live
    now: Callable[[], datetime]

    @property
    def is_secure(self) -> bool:
        """Tell whether browsers see the console over TLS."""
        return all(origin.startswith("https:") for origin in self.settings.origins)

    @property
    def session_cookie(self) -> str:
        """Return the cookie's name; no other host or path can plant one with this prefix (RFC 6265bis, 4.1.3.2)."""
        return "__Host-landfall" if self.is_secure else "landfall"

    @property
    def browser_cookie(self) -> str:
        """Return the name of the cookie by which a browser is familiar to the accounts that signed in with it."""
        return f"{self.session_cookie}-browser"

    def set_cookie(self, response: Response, name: str, value: str, *, max_age_s: int | None = None) -> None:
        """Give the browser a cookie that no script gets, and no other site's form; a link in a mail may use it."""
        response.set_cookie(
            name, value, max_age=max_age_s, path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )


@dataclass(frozen=True, slots=True)
class Visit:
    """One request; `cookie` is the session id, or what stands in its place before anybody signed in."""

    request: Request
    console: Console
    now: datetime
    cookie: str = field(repr=False)
    form: FormData = field(repr=False)
    signed_in: SignedIn | None

    @property
    def who(self) -> SignedIn:
        """Return who is signed in; only where `guarded` let somebody in."""
        assert self.signed_in is not None
        return self.signed_in

    @property
    def by(self) -> By:
        """Return under which name the audit log has what is done."""
        return By(self.who.account.name, self.now, self.address)

    @property
    def address(self) -> str:
        """Return where the request came from."""
        return self.request.client.host if self.request.client else ""

    def text(self, name: str) -> str:
        """Return a field of the form; an upload counts as nothing."""
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    def show(self, template: str, values: Mapping[str, Any] | None = None, *, status: int = 200) -> Response:
        """Return a page."""
        theme = self.request.cookies.get(THEME_COOKIE, "")
        common = {
            "account": self.signed_in.account if self.signed_in else None,
            "token": csrf_token(self.cookie),
            "theme": theme if theme in THEMES else "",
            "now": self.now,
            "here": here(self.request),
        }
        response = self.console.templates.TemplateResponse(
            self.request, template, {**common, **(values or {})}, status_code=status
        )
        if self.request.cookies.get(self.console.session_cookie) != self.cookie:
            self.console.set_cookie(response, self.console.session_cookie, self.cookie)
        return response

    def logged(self, action: str, subject: str, detail: str, change: Callable[[], object]) -> None:
        """Write down what is asked for and then do it, so that nothing happens unwritten; raise 400 when refused."""
        engine = self.console.engine
        with database.writing(engine) as connection:
            audit.append(connection, self.by.deed(action, subject, detail), self.now)
        try:
            change()
        except LandfallError as error:
            with database.writing(engine) as connection:
                audit.append(connection, self.by.deed(f"{action}: refused", subject, error.message), self.now)
            raise HTTPException(400, sentence(error)) from None

    def live(self, address: str, draw: Draw) -> Response:
        """Return a stream that keeps a page up to date as long as the session counts."""
        console, cookie = self.console, self.cookie
        return console.live.follow(
            address, draw, lambda: console.sessions.of(cookie, console.now(), is_seen=False) is not None
        )


def sentence(error: LandfallError) -> str:
    """Return what an error says and what to do, as a page says it."""
    return f"{str(error)[:1].upper()}{str(error)[1:]}."


Answer = Callable[[Visit], Response]


def open_to_all(answer: Answer) -> Callable[[Request], Any]:
    """Return the endpoint of a page that nobody needs to be signed in for."""
    return _endpoint(answer)


def guarded(right: Right, answer: Answer, *, is_page: bool = True) -> Callable[[Request], Any]:
    """Return the endpoint of a page for those with a right; the others are sent to the sign-in, or refused.

    What is no page, but asked for by one, is refused to them at once.
    """

    def checked(visit: Visit) -> Response:
        if visit.signed_in is None and not is_page:
            raise HTTPException(401, "Nobody is signed in.")
        if visit.signed_in is None:
            return RedirectResponse(f"/sign-in?next={quote(here(visit.request), safe='')}", 303)
        if not visit.signed_in.account.may(right):
            raise HTTPException(403, f"To {right} is for accounts with the role {who_may(right)}.")
        return answer(visit)

    return _endpoint(checked)


def _endpoint(answer: Answer) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        form = await _form(request) if request.method == "POST" else FormData()
        return await run_in_threadpool(lambda: answer(visit_of(request, form)))

    return endpoint


def visit_of(request: Request, form: FormData | None = None) -> Visit:
    """Return who asks; reads the database."""
    console: Console = request.app.state.console
    now, cookie = console.now(), request.cookies.get(console.session_cookie, "")
    signed_in = console.sessions.of(cookie, now) if cookie else None
    return Visit(request, console, now, cookie or secrets.token_urlsafe(32), form or FormData(), signed_in)


def here(request: Request) -> str:
    """Return path and query of a page that was asked for; a form leads back to the first page."""
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def local_path(text: str) -> str:
    """Return a path of the console to go on to; anything that a browser may take for another site is the first page."""
    is_local = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_local else "/"


def kiosk_named(visit: Visit) -> KioskView:
    """Return the kiosk that the address names; raise 404 when nobody registered it."""
    name = f"{visit.request.path_params['site']}/{visit.request.path_params['lane']}"
    one = visit.console.snapshot.kiosk(name, visit.now)
    if one is None:
        raise HTTPException(404, "No kiosk of that name is registered.")
    return one


async def _form(request: Request) -> FormData:
    """Return the fields of a form that was made here for this visitor; raise 403 for any other."""
    console: Console = request.app.state.console
    if request.headers.get("origin", "") not in console.settings.origins:
        raise HTTPException(403, "The form came from another page than one of this console.")
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Only the forms of this console are understood.")
    try:
        form = await request.form(max_fields=MAX_FIELDS)
    except ClientDisconnect:
        raise HTTPException(413, "The form is too large.") from None
    given, cookie = form.get(TOKEN_FIELD, ""), request.cookies.get(console.session_cookie, "")
    is_ours = isinstance(given, str) and hmac.compare_digest(given.encode(), csrf_token(cookie).encode())
    if not cookie or not is_ours:
        raise HTTPException(403, "The form is too old, or the browser keeps no cookies.")
    return form
