"""The authority of one deployment: who may speak to the broker, and as whom; and the keys of centre and kiosk.

Owns X.509 certificates for TLS (EC P-256, RFC 5280) and the JWK files (RFC 7517, RFC 8037) that `edge.seal` loads.
It signs no record and opens no letter. Always true: a private key is on disk with mode 0600 only, and is never
overwritten; a certificate names one role (server or client); a kiosk cannot be given a name of the centre's.

Files, each in the folder that the caller names:

| who | private | public |
|---|---|---|
| authority | `ca.key` | `ca.crt` |
| broker | `broker.key` | `broker.crt`, `ca.crt` |
| kiosk or collector, TLS | `client.key` | `client.crt`, `ca.crt` |
| centre, signs receipts (Ed25519) | `receipt.key.json` | `receipt.pub.json` |
| centre, opens letters (X25519, ECDH-ES) | `opening.key.json` | `opening.pub.json` |
| kiosk, signs records (Ed25519) | `record.key.json` | `record.pub.json` |

The subject of a client certificate is its user name at the broker: `<site>/<kiosk>`, or `centre/<name>`.
"""

from __future__ import annotations

import ipaddress
import json
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import OKPKey

from edge.errors import ContractError
from edge.wire.topics import kiosk_id
from provisioning.key_files import ProvisioningError, make_folder, refuse_existing, write_private, write_public

CENTRE = "centre"  # in the place of a site: the name of a collector, never of a kiosk
MAX_COMMON_NAME = 64  # ub-common-name, RFC 5280 appendix A
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the machine's time, whole seconds, UTC: a certificate knows no smaller unit."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Validity:
    """From when and for how long a certificate is good.

    `early` reaches back before the moment of issue: a kiosk without a clock of its own may come up weeks in the past
    and has to reach the broker all the same.
    """

    authority: timedelta = timedelta(days=3650)
    leaf: timedelta = timedelta(days=825)
    early: timedelta = timedelta(days=30)


