"""The keys of this kiosk, on this kiosk: made here, and never let out.

Owns the folder of keys as the kiosk's unit reads it, and how an answer of the centre gets into it. Always true: a key
that is there is kept; renewal changes the certificate and no key, so that two files that belong together never differ;
the certificate is written last: where it is, everything else is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from edge.errors import ContractError, ProvisioningError
from edge.identity import certificates, enrolment
from edge.identity.certificates import Role, common_name
from edge.identity.enrolment import ANSWER_TYP, CENTRE_KEYS_TYP, CentreKeys, Request
from edge.identity.key_files import make_folder, read_private, replace, write_private
from edge.identity.signed import verify_document
from edge.identity.trust import Trust
from edge.seal import Signer, load_private_key
from provisioning.authority import new_record_key, private_pem

RENEW_WHEN_LEFT = 3  # renew once less than this part (a third) of a certificate's life is left


@dataclass(frozen=True, slots=True)
class KioskKeys:
    """The folder with `client.key`, `record.key.json`, `client.crt`, `ca.crt` and the centre's public keys."""

    folder: Path

    @property
    def trust(self) -> Trust:
        """Return whom this kiosk trusts; raise `ProvisioningError` when it trusts nobody yet."""
        path = self.folder / "ca.crt"
        try:
            return Trust.load(path.read_bytes())
        except OSError as error:
            raise ProvisioningError(f"{path}: {error.strerror}", remedy="install a bundle first") from None
        except ProvisioningError as error:
            raise ProvisioningError(f"{path}: {error.message}", remedy="install a bundle first") from None

    def pin(self, brought: Trust) -> bool:
        """Trust a root, and the newer of both lists of revoked authorities; return whether that changes anything.

        Raises `ProvisioningError` when another root is pinned.
        """
        make_folder(self.folder)
        path = self.folder / "ca.crt"
        if path.exists():
            known = self.trust
            if known.root != brought.root:
                raise ProvisioningError(
                    f"{path}: this machine belongs to another deployment", remedy="begin with a new card"
                )
            brought = known.with_list(brought.list_pem())
        return _replaced(path, brought.pem())

    def make_missing(self) -> bool:
        """Make the keys that are not there yet, and say whether any was made."""
        make_folder(self.folder)
        is_new = False
        if not (self.folder / "client.key").exists():
            write_private(self.folder / "client.key", private_pem(certificates.new_key()))
            is_new = True
        if not (self.folder / "record.key.json").exists():
            write_private(self.folder / "record.key.json", _json(new_record_key()))
            is_new = True
        public = load_private_key(self.folder / "record.key.json").as_dict(private=False)
        return _replaced(self.folder / "record.pub.json", _json(public)) or is_new

    def request(self, kiosk: str) -> Request:
        """Return a request for a certificate in this name, for these keys."""
        record = load_private_key(self.folder / "record.key.json")
        csr = certificates.make_request(self._tls_key(), kiosk)
        return enrolment.make_request(kiosk, csr, record.as_dict(private=False), Signer(record).sign)

    def certificate(self, kiosk: str) -> x509.Certificate | None:
        """Return this kiosk's certificate, or None when there is none for this name and key."""
        if not (self.folder / "client.crt").exists():
            return None
        leaf = self._certificates("client.crt", "enrol this kiosk again")[0]
        belongs = leaf.public_key() == self._tls_key().public_key() and common_name(leaf) == kiosk
        return leaf if belongs else None

    def accept(self, token: str, kiosk: str, now: datetime) -> bool:
        """Take the centre's answer and say whether it changed anything; raise `ProvisioningError` for one that is none.

        An answer for other keys, for another kiosk or of another authority changes nothing.
        """
        known = self.trust
        try:
            answer = enrolment.decode_answer(verify_document(token, ANSWER_TYP, known, now))
            trust = known.with_list(answer.centre.revoked.encode())
            verify_document(token, ANSWER_TYP, trust, now)  # it may bring the list that its own signer is on
        except ContractError as error:
            raise ProvisioningError(error.message) from None
        chain = certificates.load_chain(answer.certificate.encode())
        certificates.verify_chain(chain, trust, Role.CLIENT, now)
        if answer.kiosk != kiosk or common_name(chain[0]) != kiosk:
            raise ProvisioningError(f"the answer is for {answer.kiosk}, and this is {kiosk}")
        if chain[0].public_key() != self._tls_key().public_key():
            raise ProvisioningError("the answer is for other keys than this kiosk has", remedy="make a new request")
        is_new = self._keep_centre_keys(answer.centre)
        return _replaced(self.folder / "client.crt", answer.certificate.encode("ascii")) or is_new

    def accept_centre_keys(self, token: str, now: datetime) -> bool:
        """Take the centre's public keys and say whether they changed; raise `ProvisioningError` if not signed by it."""
        return self._keep_centre_keys(self._centre_keys(token, now))

    def is_of_another_issuer(self, token: str, now: datetime) -> bool:
        """Tell whether the list of the centre's keys names another issuing authority than the one of the certificate.

        Raises `ProvisioningError` if the centre did not sign the list.
        """
        issuer = self._centre_keys(token, now).issuer
        chain = self._certificates("client.crt", "enrol this kiosk again")
        return bool(issuer) and issuer not in map(certificates.fingerprint, chain[1:])

    def _centre_keys(self, token: str, now: datetime) -> CentreKeys:
        known = self.trust
        try:
            keys = enrolment.decode_centre_keys(verify_document(token, CENTRE_KEYS_TYP, known, now))
            verify_document(token, CENTRE_KEYS_TYP, known.with_list(keys.revoked.encode()), now)
        except ContractError as error:
            raise ProvisioningError(error.message) from None
        return keys

    def _keep_centre_keys(self, keys: CentreKeys) -> bool:
        # One file each, as the unit's credentials want it; several keys are a JWK Set (RFC 7517, section 5).
        receipts = dict(keys.receipts[0]) if len(keys.receipts) == 1 else {"keys": [dict(key) for key in keys.receipts]}
        is_new = self.pin(self.trust.with_list(keys.revoked.encode()))
        is_new = _replaced(self.folder / "opening.pub.json", _json(dict(keys.opening))) or is_new
        return _replaced(self.folder / "receipt.pub.json", _json(receipts)) or is_new

    def _tls_key(self) -> ec.EllipticCurvePrivateKey:
        path = self.folder / "client.key"
        try:
            key = load_pem_private_key(read_private(path), password=None)
        except (ValueError, TypeError):
            raise ProvisioningError(f"{path} is damaged", remedy="remove it, and enrol this kiosk again") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ProvisioningError(f"{path} is of another kind", remedy="remove it, and enrol this kiosk again")
        return key

    def _certificates(self, name: str, remedy: str) -> list[x509.Certificate]:
        path = self.folder / name
        try:
            return certificates.load_chain(path.read_bytes())
        except OSError as error:
            raise ProvisioningError(f"{path}: {error.strerror}", remedy=remedy) from None
        except ProvisioningError as error:
            raise ProvisioningError(f"{path}: {error.message}", remedy=remedy) from None


def is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether a certificate has to be renewed: a third of its life is left, or less."""
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return (certificate.not_valid_after_utc - now) * RENEW_WHEN_LEFT <= life


def _replaced(path: Path, content: bytes) -> bool:
    """Make a public file hold `content`, and say whether it did not."""
    if path.exists() and path.read_bytes() == content:
        return False
    replace(path, content)
    return True


def _json(jwk: dict) -> bytes:
    return msgspec.json.format(msgspec.json.encode(jwk), indent=2) + b"\n"
