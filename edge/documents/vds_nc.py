"""VDS-NC, the visible digital seal for non-constrained environments (ICAO technical report, version 1.1).

Owns the JSON of the seal: `{"data": {"hdr": {...}, "msg": {...}}, "sig": {"alg", "cer", "sigvl"}}`, where `sigvl` signs
the canonical JSON (RFC 8785) of `data`. The seal carries its signer's certificate, so a wrong signature is found even
without a trust list; a right one counts only if the list has the certificate or its authority. Always true: no input
raises, and of `icao.test` and `icao.vacc` only the person shows while health content is switched off.

Checks, each one verdict: `json`, `header`, `message`, `certificate`, `signature`, `signer`, `trust_list_age`,
`key_usage`, `issuing_state`, `health_content`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from edge.documents import health as health_content
from edge.documents.layers import LayerBroken, Layers
from edge.documents.signature import SignerKey, key_in, load_certificate
from edge.documents.standing import CHECKS as TRUST_CHECKS
from edge.documents.standing import FORGED, Signer, age_of, examine
from edge.documents.trust import TrustList
from edge.documents.verdict import Document

CHECKS = (
    *("json", "header", "message", "certificate"),
    *TRUST_CHECKS,
    *("key_usage", "issuing_state", health_content.CHECK),
)
LONGEST = 8 * 1024  # bytes; the largest QR code holds 2953
DEEPEST = 32
_BEHIND = "\0\x03\x04\r\n"  # what readers put behind the text
_HASHES = {"ES256": "sha256", "ES384": "sha384", "ES512": "sha512"}
_VDS_NC_USAGE = "2.23.136.1.1.14."  # arc of the extended key usage of VDS-NC signers
_PERSON = {"n": "name", "dob": "date_of_birth", "i": "document_number", "dn": "document_number"}
# Only one of the two health proofs has each of these, so they would tell which it is.
_TELLING = {"sex": "sex", "ai": "additional_identifier", "dt": "document_type"}


def parse(
    payload: bytes | str, *, today: date | None, trust: TrustList | None = None, health: bool = False
) -> Document:
    """Read a VDS-NC from the JSON text of its barcode.

    `health` says whether this post may read tests and vaccinations. JSON without `data` and `sig` is `unknown`.
    """
    kind, fields, layers = "unknown", {}, Layers(CHECKS)
    layers.take(age_of(trust, today))
    try:
        content, seal = _opened(payload)
        kind = "VDS-NC"
        canonical = _canonical(content)
        layers.ok("json")
        certificate = _certificate(seal, layers)
        signer = _check_signature(canonical, seal, certificate, layers, trust, today)
        _take_header(content, layers, fields, health)
        _take_message(content, layers, fields, health)
        _check_key_usage(signer, layers)
        _check_state(fields, signer, layers)
    except LayerBroken as broken:
        layers.failed(broken.check, broken.detail)
    return Document(kind, "vds", fields, layers.verdicts())


def encode(header: Mapping[str, Any], message: Mapping[str, Any], *, private_key: Any, certificate: bytes) -> bytes:
    """Return the signed JSON text of a seal, for tests and simulation.

    `header` holds `t`, `v` and `is`; `private_key` is an elliptic key of `cryptography` on P-256, P-384 or P-521,
    `certificate` its DER. Raises ValueError.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    algorithms = {256: ("ES256", hashes.SHA256), 384: ("ES384", hashes.SHA384), 521: ("ES512", hashes.SHA512)}
    bits = private_key.curve.key_size
    if bits not in algorithms:
        raise ValueError("private_key must be on P-256, P-384 or P-521")
    name, algorithm = algorithms[bits]
    content = {"hdr": dict(header), "msg": dict(message)}
    try:
        canonical = _canonical(content)
    except LayerBroken as e:
        raise ValueError(e.detail) from e
    numbers = utils.decode_dss_signature(private_key.sign(canonical, ec.ECDSA(algorithm())))
    signature = b"".join(number.to_bytes((bits + 7) // 8, "big") for number in numbers)
    seal = {"alg": name, "cer": _base64url(certificate), "sigvl": _base64url(signature)}
    return _canonical({"data": content, "sig": seal})


def _opened(payload: bytes | str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return `data` and `sig`; raises `LayerBroken`."""
    if len(payload) > LONGEST:
        raise LayerBroken("json", f"longer than {LONGEST} bytes")
    try:
        document = msgspec.json.decode(payload.rstrip(_BEHIND if isinstance(payload, str) else _BEHIND.encode()))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise LayerBroken("json", "not JSON") from None
    match document:
        case {"data": {"hdr": {}, "msg": {}} as content, "sig": {} as seal} if _depth(document) <= DEEPEST:
            return content, seal
    raise LayerBroken("json", "not a VDS-NC: data.hdr, data.msg and sig are objects")


def _depth(value: Any) -> int:
    """Return how deep objects and arrays are nested, without recursion."""
    depth, level = 0, [value]
    while level:
        level = [inner for item in level if isinstance(item, dict | list) for inner in _values(item)]
        depth += 1
    return depth


def _values(item: dict[str, Any] | list[Any]) -> Sequence[Any]:
    return list(item.values()) if isinstance(item, dict) else item


def _canonical(content: Mapping[str, Any]) -> bytes:
    import rfc8785

    try:
        return rfc8785.dumps(content)
    except (rfc8785.CanonicalizationError, UnicodeError):
        raise LayerBroken("json", "has no canonical form (RFC 8785)") from None


def _certificate(seal: dict[str, Any], layers: Layers) -> bytes | None:
    """Return the DER of the signer's certificate, even if it is not quite as RFC 5280 has it."""
    try:
        der = _unbase64(seal.get("cer"))
        key_in(der)
    except ValueError:  # UnsupportedKey is one
        layers.failed("certificate", "no certificate with a known key in sig.cer")
        return None
    try:
        load_certificate(der)
    except ValueError:
        layers.doubtful("certificate", "not as RFC 5280 has it")
    else:
        layers.ok("certificate")
    return der


def _check_signature(
    canonical: bytes,
    seal: dict[str, Any],
    certificate: bytes | None,
    layers: Layers,
    trust: TrustList | None,
    today: date | None,
) -> Signer | None:
    if certificate is None:
        return None
    algorithm = seal.get("alg")
    hash_name = _HASHES.get(algorithm.replace(" ", "").upper()) if isinstance(algorithm, str) else None
    if hash_name is None:
        layers.not_done("signature", "unsupported algorithm")
        return None
    try:
        signature = _unbase64(seal.get("sigvl"))
    except ValueError:
        layers.failed("signature", f"{FORGED}: sig.sigvl is not base64url")
        return None

    def fits(key: SignerKey) -> bool:
        return key.signed(signature, canonical, hash_name)

    signers = () if trust is None else trust.by_certificate(certificate)
    signer, verdicts = examine(trust, signers, purpose="vds-nc", today=today, signed=fits)
    layers.take(*verdicts)
    if signer is None and _is_forged(certificate, fits):
        layers.failed("signature", f"{FORGED}: not by the certificate in the seal")
    return signer


def _is_forged(certificate: bytes, fits: Callable[[SignerKey], bool]) -> bool:
    """Tell whether the seal breaks even the promise that it makes itself; says nothing of trust."""
    return not fits(key_in(certificate))


def _take_header(content: dict[str, Any], layers: Layers, fields: dict[str, Any], health: bool) -> None:
    header = content["hdr"]
    wrong = [name for name, kind in (("t", str), ("v", int), ("is", str)) if not isinstance(header.get(name), kind)]
    if "is" not in wrong:
        fields["issuing_state"] = header["is"]
    if health or not health_content.is_health_proof(header.get("t"), content["msg"]):
        fields |= {name: header[key] for key, name in (("t", "type"), ("v", "version")) if key not in wrong}
    if wrong:
        layers.failed("header", f"missing or malformed: {', '.join(wrong)}")
    else:
        layers.ok("header")


def _take_message(content: dict[str, Any], layers: Layers, fields: dict[str, Any], health: bool) -> None:
    """Take the person of a health proof, or the whole message of any other type."""
    message = content["msg"]
    if not health_content.is_health_proof(content["hdr"].get("t"), message):
        fields["message"] = message
        layers.ok("message")
        return layers.not_done(health_content.CHECK, "not a health proof")
    health_content.of_vds_nc(message, layers, fields, health=health)
    person = message.get("pid")
    if not isinstance(person, dict) or not isinstance(person.get("n"), str):
        return layers.failed("message", "missing or malformed: pid.n")
    for key, name in (_PERSON | _TELLING if health else _PERSON).items():
        if isinstance(person.get(key), str) and person[key]:
            fields[name] = person[key]
    if "date_of_birth" in fields and not _is_date(fields["date_of_birth"]):
        del fields["date_of_birth"]
        return layers.failed("message", "missing or malformed: pid.dob")
    return layers.ok("message")


def _check_key_usage(signer: Signer | None, layers: Layers) -> None:
    """Look for the purpose in the certificate; the trust list may have been told more than the certificate says."""
    if signer is None:
        layers.not_done("key_usage", "no known signer")
    elif any(oid.startswith(_VDS_NC_USAGE) for oid in signer.extended_key_usage or ()):
        layers.ok("key_usage")
    else:
        layers.doubtful("key_usage", "certificate does not name VDS-NC as its purpose")


def _check_state(fields: dict[str, Any], signer: Signer | None, layers: Layers) -> None:
    if signer is None or not signer.state or "issuing_state" not in fields:
        layers.not_done("issuing_state", "state of the signer or of the seal not known")
    elif signer.state != fields["issuing_state"]:
        layers.failed("issuing_state", "the signer is of another state")
    else:
        layers.ok("issuing_state")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _unbase64(text: Any) -> bytes:
    """Decode base64url or base64, padded or not; raises ValueError."""
    if not isinstance(text, str):
        raise ValueError("not a text")
    unpadded = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
    except (binascii.Error, ValueError) as e:
        raise ValueError("not base64url") from e


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
