"""The issuing authority's folder, read: `ca.crt`, `issuing.*` and `signing.*`, as `landfall-provision ca init` made it.

Always true: a key that others may read is refused, and so is one that does not belong to its certificate.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from edge.errors import ProvisioningError
from edge.identity.certificates import DEFAULT_VALIDITY, Clock, Issuer, Validity, utc_now
from edge.identity.key_files import read_private
from edge.identity.signed import DocumentSigner


def load_issuer(folder: Path, validity: Validity = DEFAULT_VALIDITY, clock: Clock = utc_now) -> Issuer:
    """Load the issuing authority; raise `ProvisioningError` when it is not there, damaged, or open to others."""
    key, issuing = load_pair(folder, "issuing")
    try:
        root = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
        issuing[0].verify_directly_issued_by(root)
    except OSError as error:
        raise _not_there(error) from None
    except (ValueError, TypeError, InvalidSignature):
        raise ProvisioningError(
            f"{folder}: ca.crt is damaged, or of another authority", remedy="restore the folder from one backup"
        ) from None
    return Issuer(issuing[0], root, key, validity, clock)


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


def _not_there(error: OSError) -> ProvisioningError:
    remedy = "make an authority with `landfall-provision ca init`"
    return ProvisioningError(f"{error.filename}: {error.strerror}", remedy=remedy)
