"""The console as browsers elsewhere reach it: with a certificate of its own, and behind a reverse proxy.

Console and proxy are processes, and the browser is a TLS client that checks the certificate. The parts have addresses
of their own on the loopback: the console is called by the proxy, by a browser through it, and by somebody who is none.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from central import database
from central.cli import main
from central.console import accounts, audit
from central.console.accounts import By
from central.console.rights import Role
from provisioning.authority import Authority
from provisioning.local_broker import reserve_port
from tests.central.console.harness import PASSWORD, START, cheap_passwords
from tests.central.console.test_serve import WITHIN_S

BROWSER, PROXY, STRANGER = "127.0.0.9", "127.0.0.2", "127.0.0.3"
FORGED = "203.0.113.5"
pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Give an authority, with certificate and key of a server on this machine in its folder."""
    made = Authority.create(tmp_path_factory.mktemp("authority"))
    made.issue_enrolment(made.folder, ["localhost"])
    return made


@pytest.fixture
def ports():
    """Give two ports that nobody else has meanwhile."""
    with reserve_port() as one, reserve_port() as other:
        yield one.getsockname()[1], other.getsockname()[1]


@pytest.fixture
def engine(tmp_path):
    """Give the console's database, with an account."""
    made = database.connect(f"sqlite:///{tmp_path / 'central.db'}")
    database.upgrade(made)
    accounts.add(made, "operator", Role.OPERATOR, PASSWORD, cheap_passwords(), By("test", START))
    yield made
    made.dispose()


@contextmanager
def console(folder: Path, settings: str) -> Iterator[None]:
    """Run the console as its unit does while this lasts."""
    (folder / "central.toml").write_text(f"[console]\n{settings}\n")
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(folder / "notify"))
    told.settimeout(WITHIN_S)
    words = [sys.executable, "-m", "central.cli", "console", "--config", str(folder / "central.toml")]
    with (folder / "log").open("wb") as log, told:
        started = subprocess.Popen(
            words, stdout=log, stderr=log, env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
        )
        try:
            assert told.recv(100) == b"READY=1"
            yield
        finally:
            started.kill()
            started.wait()


@contextmanager
def proxy(port: int, behind: int, authority: Authority) -> Iterator[None]:
    """Run a reverse proxy before the console while this lasts."""
    files = [authority.folder / "enrolment.crt", authority.folder / "enrolment.key"]
    words = [sys.executable, "-m", "tests.harness.tls_proxy", str(port), *map(str, files), str(behind), PROXY]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as started:
        try:
            assert started.stdout.readline() == b"ready\n"
            yield
        finally:
            started.kill()


