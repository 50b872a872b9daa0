"""What a machine of a deployment trusts: the root, less the issuing authorities that the root has taken back.

Owns the form of `ca.crt`: the root's certificate and, where there is one, the root's own revocation list (RFC 5280,
section 5) behind it. Touches no file. Always true: the list is the root's word alone, whoever brings it; a list never
gives way to an older one, by its number; no list is too old, since a post may be cut off for years: it is good until
the root's own end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from edge.errors import ProvisioningError

# What cryptography raises for X.509 that is none, some of it only when a field is first looked at.
MALFORMED = (
    ValueError,
    TypeError,
    LookupError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)
MAX_LIST_BYTES = 32 * 1024  # some hundred authorities; a deployment has a handful in its life


@dataclass(frozen=True, slots=True)
class Trust:
    """A root, and the list of what it has revoked."""

    root: x509.Certificate
    revoked: x509.CertificateRevocationList | None = None

    @classmethod
    def load(cls, text: bytes) -> Trust:
        """Read `ca.crt`; raise `ProvisioningError` when there is no certificate in it, or a list of somebody else."""
        try:
            trust = cls(x509.load_pem_x509_certificate(text))
            trust.root.public_key(), trust.root.subject, trust.root.extensions  # raise where they cannot be read
        except MALFORMED:
            raise ProvisioningError("there is no certificate in it") from None
        return trust.with_list(text) if b"-----BEGIN X509 CRL-----" in text else trust

    def pem(self) -> bytes:
        """Return what `ca.crt` holds."""
        return self.root.public_bytes(Encoding.PEM) + self.list_pem()

    def list_pem(self) -> bytes:
        """Return the list as PEM; nothing where the root has revoked nobody."""
        return b"" if self.revoked is None else self.revoked.public_bytes(Encoding.PEM)

    def with_list(self, text: bytes) -> Trust:
        """Return this trust with a list (PEM) that somebody brought, or as it is when it knows one as new.

        Raises `ProvisioningError` for a list that the root did not sign.
        """
        if not text:
            return self
        try:
            brought = x509.load_pem_x509_crl(text)
            is_the_roots = len(text) <= MAX_LIST_BYTES and brought.is_signature_valid(self.root.public_key())  # type: ignore[arg-type]
            is_the_roots = is_the_roots and brought.issuer == self.root.subject
            is_newer = self.revoked is None or _number(brought) > _number(self.revoked)
        except MALFORMED:
            is_the_roots = is_newer = False
        if not is_the_roots:
            raise ProvisioningError("the list of revoked authorities is not the root's", remedy="tell the centre")
        return Trust(self.root, brought) if is_newer else self

    def revoking(
        self, authorities: Iterable[x509.Certificate], root_key: ec.EllipticCurvePrivateKey, at: datetime
    ) -> Trust:
        """Return this trust with a list, signed by the root, that names these authorities besides those on it."""
        builder = x509.CertificateRevocationListBuilder(revoked_certificates=list(self.revoked or ()))
        number = 1 if self.revoked is None else _number(self.revoked) + 1
        builder = builder.issuer_name(self.root.subject).last_update(at).next_update(self.root.not_valid_after_utc)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        for one in authorities:
            if not self.has_revoked(one):
                entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(at)
                entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.ca_compromise), critical=False)
                builder = builder.add_revoked_certificate(entry.build())
        return Trust(self.root, builder.sign(root_key, hashes.SHA256()))

    def has_revoked(self, certificate: x509.Certificate) -> bool:
        """Tell whether the root has taken a certificate of its own back."""
        if self.revoked is None or certificate.issuer != self.root.subject:
            return False
        return self.revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None

    def refuse_revoked(self, chain: Iterable[x509.Certificate]) -> None:
        """Raise `ProvisioningError` when somebody of a chain was taken back."""
        if any(self.has_revoked(one) for one in chain):
            raise ProvisioningError(
                "the authority that certified this was revoked by the root",
                remedy="do not use it; somebody may have its key. Tell the centre",
            )


def _number(revoked: x509.CertificateRevocationList) -> int:
    return revoked.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
