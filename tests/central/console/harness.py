"""A console in this process that is asked as a browser would ask it, and cheap passwords."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import Engine
from starlette.testclient import TestClient

from central.config import ConsoleSettings, FleetSettings
from central.console import accounts
from central.console.accounts import By
from central.console.app import console_app
from central.console.limits import RequestLimit
from central.console.passwords import Passwords
from central.console.rights import Role

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "lighthouse walnut tram"
ORIGIN = "http://127.0.0.1:8470"


def cheap_passwords() -> Passwords:
    """Return passwords whose guesses cost next to nothing."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


class Clock:
    """The time of a test."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class Browser:
    """One browser with its cookies at a console; forms bring back the token that their page showed."""

    def __init__(self, client: TestClient, origin: str = ORIGIN) -> None:
        self.client = client
        self.origin = origin

    def get(self, path: str, **headers: str):
        """Ask for a page; redirects are not followed."""
        return self.client.get(path, headers=headers, follow_redirects=False)

    def token(self, path: str = "/sign-in") -> str:
        """Return the token of the forms on a page."""
        return re.search(r'name="form_token" value="([0-9a-f]+)"', self.get(path).text).group(1)

    def post(self, path: str, fields: dict[str, str], *, token: str | None = None, **headers: str):
        """Send a form as its page would."""
        token = self.token("/account" if self.session else "/sign-in") if token is None else token
        headers = {"origin": self.origin} | headers
        return self.client.post(path, data={"form_token": token} | fields, headers=headers, follow_redirects=False)

    def sign_in(self, name: str, password: str = PASSWORD, code: str = "", **headers: str):
        """Sign in."""
        answer = self.post("/sign-in", {"name": name, "password": password, "code": code, "next": "/"}, **headers)
        self.is_in = answer.status_code == 303
        return answer

    is_in = False

    @property
    def session(self) -> str:
        """Return the session cookie, if somebody is signed in."""
        found = self.client.cookies.get("landfall") or self.client.cookies.get("__Host-landfall") or ""
        return found if self.is_in else ""


class ConsoleUnderTest:
    """A console on a database, with one account for each role, named like it; `owner` sees it as its owner does."""

    def __init__(
        self,
        engine: Engine,
        settings: ConsoleSettings | None = None,
        *,
        burst: int = 10_000,
        owner: Engine | None = None,
    ) -> None:
        self.engine = engine
        self.settings = settings or ConsoleSettings()
        self.clock = Clock()
        self.passwords = cheap_passwords()
        limit = RequestLimit(lambda: self.clock.now.timestamp(), burst=burst)
        self.app = console_app(
            engine, self.settings, FleetSettings(), passwords=self.passwords, now=self.clock, limit=limit
        )
        for role in Role:
            accounts.add(owner or engine, role.value, role, PASSWORD, self.passwords, By("test", START))

    def browser(self, role: str = "", *, address: str = "192.0.2.7") -> Browser:
        """Return a new browser, signed in with a role where one is named."""
        origin = self.settings.origins[0]
        client = TestClient(self.app, base_url=origin, client=(address, 50_000), raise_server_exceptions=False)
        browser = Browser(client, origin)
        if role:
            assert browser.sign_in(role).status_code == 303
        return browser
