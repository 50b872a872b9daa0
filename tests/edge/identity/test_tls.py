"""TLS to servers of the deployment, real handshakes over sockets: who is believed, and who is not any more."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.identity.tls import client_context
from provisioning.authority import Authority
from provisioning.centre_call import CentreCall

WITHIN_S = 10.0
WORDS = "correct horse battery"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities of one root with a server each, and `ca.crt` from before and after the first was revoked."""
    folder = tmp_path_factory.mktemp("tls")
    old = Authority.create(folder / "old", offline=folder / "offline", passphrase=WORDS)
    new = Authority.succeed(folder / "new", folder / "old", folder / "offline", WORDS)
    old.issue_enrolment(folder / "stolen", ["localhost"])
    new.issue_enrolment(folder / "good", ["localhost"])
    (folder / "before.crt").write_bytes((folder / "old/ca.crt").read_bytes())
    new.revoke_predecessors(folder / "offline", WORDS)
    (folder / "after.crt").write_bytes((folder / "new/ca.crt").read_bytes())
    return folder


class Server:
    """Takes one client after the other, and keeps what they said before they hung up."""

    def __init__(self, certificates: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates / "enrolment.crt", certificates / "enrolment.key")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heard = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        try:
            plain, _ = self._listener.accept()
        except OSError:
            return
        plain.settimeout(WITHIN_S)
        try:
            with plain, self._context.wrap_socket(plain, server_side=True) as secured:
                while heard := secured.recv(4096):
                    self.heard += heard
        except OSError:
            pass

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive()


@contextmanager
def serving(certificates: Path) -> Iterator[Server]:
    server = Server(certificates)
    try:
        yield server
    finally:
        server.close()


def says(context: ssl.SSLContext, server: Server, *, at_once: bool) -> None:
    """Connect as http.client does (`at_once`), or as paho does, and say something."""
    with (
        socket.create_connection(("127.0.0.1", server.port), WITHIN_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost", do_handshake_on_connect=at_once) as secured,
    ):
        if not at_once:
            secured.do_handshake()
        secured.sendall(b"secret")


@pytest.mark.parametrize("at_once", [True, False], ids=["as HTTPS", "as MQTT"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def test_a_server_below_a_revoked_authority_hears_nothing(folder, at_once, version):
    context = client_context(folder / "after.crt")
    context.maximum_version = context.minimum_version = version
    with serving(folder / "stolen") as server, pytest.raises(ssl.SSLCertVerificationError) as caught:
        says(context, server, at_once=at_once)
    assert server.heard == b""
    assert "was revoked by the root" in caught.value.verify_message


@pytest.mark.parametrize(
    ("trusted", "shown"),
    [("before.crt", "stolen"), ("before.crt", "good"), ("after.crt", "good")],
    ids=["nobody is revoked yet", "the next authority is new here", "another authority is revoked"],
)
def test_every_other_server_below_the_root_is_believed(folder, trusted, shown):
    with serving(folder / shown) as server:
        says(client_context(folder / trusted), server, at_once=True)
    assert server.heard == b"secret"


def test_host_names_are_checked_besides(folder):
    context = client_context(folder / "after.crt")
    with (
        serving(folder / "good") as server,
        socket.create_connection(("127.0.0.1", server.port), WITHIN_S) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        context.wrap_socket(plain, server_hostname="elsewhere.example")


def test_a_list_of_somebody_else_stops_the_connection_and_is_named(folder, tmp_path):
    other = Authority.create(tmp_path / "other")
    foreign = other.issuer.revocation_list([], number=1)
    (tmp_path / "ca.crt").write_bytes((folder / "before.crt").read_bytes() + foreign)
    with pytest.raises(OSError, match="the list of revoked authorities is not the root's"):
        client_context(tmp_path / "ca.crt")


def test_a_kiosk_asks_no_enrolment_server_of_a_revoked_authority(folder):
    with serving(folder / "stolen") as server, pytest.raises(Exception, match="was revoked by the root") as caught:
        CentreCall(f"https://localhost:{server.port}", folder / "after.crt").centre_keys()
    assert "Tell the centre" in str(caught.value)
    assert server.heard == b""
