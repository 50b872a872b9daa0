"""X.509 certificates and revocation lists of one deployment (RFC 5280), all EC P-256, all made by `cryptography`.

Owns what a certificate of each kind says: the root, which is kept offline and signs one issuing authority; and below it
servers, clients, and who signs documents. Touches no file. Always true: a certificate has one role and its issuer's
life at the most; the subject of a kiosk is `<site>/<kiosk>`, of what the centre runs `centre/<name>`; nobody asks for a
name or a role in a request and gets it for that: both are the issuer's to say.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from edge.errors import ContractError, ProvisioningError
from edge.identity.trust import Trust
from edge.wire.topics import kiosk_id

CENTRE = "centre"  # in the place of a site: the name of what the centre runs, never of a kiosk
MAX_COMMON_NAME = 64  # ub-common-name, RFC 5280 appendix A
MAX_REQUEST_BYTES = 8192
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # id-kp-documentSigning, RFC 9336
_ISSUING = " issuing"  # what the root's name gets behind it
_PIN_CHARACTERS = 20  # 100 bits: enough that nobody finds another root with the same pin

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the machine's time, whole seconds, UTC: a certificate knows no smaller unit."""
    return datetime.now(UTC).replace(microsecond=0)


class Role(Enum):
    """What a certificate is good for; the value is its extended key usage."""

    SERVER = ExtendedKeyUsageOID.SERVER_AUTH
    CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
    DOCUMENTS = _DOCUMENT_SIGNING


@dataclass(frozen=True, slots=True)
class Validity:
    """From when and for how long certificates are good.

    `leaf` is far longer than a post is ever cut off, since a third of it must be left for the renewal. `early` reaches
    back before the moment of issue: a kiosk without a clock of its own may come up weeks in the past and has to reach
    the broker all the same. A broker that reads an overdue `revocation_list` refuses everybody.
    """

    root: timedelta = timedelta(days=7300)
    authority: timedelta = timedelta(days=3650)
    leaf: timedelta = timedelta(days=825)
    early: timedelta = timedelta(days=30)
    revocation_list: timedelta = timedelta(days=60)


DEFAULT_VALIDITY = Validity()


@dataclass(frozen=True, slots=True)
class Revoked:
    """One line of a revocation list."""

    serial: int
    at: datetime
    reason: x509.ReasonFlags


@dataclass(frozen=True, slots=True)
class Issuer:
    """The issuing authority of a deployment, below its root."""

    certificate: x509.Certificate
    trust: Trust
    _key: ec.EllipticCurvePrivateKey = field(repr=False)
    validity: Validity = DEFAULT_VALIDITY
    clock: Clock = utc_now

    def issue(
        self, key: ec.EllipticCurvePublicKey, common_name: str, role: Role, hosts: Sequence[str] = ()
    ) -> x509.Certificate:
        """Certify a public key; a server also has the host names and IP addresses under which it is reached."""
        if role is Role.SERVER and not hosts:
            raise ProvisioningError("a server needs at least one host name or IP address")
        issued = self.clock()
        # A leaf never outlives the authority: it would look good, and every connection would fail.
        longest = self.certificate.not_valid_after_utc - issued
        # Who signs documents has no connection that could renew it in passing, and lasts as long as the authority.
        length = longest if role is Role.DOCUMENTS else min(self.validity.leaf, longest)
        builder = _builder(_subject(common_name), self.certificate.subject, key, length, self.validity.early, issued)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(is_authority=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([role.value]), critical=False)
        builder = builder.add_extension(_issued_by(self._key), critical=False)
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    @property
    def root(self) -> x509.Certificate:
        """Return the root that it stands below."""
        return self.trust.root

    @property
    def number(self) -> int:
        """Return which issuing authority of its root this is, 1 for the first."""
        number = common_name(self.certificate).rpartition(f"{_ISSUING} ")[2]
        return int(number) if number.isdecimal() else 1

    def key_pem(self) -> bytes:
        """Return the private key as PKCS #8 in PEM, for the file that holds it."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def chain(self, certificate: x509.Certificate) -> bytes:
        """Return the PEM that its owner shows: the certificate and the issuing one; the root is at the other side."""
        return pem(certificate) + pem(self.certificate)

    def revocation_list(self, revoked: Iterable[Revoked], number: int) -> bytes:
        """Return the PEM of a revocation list; of two, OpenSSL believes the one that begins later by a second."""
        issued = self.clock()
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(issued)
            .next_update(issued + self.validity.revocation_list)
            .add_extension(_issued_by(self._key), critical=False)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(one.at)
            entry = entry.add_extension(x509.CRLReason(one.reason), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


def make_root(
    name: str, validity: Validity = DEFAULT_VALIDITY, clock: Clock = utc_now
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make the root: it signs one issuing authority, which may have no other below it."""
    longest = MAX_COMMON_NAME - len(_ISSUING)
    if not 1 <= len(name) <= longest:
        raise ProvisioningError(f"the name of an authority has 1-{longest} characters, got {len(name)}")
    key = new_key()
    subject = _subject(name)
    builder = _builder(subject, subject, key.public_key(), validity.root, validity.early, clock())
    return _as_authority(builder, path_length=1).sign(key, hashes.SHA256()), key


