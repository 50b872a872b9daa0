"""Public keys of document signers, and whether a signature is theirs.

Owns the bridge to the two libraries that do the arithmetic: `cryptography`, and `ecdsa` for what Doc 9303 uses and
`cryptography` does not load (brainpoolP224r1 and P320r1, explicit curve parameters). It does not decide whom to trust.
Always true: only public keys are used here, so the timing of pure Python reveals nothing; an explicit curve counts
only if it is, number for number, one that is known by name; a signature that cannot be read is a wrong signature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ecdsa
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

WEAKEST_RSA_BITS = 2048
WEAKEST_EC_BITS = 224
_NAMED_BY_ECDSA = {"BRAINPOOLP224r1", "BRAINPOOLP320r1"}  # only `ecdsa` calculates on these


class UnsupportedKey(ValueError):
    """The key is of a kind or on a curve that no library at hand calculates with."""


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A public key; `name` is its curve or `RSA`, `bits` the size of the curve's order or of the modulus."""

    name: str
    bits: int
    _key: Any = field(repr=False)

    @property
    def is_elliptic(self) -> bool:
        """Tell whether ECDSA signatures can be checked with it."""
        return self.name != "RSA"

    @property
    def is_weak(self) -> bool:
        """Tell whether the key is shorter than what Doc 9303-12 (section 4.4) and the EU trust framework allow."""
        return self.bits < (WEAKEST_EC_BITS if self.is_elliptic else WEAKEST_RSA_BITS)

    def signed(self, signature: bytes, message: bytes, hash_name: str) -> bool:
        """Tell whether an ECDSA `signature` (r and s side by side, or DER) over `message` is this key's.

        `hash_name` is `sha224`, `sha256`, `sha384` or `sha512`.
        """
        if not self.is_elliptic:
            return False
        size = (self.bits + 7) // 8
        is_plain = len(signature) == 2 * size
        if self.name in _NAMED_BY_ECDSA:
            return _signed_by_ecdsa(self._key, signature, message, hash_name, is_plain)
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        if is_plain:
            r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
            signature = utils.encode_dss_signature(r, s)
        try:
            self._key.verify(signature, message, ec.ECDSA(_hash(hash_name)))
        except (InvalidSignature, ValueError):
            return False
        return True

    def signed_pss(self, signature: bytes, message: bytes, hash_name: str) -> bool:
        """Tell whether an RSASSA-PSS `signature` (salt as long as the hash, RFC 8230) is this key's."""
        from cryptography.hazmat.primitives.asymmetric import padding

        algorithm = _hash(hash_name)
        return self._rsa_signed(
            signature, message, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), algorithm
        )

    def issued(self, certificate: x509.Certificate) -> bool:
        """Tell whether this key signed the X.509 `certificate` (ECDSA or RSA; names are not compared here)."""
        from cryptography.exceptions import UnsupportedAlgorithm

        try:
            algorithm = certificate.signature_hash_algorithm
            parameters = certificate.signature_algorithm_parameters
        except (UnsupportedAlgorithm, ValueError):
            return False
        if algorithm is None:
            return False
        message, signature = certificate.tbs_certificate_bytes, certificate.signature
        if self.is_elliptic:
            return self.signed(signature, message, algorithm.name)
        return self._rsa_signed(signature, message, parameters, algorithm)

    def _rsa_signed(self, signature: bytes, message: bytes, padding: Any, algorithm: Any) -> bool:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

        if self.is_elliptic:
            return False
        try:
            self._key.verify(signature, message, padding, algorithm)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
            return False
        return True


def key_of(certificate: x509.Certificate) -> SignerKey:
    """Return the public key of an X.509 certificate; raises `UnsupportedKey`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        return _known(certificate.public_key())
    except (UnsupportedAlgorithm, ValueError):
        return _load_by_ecdsa(_subject_public_key_info(certificate.public_bytes(Encoding.DER)))


def load_certificate(der: bytes) -> x509.Certificate:
    """Return a certificate whose names can be read; raises ValueError for any other, whatever is wrong with it.

    `cryptography` reads the parts late, has an error of its own for a version that X.509 does not have, and a TypeError
    for names of an odd type.
    """
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.issuer, certificate.subject, certificate.serial_number
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except (x509.InvalidVersion, TypeError, OverflowError) as error:
        raise ValueError(f"{type(error).__name__} while reading a certificate") from None
    return certificate


def key_in(certificate: bytes) -> SignerKey:
    """Return the public key in the DER of a certificate that `cryptography` may refuse; raises `UnsupportedKey`.

    Some signers write NULL parameters behind ecdsa-with-SHA256, ICAO's own VDS-NC example among them.
    """
    return load_key(_subject_public_key_info(certificate))


def load_key(subject_public_key_info: bytes) -> SignerKey:
    """Return the key of a DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7); raises `UnsupportedKey`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return _known(load_der_public_key(subject_public_key_info))
    except (UnsupportedAlgorithm, ValueError):
        return _load_by_ecdsa(subject_public_key_info)


def _known(key: Any) -> SignerKey:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    match key:
        case ec.EllipticCurvePublicKey():
            return SignerKey(key.curve.name, key.curve.group_order.bit_length(), key)
        case rsa.RSAPublicKey():
            return SignerKey("RSA", key.key_size, key)
    raise UnsupportedKey("neither an EC nor an RSA key")


