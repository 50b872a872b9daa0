"""EU Digital COVID Certificate: the claims of the CWT (RFC 8392) and the person they are about.

Owns what the claims mean; the envelope comes from `cwt`, the trust list from `trust`, health content from `health`. It
decides nothing about doses and days: that is the policy of the post. Always true: no input raises, and whether the
certificate is about a vaccination, a test or a recovery shows nowhere while health content is switched off.

Checks, each one verdict: `prefix`, `base45`, `compression`, `cose`, `claims`, `schema`, `issued_at`, `expiry`,
`signature`, `signer`, `trust_list_age`, `key_usage`, `revocation`, `health_content`.
"""

from __future__ import annotations

import hashlib
import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from edge.documents import health as health_content
from edge.documents.cwt import DEEPEST, ES256, LAYERS, PS256, Cwt, close, open_envelope, open_text, read_cbor
from edge.documents.layers import LayerBroken, Layers
from edge.documents.signature import SignerKey
from edge.documents.standing import CHECKS as TRUST_CHECKS
from edge.documents.standing import CLOCK_UNSET, NO_LIST, Signer, age_of, examine
from edge.documents.trust import TrustList
from edge.documents.verdict import Document

CHECKS = (
    *LAYERS,
    *("claims", "schema", "issued_at", "expiry"),
    *TRUST_CHECKS,
    *("key_usage", "revocation", health_content.CHECK),
)

_ISSUER, _EXPIRY, _ISSUED_AT, _HCERT, _EU_DCC_V1 = 1, 4, 6, -260, 1
_BIRTH = re.compile(r"((?:19|20)\d\d)(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?(?:T[0-9:.Z+-]*)?", re.ASCII)
# Extended key usage of signers that may sign one kind only (eHealth Network, technical specifications, volume 5); the
# first member states used the second arc.
_USAGES = {
    "t": {"1.3.6.1.4.1.1847.2021.1.1", "1.3.6.1.4.1.0.1847.2021.1.1"},
    "v": {"1.3.6.1.4.1.1847.2021.1.2", "1.3.6.1.4.1.0.1847.2021.1.2"},
    "r": {"1.3.6.1.4.1.1847.2021.1.3", "1.3.6.1.4.1.0.1847.2021.1.3"},
}


def parse(
    payload: bytes | str, *, today: date | None, trust: TrustList | None = None, health: bool = False
) -> Document:
    """Read an EU DCC from the text of its QR code.

    `health` says whether this post may read the vaccinations, tests and recoveries. Without `HC1:` the kind is
    `unknown`; a layer that does not open leaves the checks below it `not_done`.
    """
    kind, fields, layers = "unknown", {}, Layers(CHECKS)
    layers.take(age_of(trust, today))
    try:
        text = open_text(payload, layers)
        kind = "DCC"
        message = open_envelope(text, layers)
        signer = _check_signature(message, layers, trust, today)
        claims = _claims(message)
        certificate = _certificate(claims)
        layers.ok("claims")
        _take_times(claims, layers, fields, today)
        _take_person(certificate, layers, fields)
        health_content.of_dcc(certificate, layers, fields, health=health)
        _check_key_usage(certificate, signer, layers)
        _check_revocation(certificate, message, trust, layers)
    except LayerBroken as broken:
        layers.failed(broken.check, broken.detail)
    return Document(kind, "dcc", fields, layers.verdicts())


def _claims(message: Cwt) -> Mapping[Any, Any]:
    claims = read_cbor(message.payload, "claims")
    if not isinstance(claims, Mapping):
        raise LayerBroken("claims", "not a map")
    return claims


def _certificate(claims: Mapping[Any, Any]) -> dict[str, Any]:
    hcert = claims.get(_HCERT)
    certificate = hcert.get(_EU_DCC_V1) if isinstance(hcert, Mapping) else None
    if not isinstance(certificate, Mapping):
        raise LayerBroken("claims", "no EU certificate in claim -260")
    return _json(certificate, DEEPEST)


def _json(value: Any, depth: int) -> Any:
    """Return the CBOR value as JSON has it; RFC 3339 texts that came tagged as times are texts again."""
    if depth == 0:
        raise LayerBroken("claims", "nested too deep")
    match value:
        case bool() | int() | str() | None:
            return value
        case float() if value == value and abs(value) != float("inf"):
            return value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case list() | tuple():
            return [_json(item, depth - 1) for item in value]
        case Mapping() if all(isinstance(key, str) for key in value):
            return {key: _json(item, depth - 1) for key, item in value.items()}
    raise LayerBroken("claims", f"a {type(value).__name__} where a DCC has none")


def _take_times(claims: Mapping[Any, Any], layers: Layers, fields: dict[str, Any], today: date | None) -> None:
    if isinstance(claims.get(_ISSUER), str):
        fields["issuer"] = claims[_ISSUER]
    issued, expires = _time(claims.get(_ISSUED_AT)), _time(claims.get(_EXPIRY))
    if issued is None:
        layers.failed("issued_at", "missing")
    else:
        fields["issued_at"] = issued.isoformat().replace("+00:00", "Z")
        _check_issued(issued, layers, today)
    if expires is None:
        layers.failed("expiry", "missing")
    else:
        fields["expires_at"] = expires.isoformat().replace("+00:00", "Z")
        _check_expiry(expires, layers, today)


def _time(seconds: Any) -> datetime | None:
    """Return a NumericDate (RFC 8392, section 2) as UTC, whole seconds."""
    if isinstance(seconds, datetime):  # a tag 1 around it is against the letter of the standard, and harmless
        return seconds if seconds.tzinfo is not None else None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _check_issued(issued: datetime, layers: Layers, today: date | None) -> None:
    if today is None:
        return layers.not_done("issued_at", CLOCK_UNSET)
    match (issued.date() - today).days:
        case early if early <= 0:
            layers.ok("issued_at")
        case 1:  # west of Greenwich the day in UTC can be ahead of the local one
            layers.doubtful("issued_at", "issued on the next day in UTC")
        case _:
            layers.failed("issued_at", "issued after today")


