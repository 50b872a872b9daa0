"""The authority of one deployment as files: who may speak to the broker, and as whom; and the keys of centre and kiosk.

Owns which files there are and the JWK files (RFC 7517, RFC 8037) that `edge.seal` loads; what a certificate says is
`edge.identity.certificates`'. It signs no record and opens no letter. Always true: a private key is on disk with mode
0600 only, and is never overwritten; the root's key is encrypted, or was never written; a certificate names one role; a
kiosk cannot be given a name of the centre's.

Files, each in the folder that the caller names:

| who | private | public |
|---|---|---|
| root, kept offline (EC P-256, PKCS #8 under a passphrase) | `root.key` | `ca.crt` |
| issuing authority, at the centre | `issuing.key` | `issuing.crt` |
| who signs bundles and answers | `signing.key` | `signing.crt` |
| broker | `broker.key` | `broker.crt`, `ca.crt` |
| enrolment | `enrolment.key` | `enrolment.crt`, `ca.crt` |
| kiosk or collector, TLS | `client.key` | `client.crt`, `ca.crt` |
| centre, signs receipts (Ed25519) | `receipt.key.json` | `receipt.pub.json` |
| centre, opens letters (X25519, ECDH-ES) | `opening.key.json` | `opening.pub.json` |
| kiosk, signs records (Ed25519) | `record.key.json` | `record.pub.json` |

Where a certificate is below the issuing authority, its file has that one's certificate behind it, so that its owner
shows both. The subject of a client is its user name at the broker: `<site>/<kiosk>`, or `centre/<name>`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from dataclasses import replace as replace_field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from joserfc.jwk import OKPKey

from edge.errors import ProvisioningError
from edge.identity import certificates
from edge.identity.certificates import CENTRE, DEFAULT_VALIDITY, Clock, Issuer, Role, Validity, utc_now
from edge.identity.issuing import load_documents, load_issuer, load_issuers, load_pair
from edge.identity.key_files import make_folder, read_private, refuse_existing, replace, write_private, write_public
from edge.identity.signed import DocumentSigner
from edge.identity.trust import Trust

LEAST_PASSPHRASE = 12
CENTRE_KEYS = {"receipt": ("Ed25519", "sig", "Ed25519"), "opening": ("X25519", "enc", "ECDH-ES")}


@dataclass(frozen=True, slots=True)
class Authority:
    """The issuing authority whose certificate and key lie in one folder, with the root's certificate."""

    issuer: Issuer
    folder: Path = field(repr=False)

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        name: str = "Landfall authority",
        offline: Path | None = None,
        passphrase: str = "",
        validity: Validity = DEFAULT_VALIDITY,
        clock: Clock = utc_now,
    ) -> Authority:
        """Make root and issuing authority in `folder`, and who signs documents; `clock` tells the moment of issue.

        The root's key goes to the folder `offline` under the passphrase; without one it is forgotten, which is right
        for a deployment that lives an hour. Raises `ProvisioningError` when the folder holds an authority already.
        """
        if offline is not None and len(passphrase) < LEAST_PASSPHRASE:
            raise ProvisioningError(f"the passphrase is too short: {LEAST_PASSPHRASE} characters at least")
        make_folder(folder)
        refuse_existing(folder, "ca.crt", "issuing.key", "issuing.crt")
        root, root_key = certificates.make_root(name, validity, clock)
        issuer, key = certificates.make_issuer(root, root_key, validity, clock)
        if offline is not None:
            make_folder(offline)
            refuse_existing(offline, "root.key")
            encryption = BestAvailableEncryption(passphrase.encode())
            write_private(offline / "root.key", private_pem(root_key, encryption))
        write_private(folder / "issuing.key", private_pem(key))
        write_public(folder / "issuing.crt", certificates.pem(issuer.certificate))
        write_public(folder / "ca.crt", certificates.pem(root))
        authority = cls(issuer, folder)
        authority._issue(folder, "signing", f"{CENTRE}/documents", Role.DOCUMENTS)
        return authority

    @classmethod
    def succeed(
        cls,
        folder: Path,
        before: Path,
        offline: Path,
        passphrase: str,
        *,
        validity: Validity = DEFAULT_VALIDITY,
        clock: Clock = utc_now,
    ) -> Authority:
        """Make the next issuing authority below the same root in `folder`, which also holds those `before`, to revoke.

        `offline` holds the root's key. Raises `ProvisioningError` when the passphrase does not open it, or the folder
        holds an authority already.
        """
        old = load_issuers(before, validity, clock)
        root = old[0].root
        root_key = _root_key(offline / "root.key", passphrase, root)
        make_folder(folder)
        refuse_existing(folder, "ca.crt", "issuing.key", "issuing.crt")
        issuer, _ = certificates.make_issuer(root, root_key, validity, clock, old[0].number + 1)
        write_private(folder / "issuing.key", b"".join(one.key_pem() for one in (issuer, *old)))
        write_public(folder / "issuing.crt", b"".join(certificates.pem(one.certificate) for one in (issuer, *old)))
        write_public(folder / "ca.crt", old[0].trust.pem())
        authority = cls(replace_field(issuer, trust=old[0].trust), folder)
        authority._issue(folder, "signing", f"{CENTRE}/documents", Role.DOCUMENTS)
        return authority

    def revoke_predecessors(self, offline: Path, passphrase: str) -> int:
        """Have the root revoke the authorities before this one, and forget them; return how many there were.

        Whoever has the new `ca.crt` believes nothing that they certify. `offline` holds the root's key. Raises
        `ProvisioningError` when the passphrase does not open it, or there is no authority before this one.
        """
        first, *others = self._issuers()
        root_key = _root_key(offline / "root.key", passphrase, first.root)
        trust = first.trust.revoking([one.certificate for one in others], root_key, first.clock())
        replace(self.folder / "ca.crt", trust.pem())  # first, since what is forgotten cannot be revoked any more
        return self.forget_predecessors()

    def forget_predecessors(self) -> int:
        """Keep the authority that issues now alone; return how many were there before it.

        From the next revocation list on, the broker refuses whatever these issued. Raises `ProvisioningError` when
        there is no authority before this one.
        """
        first, *others = self._issuers()
        # The key first: a certificate without its key is passed over, and so nothing is ever half done.
        replace(self.folder / "issuing.key", first.key_pem(), 0o600)
        replace(self.folder / "issuing.crt", certificates.pem(first.certificate))
        return len(others)

    def _issuers(self) -> list[Issuer]:
        issuers = load_issuers(self.folder)
        if len(issuers) == 1:
            raise ProvisioningError(f"{self.folder}: there is no earlier authority", remedy="nothing has to be done")
        return issuers

    @classmethod
    def load(cls, folder: Path, *, validity: Validity = DEFAULT_VALIDITY, clock: Clock = utc_now) -> Authority:
        """Load an authority; raise `ProvisioningError` when it is not there, damaged, or its key open to others."""
        return cls(load_issuer(folder, validity, clock), folder)

    @property
    def certificate(self) -> x509.Certificate:
        """Return the issuing authority's own certificate."""
        return self.issuer.certificate

    @property
    def root(self) -> x509.Certificate:
        """Return the root's certificate, which everybody in the deployment trusts."""
        return self.issuer.root

    def documents(self) -> DocumentSigner:
        """Load who signs bundles and answers; raise `ProvisioningError` when it is not there or damaged."""
        return load_documents(self.folder)

    def issue_broker(self, folder: Path, hosts: list[str]) -> x509.Certificate:
        """Make the broker's key and certificate for the host names and IP addresses under which it is reached."""
        return self._issue(folder, "broker", "Landfall broker", Role.SERVER, hosts)

    def issue_enrolment(self, folder: Path, hosts: list[str]) -> x509.Certificate:
        """Make key and certificate of the server at which kiosks enrol."""
        return self._issue(folder, "enrolment", "Landfall enrolment", Role.SERVER, hosts)

    def issue_client(self, folder: Path, common_name: str) -> x509.Certificate:
        """Make a client's key and certificate; `common_name` is `<site>/<kiosk>` or `centre/<name>`."""
        return self._issue(folder, "client", certificates.check_client_name(common_name), Role.CLIENT)

    def issue_kiosk(self, folder: Path, site: str, kiosk: str) -> x509.Certificate:
        """Make a kiosk's TLS key and certificate; raise `ProvisioningError` for a name that is none or the centre's."""
        return self.issue_client(folder, certificates.check_kiosk_name(site, kiosk))

    def issue_collector(self, folder: Path, name: str) -> x509.Certificate:
        """Make a collector's TLS key and certificate."""
        return self.issue_client(folder, f"{CENTRE}/{name}")

    def renew(self, folder: Path) -> list[x509.Certificate]:
        """Certify the centre's own keys of a folder anew, in the same names; return the certificates.

        The keys stay, so that key and certificate fit together whenever the power goes. Kiosks renew by themselves.
        """
        renewed = []
        for stem, role in (("broker", Role.SERVER), ("enrolment", Role.SERVER), ("client", Role.CLIENT)):
            if not (folder / f"{stem}.crt").exists():
                continue
            key, (old, *_) = load_pair(folder, stem)
            certificate = self.issuer.issue(
                key.public_key(), certificates.common_name(old), role, certificates.hosts_of(old)
            )
            replace(folder / f"{stem}.crt", self.issuer.chain(certificate))
            replace(folder / "ca.crt", self.issuer.trust.pem())
            renewed.append(certificate)
        if not renewed:
            raise ProvisioningError(f"{folder}: holds no certificate of the centre", remedy="name another folder")
        return renewed

    def _issue(
        self, folder: Path, stem: str, common_name: str, role: Role, hosts: list[str] | None = None
    ) -> x509.Certificate:
        make_folder(folder)
        refuse_existing(folder, f"{stem}.key", f"{stem}.crt")
        ca_file = folder / "ca.crt"
        if ca_file.exists() and Trust.load(ca_file.read_bytes()).root != self.root:
            raise ProvisioningError(f"{ca_file}: is of another authority", remedy="choose another folder")
        key = certificates.new_key()
        certificate = self.issuer.issue(key.public_key(), common_name, role, hosts or ())
        write_private(folder / f"{stem}.key", private_pem(key))
        write_public(folder / f"{stem}.crt", self.issuer.chain(certificate))
        if not ca_file.exists():
            write_public(ca_file, self.issuer.trust.pem())
        return certificate


