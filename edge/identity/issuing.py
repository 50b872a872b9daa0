"""The issuing authority's folder, read: `ca.crt`, `issuing.*` and `signing.*`, as `landfall-provision ca init` made it.

Always true: a key that others may read is refused, and so is one that does not belong to its certificate.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from edge.errors import ProvisioningError
from edge.identity.certificates import DEFAULT_VALIDITY, Clock, Issuer, Validity, utc_now
from edge.identity.key_files import read_private
from edge.identity.signed import DocumentSigner
from edge.identity.trust import Trust

_PRIVATE_KEY = re.compile(rb"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----", re.DOTALL)  # RFC 7468


def load_issuer(folder: Path, validity: Validity = DEFAULT_VALIDITY, clock: Clock = utc_now) -> Issuer:
    """Load the authority that issues now; raise `ProvisioningError` when it is missing, damaged, or open to others."""
    return load_issuers(folder, validity, clock)[0]


def load_issuers(folder: Path, validity: Validity = DEFAULT_VALIDITY, clock: Clock = utc_now) -> list[Issuer]:
    """Load the authority that issues now, and behind it those before it, which still revoke what they issued.

    `issuing.key` and `issuing.crt` hold all of them as PEM, the newest first. Raises what `load_issuer` does.
    """
    try:
        text = read_private(folder / "issuing.key")
        keys = [load_pem_private_key(part, password=None) for part in _PRIVATE_KEY.findall(text)]
        found = x509.load_pem_x509_certificates((folder / "issuing.crt").read_bytes())
        ca = (folder / "ca.crt").read_bytes()
    except OSError as error:
        raise _not_there(error) from None
    except (ValueError, TypeError):
        raise _damaged(folder) from None
    try:
        trust = Trust.load(ca)
    except ProvisioningError:
        raise _damaged(folder) from None
    certificates = {_spki(one.public_key()): one for one in found}
    issuers = []
    for key in keys:
        certificate = certificates.get(_spki(key.public_key()))
        if certificate is None or not isinstance(key, ec.EllipticCurvePrivateKey):
            remedy = "restore the pair from one backup"
            raise ProvisioningError(f"{folder}: issuing.key does not belong to issuing.crt", remedy=remedy)
        try:
            certificate.verify_directly_issued_by(trust.root)
        except (ValueError, TypeError, InvalidSignature):
            remedy = "restore the folder from one backup"
            raise ProvisioningError(f"{folder}: ca.crt is of another authority", remedy=remedy) from None
        issuers.append(Issuer(certificate, trust, key, validity, clock))
    if not issuers:
        raise ProvisioningError(
            f"{folder}: there is no key in issuing.key", remedy="restore the folder from one backup"
        )
    return issuers


def _spki(key: Any) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def load_documents(folder: Path) -> DocumentSigner:
    """Load who signs bundles and answers; raise `ProvisioningError` when it is not there or damaged."""
    key, chain = load_pair(folder, "signing")
    return DocumentSigner(tuple(chain), key)


def load_pair(folder: Path, stem: str) -> tuple[ec.EllipticCurvePrivateKey, list[x509.Certificate]]:
    """Load a key and its certificate with what stands behind it; raise `ProvisioningError` unless they are a pair."""
    try:
        key = load_pem_private_key(read_private(folder / f"{stem}.key"), password=None)
        chain = x509.load_pem_x509_certificates((folder / f"{stem}.crt").read_bytes())
    except OSError as error:
        raise _not_there(error) from None
    except (ValueError, TypeError):
        raise ProvisioningError(
            f"{folder}: {stem}.key or {stem}.crt is damaged", remedy="restore both from backup"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != chain[0].public_key():
        raise ProvisioningError(
            f"{folder}: {stem}.key does not belong to {stem}.crt", remedy="restore the pair from one backup"
        )
    return key, chain


def _damaged(folder: Path) -> ProvisioningError:
    what = "issuing.key, issuing.crt or ca.crt is damaged"
    return ProvisioningError(f"{folder}: {what}", remedy="restore the folder from one backup")


def _not_there(error: OSError) -> ProvisioningError:
    remedy = "make an authority with `landfall-provision ca init`"
    return ProvisioningError(f"{error.filename}: {error.strerror}", remedy=remedy)
