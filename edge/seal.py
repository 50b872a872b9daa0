"""Sign and encrypt records and messages, and the other way round. Nothing else touches a key.

Owns how key files are loaded and which algorithms are used: JWS with Ed25519 (RFC 9864), JWE with ECDH-ES on X25519 and
A256GCM (RFC 7518, RFC 8037), all by joserfc. Always true: a private key file that others may read is refused; what a
kiosk has sealed it cannot open again, since it holds the centre's public key alone; no error quotes what was signed.
"""

from __future__ import annotations

import os
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from edge.errors import KeyDropped, SealError

SIGNATURE = "Ed25519"
AGREEMENT = "ECDH-ES"
ENCRYPTION = "A256GCM"
MAX_LETTER_BYTES = 1024 * 1024


class _LetterRegistry(jwe.JWERegistry):
    """joserfc stops at 64 KiB of ciphertext; a photo may be larger."""

    max_ciphertext_length = MAX_LETTER_BYTES


_letters = _LetterRegistry(algorithms=[AGREEMENT, ENCRYPTION, "DEF"])
_MAX_DEFLATED = 240 * 1024  # joserfc inflates 250 KiB at the most, so that a small letter cannot fill the memory


def load_private_key(path: Path) -> OKPKey:
    """Load the one private JWK of a file; raise `SealError` as `load_private_keys` does, and for several."""
    return _the_one(path, load_private_keys(path))


def load_private_keys(path: Path) -> list[OKPKey]:
    """Load a private JWK (RFC 7517), or every one of a JWK Set, the oldest first, from a file of mode 0600 or 0400.

    Raises `SealError` naming the file otherwise. A credential of systemd may show group bits: they are the mask of the
    ACL that lets the service's user read it.
    """
    _refuse_open_to_others(path)
    keys = _load_keys(path)
    if not all(key.is_private for key in keys):
        raise SealError(f"{path}: holds a public key, a private one is needed")
    return keys


def _refuse_open_to_others(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise SealError(f"{path}: cannot be read ({error.strerror})", remedy="provision the kiosk's keys") from None
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    is_credential = directory is not None and path.is_relative_to(directory)
    if stat.S_IMODE(mode) & (0o037 if is_credential else 0o077):
        raise SealError(f"{path}: others may read this private key", remedy=f"chmod 0600 {path}")


def load_public_key(path: Path) -> OKPKey:
    """Load the one public JWK of a file; raise `SealError` as `load_public_keys` does, and for several."""
    return _the_one(path, load_public_keys(path))


def load_public_keys(path: Path) -> list[OKPKey]:
    """Load a public JWK, or every one of a JWK Set (RFC 7517, section 5): while a key is rotated, two of them count.

    Raises `SealError` naming the file otherwise, and where the private half is in it: that has no business there.
    """
    keys = _load_keys(path)
    if any(key.is_private for key in keys):
        raise SealError(f"{path}: holds a private key, a public one is needed", remedy="take that file away from here")
    return keys


def _the_one(path: Path, keys: list[OKPKey]) -> OKPKey:
    if len(keys) > 1:
        raise SealError(f"{path}: holds {len(keys)} keys, one is needed")
    return keys[0]


def _load_keys(path: Path) -> list[OKPKey]:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SealError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        several = msgspec.json.decode(text, type=_KeySet).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        several = [text]
    try:
        return [parse_key(bytes(one)) for one in several]
    except SealError as error:
        raise SealError(f"{path}: {error.message}") from None


def throwaway_key(curve: Literal["Ed25519", "X25519"]) -> OKPKey:
    """Make a private key for a trial that ends with this process; real keys are made by provisioning."""
    return OKPKey.generate_key(curve)


class _KeySet(msgspec.Struct, frozen=True):
    keys: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=16)]


def parse_key(text: bytes | str) -> OKPKey:
    """Parse a JWK as JSON text; raise `SealError` when it is not an OKP key (Ed25519 or X25519)."""
    try:
        fields = msgspec.json.decode(text, type=dict[str, Any])
        return OKPKey.import_key({name: value for name, value in fields.items() if name in ("kty", "crv", "x", "d")})
    except (JoseError, msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError):
        raise SealError("is not a JWK of type OKP") from None


