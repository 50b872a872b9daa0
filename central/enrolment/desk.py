"""Who is let in: the decision about a request, whichever way it came.

Owns the rules of enrolment and renewal, and what a kiosk is answered. Knows no network. Always true:

- a code is good for one kiosk, one pair of keys, once, and until it expires; who asks with a wrong one learns nothing
  about the right one, nor whether the kiosk is expected at all, and closes nothing for whoever has the right one;
- the same keys with the same code get the same answer again: an answer may be lost when the power goes;
- a kiosk that is known renews by its keys alone, even when its certificate has run out while it was cut off;
- a certificate of an issuing authority before this one is never given again;
- keys that were revoked are never let in again;
- a new enrolment under a name ends the certificates before it: one name, one machine. The record keys before it go on
  counting, since records that they signed may still come, until somebody revokes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import OKPKey
from sqlalchemy import Connection, Engine

from central import database, registry
from central.enrolment import codes, register
from central.enrolment.register import USED, Invitation
from edge.errors import ContractError, LandfallError
from edge.identity import enrolment
from edge.identity.certificates import CENTRE, Issuer, Role, pem, read_request
from edge.identity.enrolment import ANSWER_TYP, CENTRE_KEYS_TYP, PROOF_TYP, Answer, CentreKeys, Request
from edge.identity.signed import DocumentSigner
from edge.seal import Verifier, parse_key

RENEW_FROM = 2  # a certificate with more than this part (a half) of its life left is given again, not anew
_NEW_CODE = "ask the centre for a new code"


class Why(Enum):
    """Why somebody was not let in, as a program tells it from the other reasons."""

    CODE = "code"
    KEYS = "keys"
    NAME = "name"


class EnrolmentRefused(LandfallError):
    """The centre does not let this request in; `why` is for programs."""

    def __init__(self, why: Why, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.why = why


@dataclass(frozen=True, slots=True)
class Desk:
    """Takes requests. `signer` signs answers, `centre_keys` are handed out with them."""

    engine: Engine
    issuer: Issuer
    signer: DocumentSigner
    centre_keys: CentreKeys
    now: Callable[[], datetime]

    def invite(self, kiosk: str, valid: timedelta, *, replaces: bool = False) -> tuple[str, datetime]:
        """Make a one-time code; return it and until when it is good.

        Raises `LandfallError` when a kiosk of that name is at work, unless the new one `replaces` it.
        """
        now = self.now()
        with database.writing(self.engine) as connection:
            if not replaces and register.valid_certificates(connection, kiosk, now):
                raise LandfallError(
                    f"{kiosk} is enrolled already", remedy="say --replace if this kiosk takes the place of that one"
                )
            return register.invite(connection, kiosk, now, valid)

    def enrol(self, request: Request, code: str) -> str:
        """Let a kiosk in by its code and return the signed answer; raise `EnrolmentRefused` otherwise."""
        key, keys = self._examined(request)
        with database.writing(self.engine) as connection:
            found = register.latest_invitation(connection, request.kiosk)
            refusal = self._judged(connection, found, code, keys, key.thumbprint())
            answer = (
                "" if refusal or found is None else found.answer or self._let_in(connection, found, request, key, keys)
            )
        if refusal is not None:  # only now, since the wrong try has to be counted for good
            raise refusal
        return answer

    def enrol_by_hand(self, request: Request) -> str:
        """Let a kiosk in because somebody compared the request's fingerprint; it must have been invited."""
        key, keys = self._examined(request)
        with database.writing(self.engine) as connection:
            found = register.latest_invitation(connection, request.kiosk)
            if found is None or (found.closed and found.keys != keys):
                raise EnrolmentRefused(
                    Why.CODE, f"{request.kiosk} is not expected", remedy="invite it first: landfall-central enrol code"
                )
            return found.answer or self._let_in(connection, found, request, key, keys)

    def renew(self, request: Request) -> str:
        """Give a known kiosk a certificate as long as a new one; raise `EnrolmentRefused` for one that is not known."""
        key, keys = self._examined(request)
        with database.writing(self.engine) as connection:
            issued = register.certificates(connection, request.kiosk)
            is_latest = bool(issued) and issued[-1].keys == keys and issued[-1].revoked_at is None
            if not is_latest or not registry.counts(connection, request.kiosk, key.thumbprint()):
                raise EnrolmentRefused(
                    Why.KEYS, f"{request.kiosk} is not known with these keys", remedy="enrol it anew, with a code"
                )
            now, latest = self.now(), issued[-1]
            start, end = database.moment(latest.issued_at), database.moment(latest.not_after)
            is_long_enough = (end - now) * RENEW_FROM > end - start
            is_below_us = latest.chain.endswith(pem(self.issuer.certificate).decode("ascii"))
            chain = latest.chain if is_long_enough and is_below_us else self._issue(connection, request, keys)
            return self._signed_answer(request.kiosk, chain)

    def signed_centre_keys(self) -> str:
        """Return the centre's public keys as a signed document, for kiosks that look whether there are new ones."""
        return self.signer.sign(enrolment.encode(self.centre_keys), CENTRE_KEYS_TYP)

    def _examined(self, request: Request) -> tuple[OKPKey, str]:
        """Return the record key and the hash of both keys; raise `ContractError` or `SealError` for a bad request."""
        if request.kiosk.partition("/")[0] == CENTRE:
            raise ContractError(f"{CENTRE!r} is no site")
        key = parse_key(msgspec.json.encode(request.record))
        enrolment.check_proof(request, Verifier([key]).verify(request.proof, PROOF_TYP))
        _, tls_key = read_request(request.csr)
        spki = tls_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return key, hashlib.sha256(spki + key.thumbprint().encode()).hexdigest()

    def _judged(
        self, connection: Connection, found: Invitation | None, code: str, keys: str, kid: str
    ) -> EnrolmentRefused | None:
        """Return why a code does not let in, or None; a wrong one is counted."""
        if found is None:
            codes.is_code(code, "", "")  # as long as for a kiosk that is expected
            return _wrong_code()
        if not found.takes(code):
            register.count_try(connection, found)
            return _wrong_code()
        if found.closed == USED and found.keys != keys:
            return EnrolmentRefused(
                Why.CODE,
                "this code was used already, by other keys",
                remedy=f"tell the centre at once, and {_NEW_CODE}",
            )
        if found.closed == USED:
            return _revoked() if registry.is_revoked(connection, found.kiosk, kid) else None
        if found.closed:
            return EnrolmentRefused(Why.CODE, f"this code is {found.closed}", remedy=_NEW_CODE)
        if found.expires_at <= self.now():
            return EnrolmentRefused(Why.CODE, "this code has expired", remedy=_NEW_CODE)
        return None

    def _let_in(self, connection: Connection, found: Invitation, request: Request, key: OKPKey, keys: str) -> str:
        if registry.is_revoked(connection, request.kiosk, key.thumbprint()):
            raise _revoked()
        now = self.now()
        before = [one.serial for one in register.valid_certificates(connection, request.kiosk, now)]
        register.revoke(connection, before, x509.ReasonFlags.superseded, now)
        registry.add_key(connection, request.kiosk, key, now)
        answer = self._signed_answer(request.kiosk, self._issue(connection, request, keys))
        register.use(connection, found, keys, answer, now)
        return answer

    def _issue(self, connection: Connection, request: Request, keys: str) -> str:
        _, tls_key = read_request(request.csr)
        issued = self.issuer.issue(tls_key, request.kiosk, Role.CLIENT)
        chain = self.issuer.chain(issued)
        register.add_certificate(connection, issued, chain, keys, self.now())
        return chain.decode("ascii")

    def _signed_answer(self, kiosk: str, chain: str) -> str:
        answer = Answer(kiosk, chain, self.centre_keys, database.rfc3339(self.now()))
        return self.signer.sign(enrolment.encode(answer), ANSWER_TYP)


def _revoked() -> EnrolmentRefused:
    return EnrolmentRefused(Why.KEYS, "these keys were revoked", remedy="make new keys on the kiosk")


def _wrong_code() -> EnrolmentRefused:
    return EnrolmentRefused(
        Why.CODE, "this code does not let this kiosk in", remedy=f"check code and kiosk, or {_NEW_CODE}"
    )
