"""Real servers for the ways out: HTTP that writes down what it was posted, and SMTP with STARTTLS."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

WITHIN_S = 60.0


@dataclass
class Posted:
    """What came, and what is answered next; `answers` are used up one by one, but by no heart, then it is 204."""

    answers: list[int] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    url: str = ""

    def wait_for(self, count: int) -> list[tuple[str, dict[str, str], bytes]]:
        """Return what came, as soon as it is `count` requests."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, WITHIN_S), self.requests
            return list(self.requests)


@contextmanager
def http_server() -> Iterator[Posted]:
    """Serve HTTP on a free port of the loopback."""
    posted = Posted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with posted.changed:
                code = posted.answers.pop(0) if posted.answers and self.path != "/beat" else 204
                posted.requests.append((self.path, dict(self.headers), body))
                posted.changed.notify_all()
            self.send_response(code)
            if code in (301, 302, 307):
                self.send_header("Location", posted.url + "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    posted.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield posted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Mailbox:
    """Keeps what it is sent; addresses in `refuses` are refused."""

    def __init__(self) -> None:
        self.refuses: set[str] = set()
        self.mails: list[tuple[list[str], bytes, bool]] = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        """Take an address, or refuse it."""
        if address in self.refuses:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        """Take a mail."""
        self.mails.append((envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return "250 OK"


class _OnAnyPort(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # it asks itself before it says that it is up
        super()._trigger_server()


@contextmanager
def smtp_server(folder: Path, mailbox: Mailbox, *, password: str = "") -> Iterator[int]:
    """Serve SMTP that wants STARTTLS, with the broker's certificate in `folder`; give the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "broker.crt", folder / "broker.key")

    def authenticate(server, session, envelope, mechanism, auth_data):
        return AuthResult(success=auth_data.password == password.encode())

    controller = _OnAnyPort(
        mailbox,
        hostname="127.0.0.1",
        port=0,
        tls_context=context,
        require_starttls=True,
        auth_required=bool(password),
        authenticator=authenticate if password else None,
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
