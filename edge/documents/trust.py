"""The trust list: whose seals and certificates count, and for how long that knowledge is fresh.

Owns the form of the list and the ways to find a signer in it; what the list says of one signature is decided in
`standing`. Always true: one entry that cannot be read is set aside in `unreadable` and costs no other; a signer on a
curve that no library knows stays listed without a key, so that it is not mistaken for an unknown one.

The list is a JSON file that the caller reads; it comes signed with the bundle, so its own signature is not looked at:

    {"issued_at": "2026-11-01T00:00:00Z", "fresh_until": "2026-12-01T00:00:00Z",
     "authorities": [{"certificate": <DER in base64>, "state": "UTO"}],
     "signers": [{"certificate": <DER in base64>, "state": "UTO", "purposes": ["vds", "vds-nc", "dcc"]},
                 {"public_key": <SubjectPublicKeyInfo in base64>, "key_identifier": <base64>, "state": "UTO",
                  "signer_identifier": "UTTS", "certificate_reference": "2A",
                  "not_before": "2026-01-01", "not_after": "2027-01-01"}],
     "revoked": {"certificates": [<SHA-256 of the DER in hex>], "serials": [{"country": "UT", "serial": "2A"}],
                 "key_identifiers": [<base64>], "documents": [<first 16 bytes of a SHA-256 in hex>]}}

A `certificate` that is not quite as RFC 5280 has it needs the two dates as well. `authorities` are CSCAs: they vouch
for the certificate inside a VDS-NC. `documents` are single revoked certificates, hashed as the EU gateway does (of
UVCI, country and UVCI, or signature).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from edge.documents.signature import SignerKey, UnsupportedKey, key_in, key_of, load_certificate, load_key
from edge.documents.standing import Purpose, Signer
from edge.errors import ContractError

if TYPE_CHECKING:
    from cryptography import x509


class _SignerEntry(msgspec.Struct):
    certificate: bytes | None = None
    public_key: bytes | None = None
    key_identifier: bytes | None = None
    state: str = ""
    signer_identifier: str = ""
    certificate_reference: str = ""
    not_before: date | None = None
    not_after: date | None = None
    purposes: tuple[Purpose, ...] = ("vds", "vds-nc", "dcc")


class _AuthorityEntry(msgspec.Struct):
    certificate: bytes
    state: str = ""


class _Serial(msgspec.Struct, frozen=True):
    country: str
    serial: str


class _Revoked(msgspec.Struct, frozen=True):
    certificates: tuple[str, ...] = ()
    serials: tuple[_Serial, ...] = ()
    key_identifiers: tuple[bytes, ...] = ()
    documents: tuple[str, ...] = ()


class _File(msgspec.Struct):
    issued_at: datetime
    fresh_until: datetime
    signers: tuple[msgspec.Raw, ...] = ()
    authorities: tuple[msgspec.Raw, ...] = ()
    revoked: _Revoked = _Revoked()


@dataclass(frozen=True, slots=True)
class _Authority:
    key: SignerKey
    state: str
    not_after: date


@dataclass(frozen=True, slots=True)
class _Revocations:
    fingerprints: frozenset[bytes]
    serials: frozenset[tuple[str, int]]
    key_identifiers: frozenset[bytes]
    documents: frozenset[bytes]

    @classmethod
    def of(cls, revoked: _Revoked) -> _Revocations:
        return cls(
            frozenset(bytes.fromhex(item) for item in revoked.certificates),
            frozenset((item.country.upper(), int(item.serial, 16)) for item in revoked.serials),
            frozenset(revoked.key_identifiers),
            frozenset(bytes.fromhex(item)[:16] for item in revoked.documents),
        )


@dataclass(frozen=True, slots=True)
class TrustList:
    """What `from_bytes` understood; `unreadable` names the entries that it set aside."""

    issued_at: datetime
    fresh_until: datetime
    unreadable: list[str]
    _by_key_identifier: dict[bytes, list[Signer]] = field(repr=False)
    _by_reference: dict[tuple[str, int], list[Signer]] = field(repr=False)
    _by_fingerprint: dict[bytes, Signer] = field(repr=False)
    _authorities: dict[bytes, list[_Authority]] = field(repr=False)
    _revoked: _Revocations = field(repr=False)

    @classmethod
    def from_bytes(cls, text: bytes) -> TrustList:
        """Read a trust list; raises `ContractError` if the file as a whole has not the form above."""
        try:
            file = msgspec.json.decode(text, type=_File)
            revoked = _Revocations.of(file.revoked)
        except (msgspec.MsgspecError, ValueError, RecursionError) as e:
            raise ContractError(f"trust list: {e}", remedy="fetch the list again") from None
        listed = cls(file.issued_at, file.fresh_until, [], {}, {}, {}, {}, revoked)
        for index, entry in enumerate(file.signers):
            listed._add(f"signers[{index}]", listed._add_signer, entry)
        for index, entry in enumerate(file.authorities):
            listed._add(f"authorities[{index}]", listed._add_authority, entry)
        return listed

    @property
    def signer_count(self) -> int:
        """Tell how many signers could be read."""
        return sum(map(len, self._by_key_identifier.values()))

    def by_key_identifier(self, key_identifier: bytes) -> Sequence[Signer]:
        """Return the signers with this COSE key id (for the EU: the first 8 bytes of the certificate's SHA-256)."""
        return self._by_key_identifier.get(key_identifier, ())

    def by_reference(self, signer_identifier: str, certificate_reference: str) -> Sequence[Signer]:
        """Return the signers that the header of a VDS names: country and two characters, and the serial in hex."""
        try:
            return self._by_reference.get((signer_identifier.upper(), int(certificate_reference, 16)), ())
        except ValueError:
            return ()

    def by_certificate(self, der: bytes) -> Sequence[Signer]:
        """Return the signer with this very certificate, or one that an authority of the list vouches for."""
        listed = self._by_fingerprint.get(hashlib.sha256(der).digest())
        if listed is not None:
            return (listed,)
        try:
            certificate = load_certificate(der)
        except ValueError:
            return ()
        for authority in self._authorities.get(certificate.issuer.public_bytes(), ()):
            if authority.key.issued(certificate):
                entry = _SignerEntry(state=authority.state, not_after=authority.not_after)
                return (self._certified(certificate, entry),)
        return ()

    def has_revoked_document(self, hashes: Iterable[bytes]) -> bool:
        """Tell whether one of these SHA-256 (their first 16 bytes count) is that of a revoked document."""
        return any(value[:16] in self._revoked.documents for value in hashes)

    def _add(self, where: str, add: Callable[[msgspec.Raw], None], entry: msgspec.Raw) -> None:
        try:
            add(entry)
        except (msgspec.MsgspecError, ValueError) as e:  # UnsupportedKey is a ValueError
            self.unreadable.append(f"{where}: {e}")

    def _add_signer(self, raw: msgspec.Raw) -> None:
        entry = msgspec.json.decode(raw, type=_SignerEntry)
        reference = None
        if entry.certificate is None:
            signer = self._bare(entry)
        else:
            try:
                certificate = load_certificate(entry.certificate)
            except ValueError:  # not as RFC 5280 has it: then the list must say from when to when it counts
                signer = self._bare(entry)
            else:
                signer = self._certified(certificate, entry)
                reference = _reference(certificate)
            self._by_fingerprint[hashlib.sha256(entry.certificate).digest()] = signer
        if entry.signer_identifier:
            reference = (entry.signer_identifier.upper(), int(entry.certificate_reference, 16))
        self._by_key_identifier.setdefault(signer.key_identifier, []).append(signer)
        if reference is not None:
            self._by_reference.setdefault(reference, []).append(signer)

    def _add_authority(self, raw: msgspec.Raw) -> None:
        entry = msgspec.json.decode(raw, type=_AuthorityEntry)
        certificate = load_certificate(entry.certificate)
        authority = _Authority(key_of(certificate), entry.state, certificate.not_valid_after_utc.date())
        self._authorities.setdefault(certificate.subject.public_bytes(), []).append(authority)

    def _bare(self, entry: _SignerEntry) -> Signer:
        """Return a signer of whom only the key is read; raises ValueError."""
        if entry.not_before is None or entry.not_after is None:
            raise ValueError("needs a certificate that can be read, or a key with not_before and not_after")
        if entry.certificate is not None:
            key, fingerprint = key_in(entry.certificate), hashlib.sha256(entry.certificate).digest()
        elif entry.public_key is not None:
            key, fingerprint = load_key(entry.public_key), b""
        else:
            raise ValueError("needs certificate or public_key")
        key_identifier = entry.key_identifier or fingerprint[:8]
        is_revoked = fingerprint in self._revoked.fingerprints or key_identifier in self._revoked.key_identifiers
        purposes = frozenset(entry.purposes)
        return Signer(key, key_identifier, entry.state, entry.not_before, entry.not_after, purposes, is_revoked)

    def _certified(self, certificate: x509.Certificate, entry: _SignerEntry) -> Signer:
        from cryptography.hazmat.primitives.serialization import Encoding

        fingerprint = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
        try:
            key = key_of(certificate)
        except UnsupportedKey:
            key = None
        not_before, not_after = certificate.not_valid_before_utc.date(), certificate.not_valid_after_utc.date()
        key_identifier = entry.key_identifier or fingerprint[:8]
        is_revoked = (
            fingerprint in self._revoked.fingerprints
            or (_name(certificate, "C"), certificate.serial_number) in self._revoked.serials
            or key_identifier in self._revoked.key_identifiers
        )
        return Signer(
            key,
            key_identifier,
            entry.state,
            max(not_before, entry.not_before or not_before),
            min(not_after, entry.not_after or not_after),
            frozenset(entry.purposes),
            is_revoked,
            _extended_key_usage(certificate),
        )


def _reference(certificate: x509.Certificate) -> tuple[str, int] | None:
    """Return what a VDS header calls this certificate: C and CN of its subject, and its serial (Doc 9303-13, 2.2.1)."""
    identifier = (_name(certificate, "C") + _name(certificate, "CN")).upper()
    return (identifier, certificate.serial_number) if len(identifier) == 4 else None


def _name(certificate: x509.Certificate, attribute: Literal["C", "CN"]) -> str:
    from cryptography.x509.oid import NameOID

    oid = NameOID.COUNTRY_NAME if attribute == "C" else NameOID.COMMON_NAME
    values = [item.value for item in certificate.subject.get_attributes_for_oid(oid)]
    return values[0].upper() if values and isinstance(values[0], str) else ""


def _extended_key_usage(certificate: x509.Certificate) -> frozenset[str] | None:
    from cryptography import x509

    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError, TypeError):
        return None
    return frozenset(oid.dotted_string for oid in usage)
