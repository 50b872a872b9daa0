"""One-time codes: what a technician types, or a bundle carries, so that a kiosk that nobody knows yet is let in once.

Owns their form. Always true: the centre keeps a salted hash and never the code; letters that look alike are one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: no I, L, O, U
_LOOKS_LIKE = str.maketrans("ILO", "110", " -")
_CHARACTERS = 16  # 80 bits: nobody tries them all, so a plain hash keeps the secret
_MAX_TYPED = 64


def new_code() -> str:
    """Return a new code in groups of four."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_CHARACTERS))
    return "-".join(text[start : start + 4] for start in range(0, _CHARACTERS, 4))


def new_salt() -> str:
    """Return what is hashed with a code, so that two codes never have the same hash."""
    return secrets.token_hex(16)


def hash_code(code: str, salt: str) -> str:
    """Return what is kept of a code, however it was typed."""
    plain = code[:_MAX_TYPED].upper().translate(_LOOKS_LIKE)
    return hashlib.sha256(f"{salt}:{plain}".encode()).hexdigest()


def is_code(code: str, salt: str, code_hash: str) -> bool:
    """Tell whether a code is the one; it takes the same time whatever is wrong with it."""
    return hmac.compare_digest(hash_code(code, salt), code_hash)
