"""What the kiosk's certificates and keys are: whose, until when, and by which key id.

Owns how they are looked at; it opens no connection and judges no date. Always true: nothing of a private key leaves
this module but its thumbprint (RFC 7638).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import UNSET

from edge.errors import SealError
from edge.seal import load_private_key, load_public_key, load_public_keys
from edge.settings import Settings
from edge.wire.health import KeysHealth


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate; `name` is its subject's common name."""

    found: x509.Certificate
    name: str

    @property
    def expires_at(self) -> datetime:
        """Return until when it is good."""
        return self.found.not_valid_after_utc


def load_certificate(path: Path) -> Certificate:
    """Load the first certificate of a PEM file; raise `SealError` naming the file when there is none."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise SealError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise SealError(f"{path}: is not a certificate in PEM form") from None
    names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Certificate(found, str(names[0].value) if names else "")


def keys_health(settings: Settings) -> KeysHealth:
    """Return what is known of the kiosk's keys; what cannot be read is left out."""
    own = _or_unset(load_certificate, settings.resolve(settings.uplink.certificate))
    authority = _or_unset(load_certificate, settings.resolve(settings.uplink.ca))
    keys = settings.keys
    receipt = [_or_unset(_public_kids, settings.resolve(path)) for path in keys.receipt]
    return KeysHealth(
        certificate_expires_at=_rfc3339(own.expires_at) if own is not UNSET else UNSET,
        certificate_serial=f"{own.found.serial_number:x}" if own is not UNSET else UNSET,
        authority_expires_at=_rfc3339(authority.expires_at) if authority is not UNSET else UNSET,
        record_key=_or_unset(lambda path: load_private_key(path).thumbprint(), settings.resolve(keys.record)),
        opening_key=_or_unset(_public_kid, settings.resolve(keys.opening)),
        receipt_keys=tuple(kid for kids in receipt if kids is not UNSET for kid in kids),
    )


def _public_kid(path: Path) -> str:
    return load_public_key(path).thumbprint()


def _public_kids(path: Path) -> list[str]:
    return [key.thumbprint() for key in load_public_keys(path)]


def _or_unset(look: Any, path: Path) -> Any:
    try:
        return look(path)
    except SealError:
        return UNSET


def _rfc3339(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
