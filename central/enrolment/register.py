"""What the centre issued and to whom: invitations and certificates in the database.

Owns the tables `invitation` and `certificate`; decides nothing about a request. Every function takes the connection of
a transaction that the caller commits. Always true: one kiosk has one open invitation at the most; a certificate is
never removed, so it stays on the revocation list until it would have ended by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from sqlalchemy import Connection, Engine, Row, select, update

from central import database
from central.enrolment import codes
from central.tables import certificate, invitation
from edge.identity.certificates import Revoked, common_name, pem, serial_text

MOST_COUNTED = 1000  # wrong codes; more of them cost no write
USED, WITHDRAWN = "used", "withdrawn"


@dataclass(frozen=True, slots=True)
class Invitation:
    """One kiosk that may enrol, or did."""

    id: int
    kiosk: str
    salt: str = field(repr=False)
    code_hash: str = field(repr=False)
    expires_at: datetime
    tries: int
    closed: str
    keys: str
    answer: str = field(repr=False)

    def takes(self, code: str) -> bool:
        """Tell whether this is its code."""
        return codes.is_code(code, self.salt, self.code_hash)


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate as the centre keeps it; moments are RFC 3339."""

    serial: str
    name: str
    keys: str = field(repr=False)
    issued_at: str
    not_after: str
    chain: str = field(repr=False)
    revoked_at: str | None
    reason: str


def invite(connection: Connection, kiosk: str, now: datetime, valid: timedelta) -> tuple[str, datetime]:
    """Make a kiosk's new one-time code; return it and until when it is good. A code before it is good no more."""
    withdraw(connection, kiosk, now)
    code, salt, until = codes.new_code(), codes.new_salt(), now + valid
    row = {"kiosk": kiosk, "salt": salt, "code_hash": codes.hash_code(code, salt), "tries": 0}
    row |= {"made_at": database.rfc3339(now), "expires_at": database.rfc3339(until)}
    connection.execute(invitation.insert().values(**row, closed="", keys="", answer=""))
    return code, until


def withdraw(connection: Connection, kiosk: str, now: datetime) -> int:
    """Close a kiosk's open invitation; return whether there was one, as a count."""
    open_ones = (invitation.c.kiosk == kiosk) & invitation.c.closed_at.is_(None)
    values = {"closed_at": database.rfc3339(now), "closed": WITHDRAWN}
    return connection.execute(update(invitation).where(open_ones).values(values)).rowcount


def latest_invitation(connection: Connection, kiosk: str) -> Invitation | None:
    """Return a kiosk's latest invitation and keep it from others until the end of the transaction."""
    query = select(invitation).where(invitation.c.kiosk == kiosk).order_by(invitation.c.id.desc()).limit(1)
    row = connection.execute(query.with_for_update()).first()
    if row is None:
        return None
    return Invitation(
        id=row.id,
        kiosk=row.kiosk,
        salt=row.salt,
        code_hash=row.code_hash,
        expires_at=database.moment(row.expires_at),
        tries=row.tries,
        closed=row.closed,
        keys=row.keys,
        answer=row.answer,
    )


def count_try(connection: Connection, found: Invitation) -> None:
    """Count a wrong code; however many there are, the right one lets in, or who knows a name could shut others out."""
    if found.tries < MOST_COUNTED:
        chosen = update(invitation).where(invitation.c.id == found.id)
        connection.execute(chosen.values(tries=found.tries + 1))


def use(connection: Connection, found: Invitation, keys: str, answer: str, now: datetime) -> None:
    """Close an invitation with what it gave to whom."""
    values = {"closed": USED, "closed_at": database.rfc3339(now), "keys": keys, "answer": answer}
    connection.execute(update(invitation).where(invitation.c.id == found.id).values(values))


def add_certificate(connection: Connection, issued: x509.Certificate, chain: bytes, keys: str, now: datetime) -> None:
    """Keep a certificate that was issued just now."""
    row = {"serial": serial_text(issued), "name": common_name(issued), "keys": keys, "reason": "", "revoked_at": None}
    row |= {"issued_at": database.rfc3339(now), "not_after": database.rfc3339(issued.not_valid_after_utc)}
    connection.execute(certificate.insert().values(**row, chain=chain.decode("ascii")))


def certificates(connection: Connection, name: str = "") -> list[Issued]:
    """Return every certificate, or those of one name, the latest last."""
    query = select(certificate).order_by(certificate.c.name, certificate.c.issued_at, certificate.c.not_after)
    if name:
        query = query.where(certificate.c.name == name)
    return [_issued(row) for row in connection.execute(query)]


def names_below_others(engine: Engine, issuer: x509.Certificate, now: datetime) -> list[str]:
    """Return the names with a certificate that counts and none that this authority issued."""
    own = pem(issuer).decode("ascii")
    with database.reading(engine) as connection:
        valid = valid_certificates(connection, "", now)
    return sorted({one.name for one in valid} - {one.name for one in valid if one.chain.endswith(own)})


def valid_certificates(connection: Connection, name: str, now: datetime) -> list[Issued]:
    """Return what may be shown at the broker now, by everybody or by one name."""
    at = database.rfc3339(now)
    return [one for one in certificates(connection, name) if one.revoked_at is None and one.not_after > at]


def revoke(connection: Connection, serials: Sequence[str], reason: x509.ReasonFlags, now: datetime) -> int:
    """Revoke certificates by serial number; return how many were good until now."""
    chosen = certificate.c.serial.in_(serials) & certificate.c.revoked_at.is_(None)
    values = {"revoked_at": database.rfc3339(now), "reason": reason.name}
    return connection.execute(update(certificate).where(chosen).values(values)).rowcount


def revoked(connection: Connection, now: datetime) -> list[Revoked]:
    """Return what a revocation list has to name: what was revoked and would still be good otherwise."""
    at = database.rfc3339(now - timedelta(days=1))
    query = select(certificate).where(certificate.c.revoked_at.is_not(None), certificate.c.not_after > at)
    rows = connection.execute(query.order_by(certificate.c.revoked_at))
    return [
        Revoked(
            serial=int(row.serial, 16),
            at=database.moment(row.revoked_at).replace(microsecond=0),
            reason=x509.ReasonFlags[row.reason],
        )
        for row in rows
    ]


def _issued(row: Row) -> Issued:
    return Issued(
        serial=row.serial,
        name=row.name,
        keys=row.keys,
        issued_at=row.issued_at,
        not_after=row.not_after,
        chain=row.chain,
        revoked_at=row.revoked_at,
        reason=row.reason,
    )