def _load_by_ecdsa(subject_public_key_info: bytes) -> SignerKey:
    """Load an EC key whose curve `cryptography` does not know, or not in this form.

    The numbers of an explicit curve are compared and never calculated with: curves of a forger's own making prove
    nothing (CVE-2020-0601), and some make the arithmetic run for minutes.
    """
    import ecdsa
    from ecdsa import der

    try:
        info, _ = der.remove_sequence(subject_public_key_info)
        algorithm, info = der.remove_sequence(info)
        _, parameters = der.remove_object(algorithm)
        point, _ = der.remove_bitstring(info, 0)
        curve = _curve_of(parameters)
        if curve.name in _NAMED_BY_ECDSA:
            return SignerKey(
                curve.name, curve.order.bit_length(), ecdsa.VerifyingKey.from_string(point, curve, validate_point=True)
            )
        return _known(_by_cryptography(curve.name, point))
    except _malformed() as e:
        raise UnsupportedKey("no key on a known curve") from e


def _curve_of(parameters: bytes) -> ecdsa.curves.Curve:
    """Return the curve that ECParameters (RFC 3279, section 2.3.5) name or spell out; raises UnsupportedKey."""
    import ecdsa
    from ecdsa import der

    if parameters[:1] == b"\x06":
        oid, _ = der.remove_object(parameters)
        return ecdsa.curves.find_curve(oid)
    body, _ = der.remove_sequence(parameters)
    _, body = der.remove_integer(body)  # version
    field, body = der.remove_sequence(body)
    _, field = der.remove_object(field)
    prime, _ = der.remove_integer(field)
    coefficients, body = der.remove_sequence(body)
    a, coefficients = der.remove_octet_string(coefficients)
    b, _ = der.remove_octet_string(coefficients)
    generator, body = der.remove_octet_string(body)
    order, _ = der.remove_integer(body)
    spelled = (prime, int.from_bytes(a, "big"), int.from_bytes(b, "big"), order)
    for curve in ecdsa.curves.curves:
        if not isinstance(curve.curve, ecdsa.ellipticcurve.CurveFp) or curve.order != order:
            continue
        numbers = (curve.curve.p(), curve.curve.a() % prime, curve.curve.b() % prime, curve.order)
        forms = (curve.generator.to_bytes(form) for form in ("uncompressed", "compressed"))
        if numbers == spelled and generator in forms:
            return curve
    raise UnsupportedKey("a curve without a name")


def _by_cryptography(name: str, point: bytes) -> ec.EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    curves = {
        "BRAINPOOLP256r1": ec.BrainpoolP256R1,
        "BRAINPOOLP384r1": ec.BrainpoolP384R1,
        "BRAINPOOLP512r1": ec.BrainpoolP512R1,
        "NIST224p": ec.SECP224R1,
        "NIST256p": ec.SECP256R1,
        "NIST384p": ec.SECP384R1,
        "NIST521p": ec.SECP521R1,
    }
    if name not in curves:
        raise UnsupportedKey(f"curve {name}")
    return ec.EllipticCurvePublicKey.from_encoded_point(curves[name](), point)


def _subject_public_key_info(certificate: bytes) -> bytes:
    """Cut the seventh field out of TBSCertificate (RFC 5280, section 4.1)."""
    from ecdsa import der

    try:
        rest, _ = der.remove_sequence(certificate)
        rest, _ = der.remove_sequence(rest)  # tbsCertificate
        if rest[:1] == b"\xa0":  # version, left out in the first one
            _, _, rest = der.remove_constructed(rest)
        _, rest = der.remove_integer(rest)  # serialNumber
        for _ in ("signature", "issuer", "validity", "subject"):
            _, rest = der.remove_sequence(rest)
        fields, _ = der.remove_sequence(rest)
        return der.encode_sequence(fields)
    except _malformed() as e:
        raise UnsupportedKey("no SubjectPublicKeyInfo") from e


def _malformed() -> tuple[type[Exception], ...]:
    """Return what `ecdsa` raises for DER, points and curves that it cannot read."""
    from ecdsa import curves, der, errors

    unreadable = (der.UnexpectedDER, curves.UnknownCurveError, errors.MalformedPointError)
    return (*unreadable, ValueError, IndexError, TypeError)


def _signed_by_ecdsa(key: Any, signature: bytes, message: bytes, hash_name: str, is_plain: bool) -> bool:
    import hashlib

    import ecdsa

    decode = ecdsa.util.sigdecode_string if is_plain else ecdsa.util.sigdecode_der
    try:
        return key.verify(signature, message, hashfunc=getattr(hashlib, hash_name), sigdecode=decode)
    except (ecdsa.BadSignatureError, ecdsa.keys.BadDigestError, ecdsa.der.UnexpectedDER, ValueError):
        return False


def _hash(name: str) -> Any:
    from cryptography.hazmat.primitives import hashes

    match name:
        case "sha224":
            return hashes.SHA224()
        case "sha256":
            return hashes.SHA256()
        case "sha384":
            return hashes.SHA384()
        case "sha512":
            return hashes.SHA512()
    raise ValueError(f"no hash named {name}")
