"""What a kiosk asks of the centre to become known there, and what it gets: the same by network and on a stick.

Owns both forms as JSON. A request holds public halves alone and shows that the private ones are there: the TLS key has
signed the certificate request (RFC 2986), the record key a `proof` over that request's hash. The answer is a document
under the centre's certificate. Always true: neither is a secret; the one-time code is in neither.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from edge.errors import ContractError
from edge.identity.certificates import read_request
from edge.wire.topics import kiosk_id

PROOF_TYP = "landfall-enrolment-proof"
ANSWER_TYP = "landfall-enrolment-answer"
CENTRE_KEYS_TYP = "landfall-centre-keys"
BUNDLE_TYP = "landfall-bundle"
MAX_REQUEST_BYTES = 16 * 1024
MAX_ANSWER_BYTES = 64 * 1024
_FINGERPRINT_CHARACTERS = 16

Jwk = dict[str, str]


class Request(msgspec.Struct, frozen=True):
    """What a kiosk asks: its name, its certificate request (PEM), its public record key, and the proof."""

    kiosk: str
    csr: str
    record: Jwk
    proof: str

    @property
    def fingerprint(self) -> str:
        """Return what two people read to each other on the telephone: it stands for both keys and the name."""
        text = "\n".join((self.kiosk, self.csr, self.proof))
        found = base64.b32encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
        return "-".join(found[start : start + 4] for start in range(0, _FINGERPRINT_CHARACTERS, 4))


class Proof(msgspec.Struct, frozen=True):
    """What the record key signs in a request."""

    kiosk: str
    csr_sha256: str


class CentreKeys(msgspec.Struct, frozen=True):
    """The centre's public keys: letters are sealed to `opening`; any of `receipts` may sign receipts and commands.

    `issuer` is the SHA-256 of the certificate of the authority that issues now: whose own is below another renews.
    `revoked` is the root's list of the authorities that it has taken back (PEM), or empty; it stands for itself.
    """

    opening: Jwk
    receipts: tuple[Jwk, ...]
    issuer: str = ""
    revoked: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What a kiosk gets: its certificate with the issuing one (PEM), and the centre's public keys."""

    kiosk: str
    certificate: str
    centre: CentreKeys
    issued_at: str


def make_request(kiosk: str, csr: str, record: dict[str, Any], sign: Callable[[bytes, str], str]) -> Request:
    """Return a request; `sign` is the record key's, `record` its public JWK."""
    proof = msgspec.json.encode(Proof(kiosk, _sha256(csr)))
    public = {name: str(record[name]) for name in ("kty", "crv", "x")}
    return Request(kiosk, csr, public, sign(proof, PROOF_TYP))


def request_name(kiosk: str) -> str:
    """Return the name of the file in which a kiosk without a network asks."""
    return f"request_{kiosk.replace('/', '_')}.json"


def answer_name(kiosk: str) -> str:
    """Return the name of the file in which the centre answers it."""
    return f"answer_{kiosk.replace('/', '_')}.jws"


def decode_request(content: bytes) -> Request:
    """Parse a request whose certificate request is in order; its proof is still to be verified.

    Raises `ContractError` for anything that is none, or that asks for another name than it says.
    """
    if len(content) > MAX_REQUEST_BYTES:
        raise ContractError("the request is too long")
    request = _decode(content, Request, "a request of a kiosk")
    site, _, name = request.kiosk.partition("/")
    kiosk_id(site, name)
    if read_request(request.csr)[0] != request.kiosk:
        raise ContractError("the certificate request has another name than the request")
    return request


def check_proof(request: Request, payload: bytes) -> None:
    """Raise `ContractError` unless a verified proof is the one of this request."""
    if _decode(payload, Proof, "a proof") != Proof(request.kiosk, _sha256(request.csr)):
        raise ContractError("the proof is of another request")


def decode_answer(payload: bytes) -> Answer:
    """Parse a verified answer; raise `ContractError` when it is none."""
    return _decode(payload, Answer, "an answer of the centre")


def decode_centre_keys(payload: bytes) -> CentreKeys:
    """Parse a verified list of the centre's keys; raise `ContractError` when it is none."""
    return _decode(payload, CentreKeys, "a list of the centre's keys")


def encode(message: Request | Answer | CentreKeys) -> bytes:
    """Return the bytes that are sent or signed."""
    return msgspec.json.encode(message)


def _decode(content: bytes, kind: type[Any], what: str) -> Any:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ContractError(f"this is not {what}") from None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