def _check_expiry(expires: datetime, layers: Layers, today: date | None) -> None:
    if today is None:
        layers.not_done("expiry", CLOCK_UNSET)
    elif expires.date() > today:
        layers.ok("expiry")
    elif expires.date() == today:
        layers.doubtful("expiry", "expires today; the hour decides")
    else:
        layers.failed("expiry", "expired")


def _take_person(certificate: dict[str, Any], layers: Layers, fields: dict[str, Any]) -> None:
    """Take name and birth date (DCC schema 1.3.0), and check what every certificate must have."""
    wrong = []
    name = certificate.get("nam")
    name = name if isinstance(name, dict) else {}
    for key, field in (("fn", "surname"), ("gn", "forename")):
        if isinstance(name.get(key), str) and name[key]:
            fields[field] = name[key]
    for key, field in (("fnt", "primary_identifier"), ("gnt", "secondary_identifier")):
        value = name.get(key)
        if isinstance(value, str) and value and set(value) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ<"):
            fields[field] = " ".join(value.split("<")).strip()
        elif value is not None or key == "fnt":
            wrong.append(f"nam.{key}")
    birth = certificate.get("dob")
    if (born := _birth(birth)) is not None:
        fields["date_of_birth"] = born
    elif birth != "":  # the schema allows an empty one: unknown
        wrong.append("dob")
    if not isinstance(certificate.get("ver"), str):
        wrong.append("ver")
    if len(_entries(certificate)) != 1 or sum(bool(certificate.get(kind)) for kind in health_content.DCC_GROUPS) != 1:
        wrong.append("one entry")
    if wrong:
        layers.failed("schema", f"missing or malformed: {', '.join(wrong)}")
    else:
        layers.ok("schema")


def _birth(printed: Any) -> str | None:
    """Return the birth date as EDTF; certificates of schema 1.0 may carry a time behind it."""
    found = _BIRTH.fullmatch(printed) if isinstance(printed, str) else None
    if found is None:
        return None
    if found[3] and int(found[3]) > monthrange(int(found[1]), int(found[2]))[1]:
        return None
    return "-".join((found[1], found[2] or "XX", found[3] or "XX"))


def _entries(certificate: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [certificate.get(kind) for kind in health_content.DCC_GROUPS]
    return [entry for group in groups if isinstance(group, list) for entry in group if isinstance(entry, dict)]


def _check_signature(message: Cwt, layers: Layers, trust: TrustList | None, today: date | None) -> Signer | None:
    signers = () if trust is None else trust.by_key_identifier(message.key_identifier)
    signed_bytes = message.to_be_signed()

    def fits(key: SignerKey) -> bool:
        if message.algorithm == ES256:
            return len(message.signature) == 64 and key.signed(message.signature, signed_bytes, "sha256")
        return key.signed_pss(message.signature, signed_bytes, "sha256")

    signer, verdicts = examine(trust, signers, purpose="dcc", today=today, signed=fits)
    layers.take(*verdicts)
    if signers and message.algorithm not in (ES256, PS256):
        layers.not_done("signature", "unsupported algorithm")
    return signer


def _check_key_usage(certificate: dict[str, Any], signer: Signer | None, layers: Layers) -> None:
    """Compare what the signer's certificate allows with what it signed, and say no more of it than that."""
    if signer is None:
        return layers.not_done("key_usage", "no known signer")
    restricted_to = {kind for kind, oids in _USAGES.items() if oids & (signer.extended_key_usage or frozenset())}
    if restricted_to and not any(certificate.get(kind) for kind in restricted_to):
        return layers.failed("key_usage", "signer may not sign certificates of this kind")
    return layers.ok("key_usage")


def _check_revocation(certificate: dict[str, Any], message: Cwt, trust: TrustList | None, layers: Layers) -> None:
    """Look for the certificate by the three hashes of the EU gateway: UVCI, country and UVCI, signature.

    Of an ES256 signature only r is hashed, because anybody can turn s into its negative.
    """
    if trust is None:
        return layers.not_done("revocation", NO_LIST)
    signature = message.signature[: len(message.signature) // 2] if message.algorithm == ES256 else message.signature
    values = [signature]
    for entry in _entries(certificate):
        if isinstance(identifier := entry.get("ci"), str):
            values += [identifier.encode(), f"{entry.get('co', '')}{identifier}".encode()]
    if trust.has_revoked_document(hashlib.sha256(value).digest() for value in values):
        return layers.failed("revocation", "revoked")
    return layers.ok("revocation")


def encode(
    certificate: dict[str, Any],
    *,
    private_key: Any,
    key_identifier: bytes,
    issuer: str,
    issued_at: datetime,
    expires_at: datetime,
) -> str:
    """Make the text of a signed DCC for tests and simulation.

    `certificate` is the JSON of the EU schema, `private_key` an EC P-256 or RSA key of `cryptography`. Raises
    ValueError for another key and for content that CBOR cannot carry.
    """
    import cbor2

    claims = {
        _ISSUER: issuer,
        _EXPIRY: int(expires_at.timestamp()),
        _ISSUED_AT: int(issued_at.timestamp()),
        _HCERT: {_EU_DCC_V1: certificate},
    }
    try:
        payload = cbor2.dumps(claims)
    except cbor2.CBOREncodeError as e:
        raise ValueError("certificate must hold JSON values only") from e
    return close(payload, private_key=private_key, key_identifier=key_identifier)