class Client:
    """A browser without pages: asks over TLS, or in the clear where `ca` is None, and keeps cookies."""

    def __init__(self, port: int, origin: str, ca: Path | None, *, address: str, forged: str = "") -> None:
        self.port, self.origin, self.address = port, origin, address
        self.context = None if ca is None else ssl.create_default_context(cafile=str(ca))
        self.headers = {"host": origin.partition("//")[2], "origin": origin}
        self.headers |= {"x-forwarded-for": forged} if forged else {}
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, form: dict[str, str] | None = None):
        """Return the answer, with its body as `text`."""
        source = {"timeout": WITHIN_S, "source_address": (self.address, 0)}
        if self.context is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, **source)
        else:
            connection = http.client.HTTPSConnection("localhost", self.port, context=self.context, **source)
        headers = self.headers | {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers |= {"content-type": "application/x-www-form-urlencoded"}
        connection.request(method, path, None if form is None else urlencode(form), headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        for cookie in answer.headers.get_all("set-cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        connection.close()
        return answer

    def sign_in(self, name: str = "operator", password: str = PASSWORD):
        """Send the form of the sign-in."""
        token = re.search(r'name="form_token" value="([0-9a-f]+)"', self.ask("GET", "/sign-in").text)[1]
        return self.ask("POST", "/sign-in", {"form_token": token, "name": name, "password": password})


def seen_from(engine) -> str:
    """Return the address of the last entry of the audit log."""
    with database.reading(engine) as connection:
        (entry,) = audit.page(connection, before=None, size=1)
    return entry.address


def is_safe(answer) -> bool:
    """Tell whether the answer to a sign-in leaves nothing to who listens in the clear."""
    cookies = answer.headers.get_all("set-cookie")
    is_closed = all(re.match(r"__Host-landfall.*; HttpOnly; .*Secure$", cookie) for cookie in cookies)
    return is_closed and len(cookies) == 2 and answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_with_a_certificate_of_its_own_the_console_speaks_tls_alone(tmp_path, engine, authority, ports):
    port, ca = ports[0], authority.folder / "ca.crt"
    others = Authority.create(tmp_path / "others").folder / "ca.crt"
    origin = f"https://localhost:{port}"
    files = f'certificate = "{authority.folder}/enrolment.crt"\nkey = "{authority.folder}/enrolment.key"'
    with console(tmp_path, f'port = {port}\norigin = "{origin}"\n{files}'):
        browser = Client(port, origin, ca, address=BROWSER, forged=FORGED)
        answer = browser.sign_in()
        assert answer.status == 303 and is_safe(answer)
        assert browser.ask("GET", "/account").status == 200
        assert seen_from(engine) == BROWSER

        assert negotiated(port, ca, ssl.TLSVersion.TLSv1_2)[1].startswith("ECDHE-")
        with pytest.raises(ssl.SSLError):
            negotiated(port, ca, ssl.TLSVersion.TLSv1_1)
        with pytest.raises(ssl.SSLCertVerificationError):
            Client(port, origin, others, address=BROWSER).ask("GET", "/")
        with pytest.raises((http.client.HTTPException, OSError)):
            Client(port, origin, None, address=BROWSER).ask("GET", "/sign-in")
        assert Client(port, "https://rebound.example", ca, address=BROWSER).ask("GET", "/sign-in").status == 421


def test_behind_a_proxy_it_sees_who_asks_and_believes_nobody_else(tmp_path, engine, authority, ports):
    (behind, port), ca = ports, authority.folder / "ca.crt"
    origin = f"https://localhost:{port}"
    settings = f'port = {behind}\norigin = "{origin}"\ntrusted_proxies = ["{PROXY}"]'
    with console(tmp_path, settings), proxy(port, behind, authority):
        answer = Client(port, origin, ca, address=BROWSER, forged=FORGED).sign_in()
        assert answer.status == 303 and is_safe(answer)
        assert seen_from(engine) == BROWSER, "what the browser itself said of its address counts for nothing"

        answer = Client(behind, origin, None, address=STRANGER, forged=FORGED).sign_in()
        assert answer.status == 303 and is_safe(answer), "what it says of cookies does not hang on the way it is asked"
        assert seen_from(engine) == STRANGER, "who is no trusted proxy speaks for itself"

        guesses = [
            Client(behind, origin, None, address="127.0.0.4", forged=f"203.0.113.{n}").sign_in(f"name{n}", "x").status
            for n in range(4)
        ]
        assert guesses == [401, 401, 401, 429], "a guesser with many forged addresses has one"
    assert "fault" not in (tmp_path / "log").read_text()


def test_a_certificate_that_cannot_be_used_is_named_at_the_start(tmp_path, engine, capsys):
    (tmp_path / "central.toml").write_text('[console]\ncertificate = "none.crt"\nkey = "none.key"\n')
    assert main(["console", "--config", str(tmp_path / "central.toml")]) == 2
    said = capsys.readouterr().err
    assert "console.certificate and console.key must be the PEM files" in said and "none.crt" in said


def negotiated(port: int, ca: Path, most: ssl.TLSVersion) -> tuple[str, str]:
    """Return protocol and cipher that client and console agree on."""
    context = ssl.create_default_context(cafile=str(ca))
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, most
    context.set_ciphers("ALL:@SECLEVEL=0")
    plain = socket.create_connection(("127.0.0.1", port), WITHIN_S)
    with plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
        return connection.version(), connection.cipher()[0]
