"""The envelope of an EU certificate: `HC1:`, Base45 (RFC 9285), zlib (RFC 1950), COSE_Sign1 (RFC 9052).

Owns the way from the text of a QR code to the signed bytes and back; what they say is `dcc`'s business. Always true:
what a hostile code costs is bounded (a QR code's capacity in, `LONGEST_CWT` out, no CBOR tag that builds something
costly), and the only exception is `LayerBroken`.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from edge.documents.layers import LayerBroken, Layers

PREFIX = "HC1:"
LONGEST_TEXT = len(PREFIX) + 4296  # what the largest QR code holds of the alphanumeric mode
LONGEST_CWT = 16 * 1024  # bytes; real ones have 300 to 600
LAYERS = ("prefix", "base45", "compression", "cose")
DEEPEST = 12
ES256, PS256 = -7, -37  # RFC 9053 section 2.1, RFC 8230 section 2

_CONTROLS = "".join(map(chr, range(0x20))) + "\x7f"
_ALGORITHM, _KEY_IDENTIFIER = 1, 4  # header parameters, RFC 9052 section 3.1
_COSE_SIGN1_TAG, _CWT_TAG = 18, 61
# Tags whose decoding builds numbers, patterns, sets, addresses or references; no DCC has them, a bomb might.
_REFUSED_TAGS = (2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 43000, 55799, 1004)


class Cwt(NamedTuple):
    """A COSE_Sign1 that holds a CWT; `protected` is the encoded header, which is what was signed."""

    protected: bytes
    algorithm: Any
    key_identifier: bytes
    payload: bytes
    signature: bytes

    def to_be_signed(self) -> bytes:
        """Return the Sig_structure of RFC 9052, section 4.4."""
        import cbor2

        return cbor2.dumps(["Signature1", self.protected, b"", self.payload])


def open_text(payload: bytes | str, layers: Layers) -> str:
    """Return the Base45 text behind the context identifier; raises `LayerBroken`."""
    if len(payload) > LONGEST_TEXT + 2:
        raise LayerBroken("prefix", "longer than a QR code can be")
    try:
        text = payload if isinstance(payload, str) else bytes(payload).decode("ascii")
    except UnicodeDecodeError:
        raise LayerBroken("prefix", "not ASCII") from None
    text = text.lstrip().rstrip(_CONTROLS).upper()  # Base45 has capitals alone, and a space that may be its last one
    if not text.startswith(PREFIX):
        raise LayerBroken("prefix", f"does not begin with {PREFIX}")
    layers.ok("prefix")
    return text.removeprefix(PREFIX)


def open_envelope(text: str, layers: Layers) -> Cwt:
    """Return the signed message inside a Base45 text; raises `LayerBroken`."""
    import base45

    try:
        compressed = base45.b45decode(text)
    except ValueError:
        raise LayerBroken("base45", "not Base45") from None
    layers.ok("base45")
    return _open_cose(_inflated(compressed, layers), layers)


def read_cbor(encoded: bytes, check: str) -> Any:
    """Return what CBOR encodes, if it is as shallow and plain as a DCC's; raises `LayerBroken` for `check`."""
    import cbor2

    try:
        return cbor2.loads(encoded, max_depth=DEEPEST, semantic_decoders=dict.fromkeys(_REFUSED_TAGS, _refuse))
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError):
        raise LayerBroken(check, "not CBOR as a DCC has it") from None


def close(payload: bytes, *, private_key: Any, key_identifier: bytes) -> str:
    """Sign a CWT and return the text of its QR code; raises ValueError if the key is neither P-256 nor RSA."""
    import base45
    import cbor2

    algorithm = _algorithm_of(private_key)
    protected = cbor2.dumps({_ALGORITHM: algorithm, _KEY_IDENTIFIER: key_identifier})
    unsigned = Cwt(protected, algorithm, key_identifier, payload, b"")
    signature = _sign(unsigned.to_be_signed(), private_key)
    cose = cbor2.dumps(cbor2.CBORTag(_COSE_SIGN1_TAG, [protected, {}, payload, signature]))
    return PREFIX + base45.b45encode(zlib.compress(cose, 9)).decode()


def _inflated(compressed: bytes, layers: Layers) -> bytes:
    inflate = zlib.decompressobj()
    try:
        cwt = inflate.decompress(compressed, LONGEST_CWT)
    except zlib.error:
        raise LayerBroken("compression", "not a zlib stream") from None
    if not inflate.eof:
        is_long = len(cwt) == LONGEST_CWT
        raise LayerBroken("compression", f"more than {LONGEST_CWT} bytes" if is_long else "cut off")
    if inflate.unused_data:
        layers.doubtful("compression", f"{len(inflate.unused_data)} bytes after the end of the stream")
    else:
        layers.ok("compression")
    return cwt


def _open_cose(cwt: bytes, layers: Layers) -> Cwt:
    import cbor2

    message = read_cbor(cwt, "cose")
    for _ in range(2):  # a CWT tag around a COSE_Sign1 tag, either, or neither
        if isinstance(message, cbor2.CBORTag) and message.tag in (_CWT_TAG, _COSE_SIGN1_TAG):
            message = message.value
    match message:
        case [bytes(protected), Mapping() as unprotected, bytes(payload), bytes(signature)]:
            headers = read_cbor(protected, "cose") if protected else {}
        case _:
            raise LayerBroken("cose", "not a COSE_Sign1")
    if not isinstance(headers, Mapping):
        raise LayerBroken("cose", "protected header is not a map")
    key_identifier = headers.get(_KEY_IDENTIFIER, unprotected.get(_KEY_IDENTIFIER))
    if not isinstance(key_identifier, bytes):
        key_identifier = b""
    algorithm = headers.get(_ALGORITHM, unprotected.get(_ALGORITHM))
    layers.ok("cose")
    return Cwt(protected, algorithm, key_identifier, payload, signature)


def _refuse(*_: Any) -> Any:
    raise ValueError("tag not allowed here")


def _algorithm_of(private_key: Any) -> int:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    match private_key:
        case ec.EllipticCurvePrivateKey() if private_key.curve.name == "secp256r1":
            return ES256
        case rsa.RSAPrivateKey():
            return PS256
    raise ValueError("a DCC is signed with an EC key on P-256 or an RSA key")


def _sign(message: bytes, private_key: Any) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        r, s = utils.decode_dss_signature(private_key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    return private_key.sign(message, pss, hashes.SHA256())
