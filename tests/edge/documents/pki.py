"""A small PKI of the specimen state Utopia: a country signing authority, document signers, trust lists.

Everything is made with `cryptography` (and `ecdsa` for brainpoolP224r1), so the tests do not lean on the code that they
test. Keys are new in every run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

TODAY = date(2026, 11, 22)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    private_key: Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def base64(self) -> str:
        return base64.b64encode(self.der).decode()

    @property
    def key_identifier(self) -> bytes:
        return hashlib.sha256(self.der).digest()[:8]


def issue(
    common_name: str,
    *,
    serial: int = 0x2A,
    issuer: Issued | None = None,
    private_key: Any = None,
    not_before: date = date(2026, 1, 1),
    not_after: date = date(2027, 1, 1),
    usages: tuple[str, ...] = (),
) -> Issued:
    """Make a certificate of Utopia, signed by `issuer` or by itself."""
    key = private_key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "UT"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(_midnight(not_before))
        .not_valid_after(_midnight(not_after))
    )
    if usages:
        oids = [x509.ObjectIdentifier(usage) for usage in usages]
        builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
    signing_key = key if issuer is None else issuer.private_key
    return Issued(builder.sign(signing_key, hashes.SHA256()), key)


def public_key_base64(private_key: Any) -> str:
    """Return the SubjectPublicKeyInfo of a key as a trust list spells it."""
    info = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(info).decode()


def trust_list(*signers: Any, **more: Any) -> bytes:
    """Return the bytes of a trust list; a signer is an `Issued` or an entry as the file spells it."""
    entries = [{"certificate": item.base64, "state": "UTO"} if isinstance(item, Issued) else item for item in signers]
    file = {"issued_at": "2026-11-01T00:00:00Z", "fresh_until": "2026-12-01T00:00:00Z", "signers": entries, **more}
    return json.dumps(file).encode()


def results(document: Any) -> dict[str, tuple[str, str]]:
    """Return result and detail of every check, and see to it that no check speaks twice."""
    found = {item.check: (str(item.result), item.detail) for item in document.verdicts}
    assert len(found) == len(document.verdicts)
    return found