class Signer:
    """Signs with one private Ed25519 key; its key id is the RFC 7638 thumbprint."""

    def __init__(self, key: OKPKey) -> None:
        self._key: OKPKey | None = key
        self.kid = key.thumbprint()

    def forget(self) -> None:
        """Let go of the private key: nothing is signed any more, `sign` raises `KeyDropped`.

        What OpenSSL held is overwritten once nothing refers to it. Texts that Python made of the key while it was
        loaded are freed and not overwritten; the file that it came from is not touched.
        """
        self._key = None

    def sign(self, payload: bytes, typ: str) -> str:
        """Return a JWS compact over `payload`; `typ` goes into the protected header."""
        if self._key is None:
            raise KeyDropped
        header = {"alg": SIGNATURE, "kid": self.kid, "typ": typ}
        return jws.serialize_compact(header, payload, self._key, algorithms=[SIGNATURE])


class Verifier:
    """Verifies against public Ed25519 keys, chosen by key id; `learn` gives those that count when one is not known."""

    def __init__(self, keys: Iterable[OKPKey], learn: Callable[[], Iterable[OKPKey]] | None = None) -> None:
        self._keys = {key.thumbprint(): key for key in keys}
        self._learn = learn

    @property
    def kids(self) -> tuple[str, ...]:
        """Return the key ids of the keys that count."""
        return tuple(self._keys)

    def verify(self, token: str, typ: str) -> bytes:
        """Return the payload; raise `SealError` for an unknown key, another `typ`, or a signature that does not fit.

        Of the spellings that base64url allows for one signature only the canonical one is taken: the chain hashes the
        envelope's characters, and nobody on the way may turn one signed record into two.
        """

        def choose(obj: object) -> OKPKey:
            header = obj.headers()  # type: ignore[attr-defined]
            if header.get("typ") != typ:
                raise SealError(f"signed as something else than {typ}")
            kid = str(header.get("kid"))
            if kid not in self._keys and self._learn is not None:
                self._keys = {key.thumbprint(): key for key in self._learn()}
            key = self._keys.get(kid)
            if key is None:
                raise SealError("signed by a key that is not known here")
            return key

        try:
            payload = jws.deserialize_compact(token, choose, algorithms=[SIGNATURE]).payload
            signature = token.rpartition(".")[2]
            if urlsafe_b64encode(urlsafe_b64decode(signature + "==")).rstrip(b"=") != signature.encode("ascii"):
                raise SealError("signature is not spelt in its canonical form")
            return payload
        except SealError:
            raise
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise SealError("signature is not valid") from None


class Sealer:
    """Encrypts letters to the centre."""

    def __init__(self, centre: OKPKey) -> None:
        self._key = centre
        self.kid = centre.thumbprint()

    def seal(self, plaintext: bytes, *, deflate: bool = False) -> str:
        """Return a JWE compact. `deflate` takes the base64 of a photo off the wire again; text stays uncompressed."""
        header = {"alg": AGREEMENT, "enc": ENCRYPTION, "kid": self.kid}
        if deflate and len(plaintext) <= _MAX_DEFLATED:
            header["zip"] = "DEF"
        return jwe.encrypt_compact(header, plaintext, self._key, registry=_letters)


class Opener:
    """Opens letters with the centre's private keys, chosen by key id so that keys can be rotated."""

    def __init__(self, keys: Iterable[OKPKey]) -> None:
        self._keys = {key.thumbprint(): key for key in keys}

    def open(self, letter: str) -> bytes:
        """Return the plaintext; raise `SealError` for an unknown key or a letter that was altered."""

        def choose(obj: object) -> OKPKey:
            key = self._keys.get(str(obj.headers().get("kid")))
            if key is None:
                raise SealError("sealed to a key that is not known here")
            return key

        try:
            plaintext = jwe.decrypt_compact(letter, choose, registry=_letters).plaintext
        except SealError:
            raise
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise SealError("letter cannot be opened") from None
        if plaintext is None:
            raise SealError("letter cannot be opened")
        return plaintext


def unverified_header(token: str) -> dict[str, Any]:
    """Return the protected header of a JWS or JWE compact, which nobody has verified; raise `SealError` for neither."""
    try:
        if token.count(".") == 2:
            return dict(jws.extract_compact(token.encode("ascii")).headers())
        return dict(jwe.extract_compact(token.encode("ascii"), _letters).protected)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise SealError("is neither signed nor sealed in compact form") from None


def unverified_payload(token: str) -> bytes:
    """Return what a JWS compact says without asking who signed it: to be shown, never to be believed."""
    try:
        return jws.extract_compact(token.encode("ascii")).payload
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise SealError("is not signed in compact form") from None
