"""TLS to the servers of one's own deployment: whoever stands below the root, unless the root has revoked it.

Owns which certificates are believed; what is spoken inside is the caller's. OpenSSL checks chain, dates, purpose and
host name. Its own check of revocation lists is not used: with it a list of *every* authority has to be there and has to
be fresh, and a kiosk that was away while an authority changed, or for two months, would never come back. Always true:
nothing of the application is sent before the chain that OpenSSL built has been looked at.
"""

from __future__ import annotations

import errno
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ProvisioningError

if TYPE_CHECKING:
    from edge.identity.trust import Trust

_REVOKED = 23  # X509_V_ERR_CERT_REVOKED


def client_context(ca: Path) -> ssl.SSLContext:
    """Return how a client of this deployment speaks TLS, trusting what the file `ca` says; raise OSError without it."""
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    text = ca.read_bytes()
    if b"-----BEGIN X509 CRL-----" in text:
        context.sslsocket_class = _socket_that_asks(_trust(text))
    return context


def _trust(text: bytes) -> Trust:
    from edge.identity.trust import Trust  # cryptography's X.509 takes a while to load, and mostly nobody is revoked

    try:
        return Trust.load(text)
    except ProvisioningError as error:
        raise OSError(errno.EBADMSG, f"ca.crt: {error.message}") from None


def _socket_that_asks(trust: Trust) -> type[ssl.SSLSocket]:
    """Return a kind of socket whose handshake ends in an error when the root has revoked somebody of the chain."""
    from cryptography.x509 import load_der_x509_certificate

    class AskingSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            try:
                chain = [load_der_x509_certificate(one) for one in _verified_chain(self)]
                if not chain:
                    raise ProvisioningError("nobody's certificate was verified")
                trust.refuse_revoked(chain)
            except ProvisioningError as error:
                self.close()
                refused = ssl.SSLCertVerificationError(ssl.SSL_ERROR_SSL, error.message)
                refused.verify_code, refused.verify_message = _REVOKED, error.message
                raise refused from None

    return AskingSocket


def _verified_chain(connection: ssl.SSLSocket) -> list[bytes]:
    """Return the chain that OpenSSL built and verified, each in DER, the other side's own first."""
    if sys.version_info >= (3, 13):
        return connection.get_verified_chain()
    import _ssl  # what 3.13 made public does just this, and is there from 3.10 on

    return [one.public_bytes(_ssl.ENCODING_DER) for one in connection._sslobj.get_verified_chain() or ()]  # type: ignore[attr-defined]
