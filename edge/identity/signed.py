"""Documents that the centre signs for a machine that knows nothing but the root: bundles, answers, lists of keys.

Owns how one is signed (JWS, RFC 7515, ES256) and how it is believed. The signer's certificate travels in the header
`x5c` (4.1.6), leads to the root and says that it is for documents (RFC 9336): a stolen TLS key signs none. Always true:
a document made for one purpose (`typ`) is never taken for another.
"""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from edge.errors import ProvisioningError
from edge.identity.certificates import Role, verify_chain
from edge.identity.trust import MALFORMED, Trust

_ALGORITHM = "ES256"
_MOST_CERTIFICATES = 3
_MAX_DOCUMENT_BYTES = 4 * 1024 * 1024


class _Registry(jws.JWSRegistry):
    """joserfc stops at 4 KiB of header and 8 KiB of payload; two certificates and a list of members may be more."""

    max_header_length = 16 * 1024
    max_payload_length = _MAX_DOCUMENT_BYTES


_registry = _Registry(algorithms=[_ALGORITHM])


@dataclass(frozen=True, slots=True)
class DocumentSigner:
    """Signs documents; `chain` begins with its own certificate and ends below the root."""

    chain: tuple[x509.Certificate, ...]
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    def sign(self, payload: bytes, typ: str) -> str:
        """Return a JWS compact over `payload`."""
        x5c = [b64encode(one.public_bytes(Encoding.DER)).decode("ascii") for one in self.chain]
        header = {"alg": _ALGORITHM, "typ": typ, "x5c": x5c}
        return jws.serialize_compact(header, payload, ECKey.import_key(self._key), registry=_registry)


def claimed_payload(token: str) -> bytes:
    """Return what a document says without asking who signed it: to be looked at, never to be believed."""
    try:
        return jws.extract_compact(token.encode("ascii"), registry=_registry).payload
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise ProvisioningError("it is no signed document") from None


def verify_document(token: str, typ: str, trust: Trust, at: datetime) -> bytes:
    """Return the payload of a document; raise `ProvisioningError` unless the root stands behind it at that time."""

    def choose(obj: Any) -> ECKey:
        header = obj.headers()
        if header.get("typ") != typ:
            raise ProvisioningError(f"it was signed as something else than {typ}")
        chain = _certificates(header.get("x5c"))
        verify_chain(chain, trust, Role.DOCUMENTS, at)
        key = chain[0].public_key()
        return ECKey.import_key(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    try:
        payload = jws.deserialize_compact(token, choose, registry=_registry).payload
        for part in token.split("."):  # of the spellings that base64url allows only the canonical one is taken
            if urlsafe_b64encode(urlsafe_b64decode(part + "==")).rstrip(b"=") != part.encode("ascii"):
                raise ValueError
        return payload
    except (JoseError, RecursionError, *MALFORMED):
        raise ProvisioningError("its signature is not valid") from None


def _certificates(x5c: object) -> list[x509.Certificate]:
    if not isinstance(x5c, list) or not 1 <= len(x5c) <= _MOST_CERTIFICATES:
        raise ProvisioningError("it does not say who signed it")
    try:
        return [x509.load_der_x509_certificate(b64decode(one, validate=True)) for one in x5c]
    except (Base64Error, *MALFORMED):
        raise ProvisioningError("the certificate of who signed it is damaged") from None
