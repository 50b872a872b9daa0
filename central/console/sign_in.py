"""The pages to sign in, to sign out, and to look after one's own account and the theme.

Owns what these forms say and where they lead. Always true: signing in gives a new session id, whatever the browser
brought; a page that changes an account asks for its password again.
"""

from __future__ import annotations

import segno
from starlette.responses import RedirectResponse, Response

from central.console import accounts, totp
from central.console.familiar import FORGOTTEN_AFTER
from central.console.passwords import MIN_CHARS
from central.console.sessions import Attempt, SignInRefused, TooManyAttempts
from central.console.visit import THEME_COOKIE, THEMES, Visit, local_path, sentence
from edge.errors import LandfallError

YEAR_S = 365 * 86_400


def ask(visit: Visit) -> Response:
    """Show the form, or go on when somebody is signed in."""
    onwards = local_path(visit.request.query_params.get("next", "/"))
    return RedirectResponse(onwards, 303) if visit.signed_in else visit.show("sign_in.html", {"next": onwards})


def sign_in(visit: Visit) -> Response:
    """Begin a session, or show the form again and say no more than that it did not fit."""
    onwards = local_path(visit.text("next"))
    console = visit.console
    token = visit.request.cookies.get(console.browser_cookie, "")
    attempt = Attempt(visit.text("name").strip(), visit.text("password"), visit.text("code"), visit.address, token)
    try:
        entered = console.sessions.sign_in(attempt, visit.now)
    except SignInRefused:
        values = {"next": onwards, "fault": "Name, password or code is not right. Check all three and try again."}
        return visit.show("sign_in.html", values, status=401)
    except TooManyAttempts as error:
        values = {"next": onwards, "fault": f"Too many attempts. Wait {error.wait_s} seconds and try again."}
        response = visit.show("sign_in.html", values, status=429)
        response.headers["retry-after"] = str(error.wait_s)
        return response
    response = RedirectResponse(onwards, 303)
    console.set_cookie(response, console.session_cookie, entered.session_id)
    console.set_cookie(response, console.browser_cookie, entered.token, max_age_s=int(FORGOTTEN_AFTER.total_seconds()))
    return response


def sign_out(visit: Visit) -> Response:
    """End the session and forget the cookie."""
    visit.console.sessions.end(visit.who, visit.by)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(visit.console.session_cookie, secure=visit.console.is_secure, httponly=True)
    return response


def choose_theme(visit: Visit) -> Response:
    """Keep light or dark in a cookie; anything else is what the system says."""
    response = RedirectResponse(local_path(visit.text("here")), 303)
    theme = visit.text("theme")
    visit.console.set_cookie(response, THEME_COOKIE, theme if theme in THEMES else "", max_age_s=YEAR_S)
    return response


def show_account(visit: Visit) -> Response:
    """Show one's own account."""
    return _account_page(visit)


def change_password(visit: Visit) -> Response:
    """Take a new password, if the old one is right."""
    name, new = visit.who.account.name, visit.text("new_password")
    try:
        _check_password(visit)
        if new != visit.text("new_password_again"):
            raise LandfallError("the two new passwords differ", remedy="type it again")
        accounts.set_password(
            visit.console.engine, name, new, visit.console.passwords, visit.by, keep=visit.who.id_hash
        )
    except LandfallError as error:
        return _account_page(visit, fault=error)
    return _account_page(visit, done="The password is new. Every other session of this account has ended.")


def offer_totp(visit: Visit) -> Response:
    """Show a new key for an authenticator; it counts once a code of it came back."""
    try:
        _check_password(visit)
    except LandfallError as error:
        return _account_page(visit, fault=error)
    secret, _ = totp.new_secret(visit.who.account.name)
    return _account_page(visit, secret=secret)


def confirm_totp(visit: Visit) -> Response:
    """Ask for codes from now on, if the authenticator shows the right one."""
    secret = visit.text("secret")
    try:
        _check_password(visit)
        step = totp.step_of(secret, visit.text("code"), visit.now, after=0) if totp.is_secret(secret) else None
        if step is None:
            raise LandfallError(
                "the code is not right", remedy="check the clock of the authenticator and type the present code"
            )
    except LandfallError as error:
        return _account_page(visit, fault=error, secret=secret if totp.is_secret(secret) else "")
    name = visit.who.account.name
    accounts.set_totp(visit.console.engine, name, secret, visit.by, step=step, keep=visit.who.id_hash)
    return RedirectResponse("/account?done=totp", 303)


def _account_page(visit: Visit, *, fault: LandfallError | None = None, done: str = "", secret: str = "") -> Response:
    if visit.request.query_params.get("done") == "totp":
        done = "From now on signing in takes a one-time code."
    values = {"fault": sentence(fault) if fault else "", "done": done, "min_chars": MIN_CHARS, "secret": secret}
    if secret:
        uri = totp.uri(visit.who.account.name, secret)
        values["picture"] = segno.make(uri, error="m").svg_inline(scale=5, dark="#000", light="#fff", border=3)
    return visit.show("account.html", values, status=400 if fault else 200)


def _check_password(visit: Visit) -> None:
    """Raise `LandfallError` unless the account's password is right; guessing is slowed down as at the sign-in."""
    name = visit.who.account.name
    if not visit.console.sessions.confirm(Attempt(name, visit.text("password"), "", visit.address), visit.now):
        raise LandfallError("your present password is not right", remedy="type it again")
