"""Signing in and out, and who is signed in.

Owns the rows of `session`. Always true: a session's id is random, new at each sign-in, and kept only as its hash; it
ends after a time without a page, after the longest time at any rate, and with any change of the account; a refusal
does not say whether name, password or code was wrong, and every attempt takes the same work.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, select, update

from central import database
from central.console import accounts, audit, familiar, throttle, totp
from central.console.accounts import Account, By, Credentials
from central.console.passwords import Passwords
from central.console.tables import account, session
from central.console.throttle import Counted
from edge.errors import LandfallError

SEEN_EVERY = timedelta(seconds=60)  # a page is not worth a write each time
UNKNOWN = "unknown account"  # what was typed may be a password


class SignInRefused(LandfallError):
    """Name, password and code do not belong together."""


class TooManyAttempts(LandfallError):
    """Nothing is looked at until `wait_s` is over."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, round(wait_s))
        super().__init__("too many attempts", remedy=f"wait {self.wait_s} s and try again")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed, and from where it came."""

    name: str = field(repr=False)
    password: str = field(repr=False)
    code: str = field(repr=False)
    address: str
    token: str = field(repr=False, default="")  # by which the browser may be familiar


@dataclass(frozen=True, slots=True)
class Entered:
    """What the browser of somebody who signed in gets: the session's id, and the token by which it is known again."""

    session_id: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that counts."""

    account: Account
    id_hash: str = field(repr=False)


class Sessions:
    """All sessions of one database. `idle` and `longest` are how long one lasts unused, and at any rate."""

    def __init__(self, engine: Engine, passwords: Passwords, *, idle: timedelta, longest: timedelta) -> None:
        self._engine = engine
        self._passwords = passwords
        self._idle = idle
        self._longest = longest

    def sign_in(self, attempt: Attempt, now: datetime) -> Entered:
        """Begin a session; raise `SignInRefused` or `TooManyAttempts`."""
        name, address = attempt.name, attempt.address
        with database.reading(self._engine) as connection:
            mark = familiar.mark_of(connection, name, attempt.token, address, now)
        whom = throttle.familiars(name, mark) if mark else throttle.strangers(name, address)
        known, is_right = self._look(attempt, whom, now)
        with database.writing(self._engine) as connection:
            # Meanwhile the account may have changed, and another may have used the same code.
            present = accounts.credentials(connection, attempt.name, is_locked=True)
            is_unchanged = known is not None and present is not None and present.password_hash == known.password_hash
            step = _totp_step(present, attempt.code, now)
            if is_right and is_unchanged and step is not None:
                return self._begin(connection, whom, attempt, step, now)
            actor = attempt.name if known else UNKNOWN
            audit.append(connection, By(actor, now, attempt.address).deed("sign-in refused", actor), now)
        raise SignInRefused("name, password or code is not right")

    def confirm(self, attempt: Attempt, now: datetime) -> bool:
        """Tell whether the password of somebody who is signed in is right; raise `TooManyAttempts`."""
        whom = throttle.insiders(attempt.name)
        _, is_right = self._look(attempt, whom, now)
        if is_right:
            with database.writing(self._engine) as connection:
                throttle.succeed(connection, whom, now)
        return is_right

    def _look(self, attempt: Attempt, whom: Sequence[Counted], now: datetime) -> tuple[Credentials | None, bool]:
        """Count the attempt and compare the password, outside of any transaction: that is meant to take long."""
        with database.writing(self._engine) as connection:
            wait_s = throttle.begin(connection, whom, now)
            known = accounts.credentials(connection, attempt.name)
        if wait_s:
            raise TooManyAttempts(wait_s)
        return known, self._passwords.is_right(attempt.password, known.password_hash if known else None)

    def _begin(
        self, connection: Connection, whom: Sequence[Counted], attempt: Attempt, step: int, now: datetime
    ) -> Entered:
        throttle.succeed(connection, whom, now)
        connection.execute(update(account).where(account.c.name == attempt.name).values(totp_last_step=step))
        connection.execute(delete(session).where(self._is_over(now)))
        session_id, at = secrets.token_urlsafe(32), database.rfc3339(now)
        row = {"id_hash": hashed(session_id), "account": attempt.name, "created_at": at, "seen_at": at}
        connection.execute(insert(session), row)
        audit.append(connection, By(attempt.name, now, attempt.address).deed("signed in", attempt.name), now)
        return Entered(session_id, familiar.remember(connection, attempt.name, attempt.token, attempt.address, now))

    def of(self, session_id: str, now: datetime, *, is_seen: bool = True) -> SignedIn | None:
        """Return who a session id stands for, or None; a page counts as use, a stream that stays open does not."""
        id_hash = hashed(session_id)
        with database.reading(self._engine) as connection:
            chosen = select(session).where(session.c.id_hash == id_hash, ~self._is_over(now))
            row = connection.execute(chosen).first()
            known = accounts.find(connection, row.account) if row else None
        if row is None or known is None or known.disabled_at is not None:
            return None
        if is_seen and database.moment(row.seen_at) < now - SEEN_EVERY:
            with database.writing(self._engine) as connection:
                seen = {"seen_at": database.rfc3339(now)}
                connection.execute(update(session).where(session.c.id_hash == id_hash).values(**seen))
        return SignedIn(known, id_hash)

    def end(self, signed_in: SignedIn, by: By) -> None:
        """Sign out."""
        with database.writing(self._engine) as connection:
            connection.execute(delete(session).where(session.c.id_hash == signed_in.id_hash))
            audit.append(connection, by.deed("signed out", signed_in.account.name), by.now)

    def _is_over(self, now: datetime) -> ColumnElement[bool]:
        unused, old = database.rfc3339(now - self._idle), database.rfc3339(now - self._longest)
        return (session.c.seen_at < unused) | (session.c.created_at < old)


def hashed(session_id: str) -> str:
    """Return what the table keeps of a session id, which is random enough to need no salt."""
    return hashlib.sha256(session_id.encode("utf-8", "replace")).hexdigest()


def csrf_token(session_id: str) -> str:
    """Return what a form must bring back: only who has the cookie, or was shown the form, knows it."""
    return hmac.new(session_id.encode("utf-8", "replace"), b"landfall form", hashlib.sha256).hexdigest()


def _totp_step(known: Credentials | None, code: str, now: datetime) -> int | None:
    """Return the time step that a code uses up, the old one for an account without codes; None when it is not right."""
    if known is None:
        return None
    if known.totp_secret is None:
        return known.totp_last_step
    return totp.step_of(known.totp_secret, code, now, after=known.totp_last_step)
