"""Reading and writing whole seals: header, message zone, signature zone, and what the checks say of them.

Owns the order of the zones and the bytes that are signed (header and message zone, Doc 9303-13 section 2.2.3). Always
true: nothing raises while reading, and what was read stays even if the signature is wrong: the verdict says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from edge.documents.layers import LayerBroken, Layers
from edge.documents.signature import SignerKey
from edge.documents.standing import CHECKS as TRUST_CHECKS
from edge.documents.standing import CLOCK_UNSET, Signer, age_of, examine
from edge.documents.trust import TrustList
from edge.documents.vds import features as document_features
from edge.documents.vds import header as seal_header
from edge.documents.vds.features import MRZ, PROFILES, SIGNATURE_TAG, Profile
from edge.documents.vds.header import Header
from edge.documents.verdict import Document, Result

LONGEST = 4096  # bytes; the largest Data Matrix holds 1556, the largest QR code 2953
CHECKS = ("encoding", "header", "document_type", "features", "mrz", "dates", *TRUST_CHECKS, "issuing_country")

_UTF_8_MAGIC = bytes((seal_header.MAGIC,)).decode("latin-1").encode("utf-8")
_LINE_ENDS = (b"", b"\r", b"\n", b"\r\n")


def parse(
    payload: bytes | str, *, today: date | None, trust: TrustList | None = None, health: bool = False
) -> Document:
    """Read a seal from the bytes of its barcode.

    Text is taken as Latin-1, and bytes that a reader turned into UTF-8 are turned back. No seal of these profiles holds
    health content, so `health` changes nothing. What does not begin with DC has the kind `unknown`.
    """
    kind, fields, layers = "unknown", {}, Layers(CHECKS)
    layers.take(age_of(trust, today))
    try:
        seal = _bytes_of(payload, layers)
        header, start, remark = seal_header.read(seal)
        kind = "VDS"
        _take_header(header, remark, layers, fields)
        profile = _profile(header, layers, fields)
        values, signed_end, signature, broken_off = _zones(seal, start, layers)
        _take_features(profile, values, broken_off, layers, fields)
        _read_mrz(layers, fields, today)
        signer = _check_signature(header, seal[:signed_end], signature, layers, trust, today)
        _check_dates(header, signer, layers, today)
        _check_country(header, signer, layers)
    except LayerBroken as broken:
        layers.failed(broken.check, broken.detail)
    return Document(kind, "vds", fields, layers.verdicts())


def encode(fields: Mapping[str, Any], private_key: Any) -> bytes:
    """Return the signed seal of the fields that `parse` gives, for tests and simulation.

    `private_key` is an elliptic key of `cryptography`; `version` is 4 unless the fields say 3. Raises ValueError.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    message = encode_unsigned(fields)
    bits = private_key.curve.group_order.bit_length()
    algorithm = {"sha224": hashes.SHA224, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}
    signature = private_key.sign(message, ec.ECDSA(algorithm[hash_for(bits)]()))
    size = (bits + 7) // 8
    plain = b"".join(number.to_bytes(size, "big") for number in utils.decode_dss_signature(signature))
    return message + document_features.element(SIGNATURE_TAG, plain)


def encode_unsigned(fields: Mapping[str, Any]) -> bytes:
    """Return header and message zone of the fields that `parse` gives; raises ValueError that names the field."""
    reference = next((key for key, item in PROFILES.items() if item.name == fields.get("document_type")), None)
    if reference is None:
        raise ValueError("document_type must be one of " + ", ".join(item.name for item in PROFILES.values()))
    header = Header(
        fields.get("version", 4),
        *(str(fields.get(name, "")) for name in ("issuing_country", "signer_identifier", "certificate_reference")),
        *(_date(fields, name) for name in ("document_issue_date", "signature_creation_date")),
        reference,
    )
    message = [header.encode()]
    for name in dict.fromkeys(feature.name for feature in PROFILES[reference].features):
        if name in fields:
            message.append(_element(PROFILES[reference], name, fields[name]))
        elif name in PROFILES[reference].required():
            raise ValueError(f"{name} is missing")
    return b"".join(message)


def hash_for(bits: int) -> str:
    """Return the hash that goes with a key of so many bits (Doc 9303-13, section 2.4; BSI TR-03116-2)."""
    sizes = ((224, "sha224"), (256, "sha256"), (384, "sha384"))
    return next((name for most, name in sizes if bits <= most), "sha512")


def _bytes_of(payload: bytes | str, layers: Layers) -> bytes:
    if len(payload) > 2 * LONGEST:
        raise LayerBroken("encoding", f"longer than {LONGEST} bytes")
    undone = ""
    try:
        if isinstance(payload, str):
            payload, undone = payload.encode("latin-1"), "text taken as Latin-1"
        elif bytes(payload[:2]) == _UTF_8_MAGIC:
            payload, undone = bytes(payload).decode("utf-8").encode("latin-1"), "UTF-8 turned back into bytes"
    except UnicodeError:
        raise LayerBroken("encoding", "bytes were lost on the way: not Latin-1") from None
    if len(payload) > LONGEST:
        raise LayerBroken("encoding", f"longer than {LONGEST} bytes")
    layers.ok("encoding", undone)
    return bytes(payload)


