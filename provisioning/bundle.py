"""The bundle: one file that makes a fresh machine a named kiosk.

Owns its form: a tar (USTAR) of a signed manifest and the members that it lists with their SHA-256. Always true: there
is one way to write the same bundle, and one byte more, less or changed anywhere makes it refused; a member's name is
one of those listed here, so nothing can be put elsewhere; private keys are never in it.

Whoever holds the file holds what is in it: the one-time code until it was used, and the post's Wi-Fi password.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from edge.errors import ContractError, ProvisioningError
from edge.identity.enrolment import BUNDLE_TYP
from edge.identity.signed import DocumentSigner, claimed_payload, verify_document
from edge.identity.trust import Trust
from edge.wire.topics import kiosk_id

MAX_BYTES = 16 * 1024 * 1024
SUFFIX = ".landfall"
SETTINGS, ROOT, ENROLMENT, TRUST_LIST = "kiosk.toml", "ca.crt", "enrolment.json", "trust_list.json"
NETWORK = "network/"
_MANIFEST = "manifest.jws"
_ALWAYS = {SETTINGS, ROOT, ENROLMENT}
_MEMBER = re.compile(
    r"kiosk\.toml|ca\.crt|enrolment\.json|trust_list\.json|network/landfall-[a-z0-9-]{1,32}\.nmconnection"
)
_VERSION = 1
_DAMAGED = "copy it again, or have a new one made"


class Enrolment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where this kiosk enrols, and with what; the code is empty where a stick is used."""

    kiosk: str
    address: str
    code: str = ""


class _Manifest(msgspec.Struct, frozen=True):
    version: int
    kiosk: str
    made_at: datetime
    members: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose signature, members and root were checked. What is in it is not shown: there is a code in it."""

    kiosk: str
    made_at: datetime
    members: Mapping[str, bytes] = field(repr=False)
    sha256: str

    @property
    def enrolment(self) -> Enrolment:
        """Return where to enrol; raise `ProvisioningError` when that member is none."""
        try:
            found = msgspec.json.decode(self.members[ENROLMENT], type=Enrolment)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ProvisioningError("the bundle does not say where to enrol", remedy=_DAMAGED) from None
        if found.kiosk != self.kiosk:
            raise ProvisioningError(f"the bundle enrols {found.kiosk} and is for {self.kiosk}", remedy=_DAMAGED)
        return found

    @property
    def network(self) -> dict[str, bytes]:
        """Return NetworkManager's keyfiles by their file names."""
        return {name.removeprefix(NETWORK): text for name, text in self.members.items() if name.startswith(NETWORK)}


def write_bundle(kiosk: str, members: Mapping[str, bytes], signer: DocumentSigner, made_at: datetime) -> bytes:
    """Return the bytes of a signed bundle."""
    for name in members:
        if not _MEMBER.fullmatch(name):
            raise ProvisioningError(f"{name!r} is nothing that a bundle holds")
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(members.items())}
    manifest = _Manifest(_VERSION, kiosk, made_at.replace(microsecond=0), hashes)
    token = signer.sign(msgspec.json.encode(manifest), BUNDLE_TYP)
    return _tar(token.encode("ascii"), members)


def read_bundle(content: bytes, now: datetime, known: Trust | None = None) -> Bundle:
    """Check a bundle and return it; raise `ProvisioningError` for one that is not exactly what somebody signed.

    The root is taken from the bundle itself: whether it is the right one, the caller has to find out before anything
    else is believed (`edge.identity.certificates.pin`). `known` is whom the machine trusts already: what it knows to be
    revoked signs no bundle. A machine whose clock is behind takes the moment at which the bundle was made.
    """
    if len(content) > MAX_BYTES:
        raise ProvisioningError("the bundle is larger than any bundle", remedy=_DAMAGED)
    found = _untar(content)
    token = found.pop(_MANIFEST, b"").decode("ascii", "replace")
    if not found.keys() >= _ALWAYS:
        raise ProvisioningError("this is no bundle, or a part of it is missing", remedy=_DAMAGED)
    try:
        trust = Trust.load(found[ROOT])
        if known is not None and known.root == trust.root:
            trust = trust.with_list(known.list_pem())
        made_at = _manifest(claimed_payload(token)).made_at
        manifest = _manifest(verify_document(token, BUNDLE_TYP, trust, max(now, made_at)))
    except ProvisioningError as error:
        raise ProvisioningError(f"the bundle is not to be trusted: {error.message}", remedy=_DAMAGED) from None
    if manifest.members != {name: hashlib.sha256(text).hexdigest() for name, text in found.items()}:
        raise ProvisioningError("the bundle was changed after it was signed", remedy=_DAMAGED)
    if _tar(token.encode("ascii"), found) != content:
        raise ProvisioningError("the bundle is damaged", remedy=_DAMAGED)
    bundle = Bundle(manifest.kiosk, manifest.made_at, found, hashlib.sha256(content).hexdigest())
    bundle.enrolment  # noqa: B018  (raises)
    return bundle


def trust_of(bundle: Bundle) -> Trust:
    """Return the root that the bundle brings, and what it has revoked."""
    return Trust.load(bundle.members[ROOT])


def _manifest(payload: bytes) -> _Manifest:
    try:
        manifest = msgspec.json.decode(payload, type=_Manifest)
        site, _, name = manifest.kiosk.partition("/")
        kiosk_id(site, name)
    except (msgspec.DecodeError, UnicodeDecodeError, ContractError):
        raise ProvisioningError("its manifest cannot be read") from None
    if manifest.version != _VERSION:
        raise ProvisioningError(f"it is of version {manifest.version}, and this is {_VERSION}")
    if manifest.made_at.tzinfo is None:
        raise ProvisioningError("its manifest cannot be read")
    return msgspec.structs.replace(manifest, made_at=manifest.made_at.astimezone(UTC))


def _tar(token: bytes, members: Mapping[str, bytes]) -> bytes:
    """Return the one tar that these members make: same order, no dates, no owners."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in [(_MANIFEST, token), *sorted(members.items())]:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _untar(content: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            for entry in tar:
                is_known = entry.name == _MANIFEST or _MEMBER.fullmatch(entry.name)
                # A sparse member counts as regular, and its holes are as large as it says.
                is_plain = entry.isreg() and not entry.issparse()
                file = tar.extractfile(entry) if is_plain and is_known and entry.name not in found else None
                if file is None:
                    raise ProvisioningError("the bundle holds what no bundle holds", remedy="do not use it")
                found[entry.name] = file.read()
    except (tarfile.TarError, ValueError, EOFError, OSError, UnicodeError):
        raise ProvisioningError("this is no bundle, or a damaged one", remedy=_DAMAGED) from None
    return found