DEFAULT_VALIDITY = Validity()


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority whose certificate and key lie in one folder."""

    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey = field(repr=False)
    validity: Validity = DEFAULT_VALIDITY
    clock: Clock = utc_now

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        name: str = "Landfall authority",
        validity: Validity = DEFAULT_VALIDITY,
        clock: Clock = utc_now,
    ) -> Authority:
        """Make a new authority in `folder` (`ca.key`, `ca.crt`); `clock` tells the moment of issue.

        Raises `ProvisioningError` when the folder holds an authority already, or the name is not 1-64 characters.
        """
        if not 1 <= len(name) <= MAX_COMMON_NAME:
            raise ProvisioningError(f"the name of an authority has 1-{MAX_COMMON_NAME} characters, got {len(name)}")
        make_folder(folder)
        refuse_existing(folder, "ca.key", "ca.crt")
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name)
        builder = _builder(subject, subject, key, validity.authority, validity.early, clock())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(authority=True), critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        write_private(folder / "ca.key", _private_pem(key))
        write_public(folder / "ca.crt", _pem(certificate))
        return cls(certificate, key, validity, clock)

    @classmethod
    def load(cls, folder: Path, *, validity: Validity = DEFAULT_VALIDITY, clock: Clock = utc_now) -> Authority:
        """Load an authority; raise `ProvisioningError` when it is not there, damaged, or its key open to others."""
        try:
            if stat.S_IMODE((folder / "ca.key").stat().st_mode) & 0o077:
                raise ProvisioningError(
                    f"{folder / 'ca.key'}: others may read this private key", remedy=f"chmod 0600 {folder / 'ca.key'}"
                )
            key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
            certificate = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
        except OSError as error:
            raise ProvisioningError(
                f"{error.filename}: {error.strerror}", remedy="make an authority with `landfall-provision ca init`"
            ) from None
        except (ValueError, TypeError):
            raise ProvisioningError(
                f"{folder}: ca.key or ca.crt is damaged", remedy="restore both from backup"
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise ProvisioningError(
                f"{folder}: ca.key does not belong to ca.crt", remedy="restore the pair from one backup"
            )
        return cls(certificate, key, validity, clock)

    def issue_broker(self, folder: Path, hosts: list[str]) -> x509.Certificate:
        """Make the broker's key and certificate for the host names and IP addresses under which it is reached."""
        if not hosts:
            raise ProvisioningError("a broker needs at least one host name or IP address")
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        return self._issue(folder, "broker", "Landfall broker", ExtendedKeyUsageOID.SERVER_AUTH, names)

    def issue_client(self, folder: Path, common_name: str) -> x509.Certificate:
        """Make a client's key and certificate; `common_name` is `<site>/<kiosk>` or `centre/<name>`."""
        site, _, name = common_name.partition("/")
        try:
            kiosk_id(site, name)
        except ContractError as error:
            raise ProvisioningError(error.message, remedy="choose another name for the site or the kiosk") from None
        return self._issue(folder, "client", common_name, ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def issue_kiosk(self, folder: Path, site: str, kiosk: str) -> x509.Certificate:
        """Make a kiosk's TLS key and certificate; raise `ProvisioningError` for a name that is none or the centre's."""
        if site == CENTRE:
            raise ProvisioningError(f"{CENTRE!r} is kept for collectors", remedy="give the site another name")
        return self.issue_client(folder, f"{site}/{kiosk}")

    def issue_collector(self, folder: Path, name: str) -> x509.Certificate:
        """Make a collector's TLS key and certificate."""
        return self.issue_client(folder, f"{CENTRE}/{name}")

    def _issue(
        self,
        folder: Path,
        stem: str,
        common_name: str,
        usage: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
    ) -> x509.Certificate:
        make_folder(folder)
        refuse_existing(folder, f"{stem}.key", f"{stem}.crt")
        ca_pem = _pem(self.certificate)
        if (folder / "ca.crt").exists() and (folder / "ca.crt").read_bytes() != ca_pem:
            raise ProvisioningError(f"{folder / 'ca.crt'}: is of another authority", remedy="choose another folder")
        key = ec.generate_private_key(ec.SECP256R1())
        issued = self.clock()
        # A leaf never outlives the authority: it would look good, and every connection would fail.
        length = min(self.validity.leaf, self.certificate.not_valid_after_utc - issued)
        subject, issuer = _subject(common_name), self.certificate.subject
        builder = _builder(subject, issuer, key, length, self.validity.early, issued)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(authority=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer_key, critical=False)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        write_private(folder / f"{stem}.key", _private_pem(key))
        write_public(folder / f"{stem}.crt", _pem(certificate))
        if not (folder / "ca.crt").exists():
            write_public(folder / "ca.crt", ca_pem)
        return certificate


def make_centre_keys(folder: Path) -> None:
    """Make the centre's keys as JWK files: `receipt.*` signs receipts and commands, `opening.*` opens letters."""
    _make_keys(folder, {"receipt": ("Ed25519", "sig", "Ed25519"), "opening": ("X25519", "enc", "ECDH-ES")})


def make_kiosk_keys(folder: Path) -> None:
    """Make a kiosk's own key as JWK files: `record.*` signs its records."""
    _make_keys(folder, {"record": ("Ed25519", "sig", "Ed25519")})


def _make_keys(folder: Path, kinds: dict[str, tuple[str, str, str]]) -> None:
    make_folder(folder)
    refuse_existing(folder, *(f"{stem}.{part}.json" for stem in kinds for part in ("key", "pub")))
    for stem, (curve, use, algorithm) in kinds.items():
        # auto_kid names the key by its RFC 7638 thumbprint, as the headers of letters and envelopes do.
        key = OKPKey.generate_key(curve, {"use": use, "alg": algorithm}, private=True, auto_kid=True)
        write_private(folder / f"{stem}.key.json", _json(key.as_dict(private=True)))
        write_public(folder / f"{stem}.pub.json", _json(key.as_dict(private=False)))


def _json(jwk: dict) -> bytes:
    return (json.dumps(jwk, indent=2, sort_keys=True) + "\n").encode()


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    if len(host) > 253 or not _HOST_NAME.fullmatch(host):
        raise ProvisioningError(
            f"{host!r} is neither a host name nor an IP address", remedy="write it without port, brackets or scheme"
        )
    return x509.DNSName(host)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    length: timedelta,
    early: timedelta,
    issued: datetime,
) -> x509.CertificateBuilder:
    if length <= timedelta(0):
        raise ProvisioningError("the certificate would be over before it begins", remedy="look at clock and validity")
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issued - early)
        .not_valid_after(issued + length)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
