"""What a trust list says of one signature: the three verdicts that every sealed document shares.

Owns the words that an officer sees, with which every detail begins; more may follow after a colon:
- `signature`: `ok`; `failed` "forged"; `doubtful` "unknown signer"; `not_done` "no trust list" or "unsupported key".
- `signer`: `ok`; `failed` "expired signer", "revoked signer", "signer not yet valid", "signer not for this purpose";
  `doubtful` "weak key"; `not_done` while the signer is unknown or the clock unset.
- `trust_list_age`: `ok`; `doubtful` "stale"; `not_done` "no trust list" or "clock unset".
Always true: an unknown signer is no forger, because the list may be old; a stale list still tells right from forged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from edge.documents.signature import SignerKey
from edge.documents.verdict import Result, Verdict

if TYPE_CHECKING:
    from edge.documents.trust import TrustList

Purpose = Literal["vds", "vds-nc", "dcc"]

CHECKS = ("signature", "signer", "trust_list_age")
UNKNOWN_SIGNER = "unknown signer"
EXPIRED_SIGNER = "expired signer"
EARLY_SIGNER = "signer not yet valid"
REVOKED_SIGNER = "revoked signer"
WRONG_PURPOSE = "signer not for this purpose"
FORGED = "forged"
WEAK_KEY = "weak key"
UNSUPPORTED_KEY = "unsupported key"
NO_LIST = "no trust list"
CLOCK_UNSET = "clock unset"
STALE = "stale"


@dataclass(frozen=True, slots=True)
class Signer:
    """One document signer that the list vouches for; `key` is None when no library can calculate with it.

    `state` is the issuing state's code of Doc 9303-3 (empty: not said), `extended_key_usage` the dotted OIDs of the
    certificate (None: no such extension, or a bare key).
    """

    key: SignerKey | None
    key_identifier: bytes
    state: str
    not_before: date
    not_after: date
    purposes: frozenset[str]
    is_revoked: bool
    extended_key_usage: frozenset[str] | None = None


def examine(
    trust: TrustList | None,
    signers: Sequence[Signer],
    *,
    purpose: Purpose,
    today: date | None,
    signed: Callable[[SignerKey], bool],
) -> tuple[Signer | None, tuple[Verdict, Verdict, Verdict]]:
    """Return the signer that `signed` is true of (else the first), and the verdicts `CHECKS` in their order.

    Several signers can share a key id of 8 bytes; one whose key fits is enough.
    """
    age = age_of(trust, today)
    if trust is None or not signers:
        reason = (Result.NOT_DONE, NO_LIST) if trust is None else (Result.DOUBTFUL, UNKNOWN_SIGNER)
        return None, (Verdict("signature", *reason), Verdict("signer", Result.NOT_DONE, reason[1]), age)
    fitting = next((item for item in signers if item.key is not None and signed(item.key)), None)
    if fitting is not None:
        return fitting, (Verdict("signature", Result.OK), _standing(fitting, purpose, today), age)
    signature = Verdict("signature", Result.FAILED, FORGED)
    if any(item.key is None for item in signers):
        signature = Verdict("signature", Result.NOT_DONE, UNSUPPORTED_KEY)
    return signers[0], (signature, _standing(signers[0], purpose, today), age)


def age_of(trust: TrustList | None, today: date | None) -> Verdict:
    """Return the verdict on how old the list is; a day's precision is enough."""
    if trust is None:
        return Verdict("trust_list_age", Result.NOT_DONE, NO_LIST)
    if today is None:
        return Verdict("trust_list_age", Result.NOT_DONE, CLOCK_UNSET)
    late_days = (today - trust.fresh_until.date()).days
    if late_days > 0:
        return Verdict("trust_list_age", Result.DOUBTFUL, f"{STALE}: {late_days} days past its date")
    if (trust.issued_at.date() - today).days > 1:
        return Verdict("trust_list_age", Result.DOUBTFUL, "issued after today: is the clock right?")
    return Verdict("trust_list_age", Result.OK)


def _standing(signer: Signer, purpose: Purpose, today: date | None) -> Verdict:
    if signer.is_revoked:
        return Verdict("signer", Result.FAILED, REVOKED_SIGNER)
    if purpose not in signer.purposes:
        return Verdict("signer", Result.FAILED, WRONG_PURPOSE)
    if today is None:
        return Verdict("signer", Result.NOT_DONE, CLOCK_UNSET)
    if today > signer.not_after:
        return Verdict("signer", Result.FAILED, EXPIRED_SIGNER)
    if today < signer.not_before:
        return Verdict("signer", Result.FAILED, EARLY_SIGNER)
    if signer.key is not None and signer.key.is_weak:
        return Verdict("signer", Result.DOUBTFUL, f"{WEAK_KEY}: {signer.key.bits} bits")
    return Verdict("signer", Result.OK)