def _root_key(path: Path, passphrase: str, root: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(read_private(path), passphrase.encode())
    except OSError as error:
        raise ProvisioningError(f"{path}: {error.strerror}", remedy="fetch the offline folder from its safe") from None
    except (ValueError, TypeError):
        raise ProvisioningError(f"{path}: the passphrase does not open it", remedy="try again") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != root.public_key():
        raise ProvisioningError(f"{path}: is of another deployment", remedy="fetch the one with this authority's pin")
    return key


def make_centre_keys(folder: Path) -> None:
    """Make the centre's keys as JWK files: `receipt.*` signs receipts and commands, `opening.*` opens letters."""
    _make_keys(folder, CENTRE_KEYS)


def make_kiosk_keys(folder: Path) -> None:
    """Make a kiosk's own key as JWK files: `record.*` signs its records."""
    _make_keys(folder, {"record": ("Ed25519", "sig", "Ed25519")})


def _make_keys(folder: Path, kinds: dict[str, tuple[str, str, str]]) -> None:
    make_folder(folder)
    refuse_existing(folder, *(f"{stem}.{part}.json" for stem in kinds for part in ("key", "pub")))
    for stem, kind in kinds.items():
        private = new_jwk(*kind)
        write_private(folder / f"{stem}.key.json", jwk_text(private))
        write_public(folder / f"{stem}.pub.json", jwk_text(public_half(private)))


def new_jwk(curve: str, use: str, algorithm: str) -> dict:
    """Return a new private JWK, named by its thumbprint."""
    # auto_kid names the key by its RFC 7638 thumbprint, as the headers of letters and envelopes do.
    key = OKPKey.generate_key(curve, {"use": use, "alg": algorithm}, private=True, auto_kid=True)
    return key.as_dict(private=True)


def public_half(jwk: dict) -> dict:
    """Return a JWK without what is secret of it."""
    return {name: jwk[name] for name in jwk if name != "d"}


def jwk_text(jwk: dict) -> bytes:
    """Return a JWK, or a JWK Set, as a file has it."""
    return (json.dumps(jwk, indent=2, sort_keys=True) + "\n").encode()


def new_record_key() -> dict:
    """Return a new private JWK that signs records."""
    return new_jwk("Ed25519", "sig", "Ed25519")


def private_pem(key: ec.EllipticCurvePrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    """Return a private key as PKCS #8 in PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
