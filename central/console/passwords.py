"""Passwords: which are good enough, and how they are kept (NIST SP 800-63B-4, 3.1.1; RFC 9106).

Owns the rules for a new password and its argon2id hash. Always true: checking takes the same work whether or not there
is an account; a password is in no error, log or `repr`; nobody is asked for digits or told to change it every month.
"""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from edge.errors import LandfallError

MIN_CHARS = 15  # SP 800-63B-4, 3.1.1.2: where the password may be the only factor
MAX_CHARS = 128
MIN_GUESSES_LOG10 = 8  # below that, zxcvbn holds it for one that an attacker tries early
_JUDGED_CHARS = 72  # its time grows with the square of the length


class Passwords:
    """Hashes and checks; `hasher` decides what one guess costs."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobodys = self._hasher.hash("the password of no account")

    def hash(self, password: str, *, account: str) -> str:
        """Return the hash of a new password; raise `LandfallError` when it is too short, too long or too common."""
        text = _normal(password)
        if len(text) < MIN_CHARS:
            raise LandfallError(f"the password is too short: {MIN_CHARS} characters at least", remedy=_REMEDY)
        if len(text) > MAX_CHARS:
            raise LandfallError(f"the password is too long: {MAX_CHARS} characters at most")
        if _is_easily_guessed(text, account):
            raise LandfallError("the password is one of those that are guessed first", remedy=_REMEDY)
        return self._hasher.hash(text)

    def is_right(self, password: str, password_hash: str | None) -> bool:
        """Tell whether the password fits; without a hash it never does, and takes as long."""
        try:
            fits = self._hasher.verify(password_hash or self._nobodys, _normal(password)[: MAX_CHARS + 1])
        except (VerificationError, InvalidHashError):
            return False
        return fits and password_hash is not None


_REMEDY = "several words that have nothing to do with each other are easy to keep in mind"


def _normal(password: str) -> str:
    """Return the form in which all keyboards write it alike (SP 800-63B-4, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _is_easily_guessed(password: str, account: str) -> bool:
    from zxcvbn import zxcvbn

    judged = zxcvbn(password[:_JUDGED_CHARS], user_inputs=[account, "landfall", "console", "kiosk"])
    return float(judged["guesses_log10"]) < MIN_GUESSES_LOG10
