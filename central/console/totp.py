"""One-time codes from an authenticator (RFC 6238): which time step a code stands for.

Owns the secrets, and how much clocks may differ. Always true: a code counts once; whoever takes one keeps its step and
asks with it the next time.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime

import pyotp

STEP_S = 30
_STEPS_EITHER_WAY = 1
_ISSUER = "Landfall"


def new_secret(name: str) -> tuple[str, str]:
    """Return a new secret of RFC 6238 and the otpauth URI that an authenticator reads; nothing is stored."""
    secret = pyotp.random_base32()
    return secret, uri(name, secret)


def uri(name: str, secret: str) -> str:
    """Return the otpauth URI of an account's secret."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=_ISSUER)


def is_secret(text: str) -> bool:
    """Tell whether text is a secret as `pyotp.random_base32` makes them (RFC 4648, 6)."""
    return re.fullmatch("[A-Z2-7]{32}", text) is not None


def step_of(secret: str, code: str, now: datetime, *, after: int) -> int | None:
    """Return the time step of a code that is right now and later than step `after`; None for any other."""
    code = "".join(code.split())
    if not (code.isascii() and code.isdecimal()):
        return None
    present, generator = int(now.timestamp()) // STEP_S, pyotp.TOTP(secret)
    for step in range(present - _STEPS_EITHER_WAY, present + _STEPS_EITHER_WAY + 1):
        if step > after and hmac.compare_digest(generator.at(step * STEP_S), code):
            return step
    return None