def make_issuer(
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    validity: Validity = DEFAULT_VALIDITY,
    clock: Clock = utc_now,
    number: int = 1,
) -> tuple[Issuer, ec.EllipticCurvePrivateKey]:
    """Make the issuing authority below a root, and return it with its key.

    Each has a name of its own, so that nobody takes the revocation list of one for that of another: the second in the
    life of a root has the `number` 2.
    """
    key, issued = new_key(), clock()
    length = min(validity.authority, root.not_valid_after_utc - issued)
    behind = _ISSUING if number == 1 else f"{_ISSUING} {number}"
    subject = _subject(f"{common_name(root)[: MAX_COMMON_NAME - len(behind)]}{behind}")
    builder = _builder(subject, root.subject, key.public_key(), length, validity.early, issued)
    builder = _as_authority(builder, path_length=0).add_extension(_issued_by(root_key), critical=False)
    return Issuer(builder.sign(root_key, hashes.SHA256()), Trust(root), key, validity, clock), key


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a key for TLS or for documents."""
    return ec.generate_private_key(ec.SECP256R1())


def make_request(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    """Return a certificate request (PKCS #10, RFC 2986) as PEM; its signature shows that the key is there."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(name))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode("ascii")


def read_request(text: str) -> tuple[str, ec.EllipticCurvePublicKey]:
    """Return the name and the key of a certificate request; raise `ContractError` unless its key has signed it."""
    if len(text) > MAX_REQUEST_BYTES:
        raise ContractError("the certificate request is too long")
    try:
        request = x509.load_pem_x509_csr(text.encode("ascii"))
        key, is_signed, name = request.public_key(), request.is_signature_valid, common_name(request)
    except (ValueError, TypeError, LookupError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise ContractError("this is no certificate request") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ContractError("the certificate request is not for an EC P-256 key")
    if not is_signed:
        raise ContractError("the certificate request is not signed by its own key")
    return name, key


def verify_chain(chain: Sequence[x509.Certificate], trust: Trust, role: Role, at: datetime) -> None:
    """Raise `ProvisioningError` unless the first certificate leads to the root, is good at that time, for that role.

    Nobody on the way there may have been revoked by the root.
    """
    leaf, *between = chain
    policy = PolicyBuilder().store(Store([trust.root])).time(at)
    policy = policy.extension_policies(
        ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
    )
    try:
        # A server's name is checked by TLS, where it is called.
        verified = policy.build_client_verifier().verify(leaf, between)
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (VerificationError, x509.ExtensionNotFound, ValueError) as error:
        why = str(error).partition("(")[0].strip() or type(error).__name__
        raise ProvisioningError(
            f"the certificate of {common_name(leaf)!r} does not hold: {why}",
            remedy="is this machine's clock right, and the authority the one of this deployment?",
        ) from None
    if list(usage) != [role.value]:
        raise ProvisioningError(f"the certificate of {common_name(leaf)!r} is for something else")
    trust.refuse_revoked(verified.chain)


def pin(root: x509.Certificate) -> str:
    """Return what people compare: the start of the root's SHA-256 as base32 (RFC 4648), in groups of four."""
    text = base64.b32encode(hashlib.sha256(root.public_bytes(Encoding.DER)).digest()).decode("ascii")
    return "-".join(text[start : start + 4] for start in range(0, _PIN_CHARACTERS, 4))


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def is_pin(text: str, root: x509.Certificate) -> bool:
    """Tell whether somebody typed the root's pin; case, spaces and dashes do not matter."""
    return re.sub(r"[\s-]", "", text).upper() == pin(root).replace("-", "")


def check_client_name(name: str) -> str:
    """Return `<site>/<kiosk>` or `centre/<name>` as it is; raise `ProvisioningError` when no topic can hold it."""
    site, _, kiosk = name.partition("/")
    try:
        return kiosk_id(site, kiosk)
    except ContractError as error:
        raise ProvisioningError(error.message, remedy="choose another name for the site or the kiosk") from None


def check_kiosk_name(site: str, kiosk: str) -> str:
    """Return `<site>/<kiosk>`; raise `ProvisioningError` for a name that is none, or the centre's."""
    if site == CENTRE:
        raise ProvisioningError(f"{CENTRE!r} is kept for the centre's own", remedy="give the site another name")
    return check_client_name(f"{site}/{kiosk}")


def common_name(named: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """Return the common name of a certificate's or request's subject, or nothing."""
    names = named.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def hosts_of(certificate: x509.Certificate) -> list[str]:
    """Return the host names and IP addresses of a server's certificate; of any other, none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names]


def serial_text(certificate: x509.Certificate) -> str:
    """Return the serial number in hexadecimal, as `openssl x509 -serial` shows it."""
    return f"{certificate.serial_number:X}"


def load_chain(text: bytes) -> list[x509.Certificate]:
    """Return the certificates of a PEM file; raise `ProvisioningError` when there is none."""
    try:
        return x509.load_pem_x509_certificates(text)
    except ValueError:
        raise ProvisioningError("there is no certificate in it") from None


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def _as_authority(builder: x509.CertificateBuilder, *, path_length: int) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    return builder.add_extension(_key_usage(is_authority=True), critical=True)


def _issued_by(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


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
    key: ec.EllipticCurvePublicKey,
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
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(issued - early)
        .not_valid_after(issued + length)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