def _take_header(header: Header, remark: str, layers: Layers, fields: dict[str, Any]) -> None:
    fields["version"] = header.version
    for name in ("issuing_country", "signer_identifier", "certificate_reference"):
        if getattr(header, name):
            fields[name] = getattr(header, name)
    for name in ("document_issue_date", "signature_creation_date"):
        if getattr(header, name) is not None:
            fields[name] = getattr(header, name).isoformat()
    left_open = [name for name in ("document_issue_date", "signature_creation_date") if name not in fields]
    if left_open:
        layers.doubtful("header", f"no date: {', '.join(left_open)}")
    else:
        layers.ok("header", remark)


def _profile(header: Header, layers: Layers, fields: dict[str, Any]) -> Profile:
    profile = PROFILES.get(header.document_reference)
    if profile is None:
        layers.doubtful("document_type", f"unknown type {header.document_reference:04X}")
        return Profile("", ())
    fields["document_type"] = profile.name
    layers.ok("document_type")
    return profile


def _zones(seal: bytes, start: int, layers: Layers) -> tuple[list[tuple[int, bytes]], int, bytes | None, list[str]]:
    """Return the elements of the message zone, where it ends, the signature, and why the reading stopped early."""
    values, end = [], start
    try:
        for tag, value, element_end in document_features.zone(seal, start):
            if tag == SIGNATURE_TAG:
                rest = seal[element_end:]
                if rest not in _LINE_ENDS:
                    layers.doubtful("encoding", f"{len(rest)} bytes after the signature")
                return values, end, value, []
            values.append((tag, value))
            end = element_end
    except ValueError as e:
        return values, end, None, [str(e)]
    return values, end, None, []


def _take_features(
    profile: Profile,
    values: list[tuple[int, bytes]],
    broken_off: list[str],
    layers: Layers,
    fields: dict[str, Any],
) -> None:
    wrong, unknown = list(broken_off), {}
    for tag, value in values:
        feature = profile.by_tag(tag)
        if feature is None:
            unknown[f"{tag:02X}"] = value.hex().upper()
        elif feature.name in fields:
            wrong.append(f"{feature.name}: twice")
        else:
            try:
                fields[feature.name] = document_features.decode(feature, value)
            except ValueError as e:  # a UnicodeDecodeError would quote the value
                wrong.append(f"{feature.name}: {'not UTF-8' if isinstance(e, UnicodeError) else e}")
    if unknown:
        fields["unknown_features"] = unknown
    named = {item.split(":")[0] for item in wrong}
    wrong += [f"{name}: missing" for name in profile.required() if name not in fields and name not in named]
    if wrong:
        layers.failed("features", "; ".join(wrong))
    elif not values:
        layers.failed("features", "none there")
    else:
        layers.ok("features")


def _read_mrz(layers: Layers, fields: dict[str, Any], today: date | None) -> None:
    """Let the module of the machine readable zone read the one in the seal; one verdict stands for all of its own."""
    if MRZ not in fields:
        return layers.not_done("mrz", "none in the seal")
    from edge.documents import mrz

    document = mrz.parse(fields[MRZ].encode("ascii", "replace"), today=today)
    fields["mrz"] = document.fields
    for result in (Result.FAILED, Result.DOUBTFUL):
        if found := document.of(result):
            say = layers.failed if result is Result.FAILED else layers.doubtful
            return say("mrz", ", ".join(verdict.check for verdict in found))
    return layers.ok("mrz") if document.is_understood else layers.failed("mrz", "not a machine readable zone")


def _check_signature(
    header: Header,
    message: bytes,
    signature: bytes | None,
    layers: Layers,
    trust: TrustList | None,
    today: date | None,
) -> Signer | None:
    if signature is None:
        layers.failed("signature", "unsigned: no whole signature zone")
        return None
    signers = () if trust is None else trust.by_reference(header.signer_identifier, header.certificate_reference)

    def fits(key: SignerKey) -> bool:
        return key.signed(signature, message, hash_for(key.bits))

    signer, verdicts = examine(trust, signers, purpose="vds", today=today, signed=fits)
    layers.take(*verdicts)
    return signer


def _check_dates(header: Header, signer: Signer | None, layers: Layers, today: date | None) -> None:
    """A seal cannot come from tomorrow (a day's difference is the date line), nor from outside its signer's time."""
    signed, issued = header.signature_creation_date, header.document_issue_date
    if today is None:
        layers.not_done("dates", CLOCK_UNSET)
    elif any(day is not None and (day - today).days > 1 for day in (signed, issued)):
        layers.failed("dates", "issued or signed after today")
    elif signed is None:
        layers.not_done("dates", "no signature_creation_date")
    elif signer is not None and not signer.not_before <= signed <= signer.not_after:
        layers.doubtful("dates", "signed outside the validity of the signer")
    else:
        layers.ok("dates")


def _check_country(header: Header, signer: Signer | None, layers: Layers) -> None:
    if signer is None or not signer.state:
        layers.not_done("issuing_country", "state of the signer not known")
    elif signer.state != header.issuing_country:
        layers.failed("issuing_country", "the signer is of another state")
    else:
        layers.ok("issuing_country")


def _element(profile: Profile, name: str, value: Any) -> bytes:
    """Return the element of the first feature of this name that can hold the value (a visa is MRV-A or MRV-B)."""
    reasons = []
    for feature in profile.features:
        if feature.name == name:
            try:
                return document_features.element(feature.tag, document_features.encode(feature, value))
            except ValueError as e:
                reasons.append(str(e))
    raise ValueError("; ".join(reasons))


def _date(fields: Mapping[str, Any], name: str) -> date | None:
    try:
        return date.fromisoformat(fields[name]) if name in fields else None
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a full-date") from None
