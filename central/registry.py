"""Which public keys speak for which kiosk.

Owns the table `kiosk_key` and the copy of it in memory. Always true: the copy is never older than `refresh_s`, so a key
that was revoked stops counting within that time, on every collector; revoked keys stay in the table, since old records
were signed with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import msgspec
from joserfc.jwk import OKPKey
from sqlalchemy import Connection, Engine, func, select, update

from central import database
from central.tables import centre, kiosk_key
from edge.errors import LandfallError, SealError
from edge.seal import Verifier, parse_key

_CHANGED = "keys_changed"


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """One line of the register."""

    kiosk: str
    kid: str
    added_at: str
    revoked_at: str | None


def add_kiosk(engine: Engine, kiosk: str, key: OKPKey, now: datetime) -> str:
    """Register a kiosk's public record key and return its key id; a key that was revoked counts again.

    Raise `SealError` when the key cannot sign, `LandfallError` when it already speaks for another kiosk.
    """
    with database.writing(engine) as connection:
        return add_key(connection, kiosk, key, now)


def add_key(connection: Connection, kiosk: str, key: OKPKey, now: datetime) -> str:
    """Do what `add_kiosk` does within a transaction that the caller commits."""
    if key.as_dict(private=False).get("crv") != "Ed25519":
        raise SealError("is no key that signs; a kiosk's record key is an Ed25519 key")
    kid = key.thumbprint()
    public = msgspec.json.encode(key.as_dict(private=False)).decode()
    owner = connection.scalar(select(kiosk_key.c.kiosk).where(kiosk_key.c.kid == kid, kiosk_key.c.kiosk != kiosk))
    if owner is not None:
        raise LandfallError(f"this key already speaks for {owner}", remedy="make a key of its own for each kiosk")
    row = {"kiosk": kiosk, "kid": kid, "public_jwk": public, "added_at": database.rfc3339(now), "revoked_at": None}
    again = {"revoked_at": None}
    statement = database.insert(connection, kiosk_key).on_conflict_do_update(
        index_elements=["kiosk", "kid"], set_=again
    )
    connection.execute(statement, row)
    _tell(connection)
    return kid


def is_revoked(connection: Connection, kiosk: str, kid: str) -> bool:
    """Tell whether a key spoke for a kiosk once and does no longer."""
    chosen = (kiosk_key.c.kiosk == kiosk) & (kiosk_key.c.kid == kid) & kiosk_key.c.revoked_at.is_not(None)
    return connection.scalar(select(func.count()).where(chosen)) > 0


def counts(connection: Connection, kiosk: str, kid: str) -> bool:
    """Tell whether a key speaks for a kiosk now."""
    chosen = (kiosk_key.c.kiosk == kiosk) & (kiosk_key.c.kid == kid) & kiosk_key.c.revoked_at.is_(None)
    return connection.scalar(select(func.count()).where(chosen)) > 0


def revoke_kiosk(engine: Engine, kiosk: str, now: datetime, *, kid: str = "") -> int:
    """Revoke one key of a kiosk, or all of them; return how many were revoked."""
    with database.writing(engine) as connection:
        return revoke_keys(connection, kiosk, now, kid=kid)


def revoke_keys(connection: Connection, kiosk: str, now: datetime, *, kid: str = "") -> int:
    """Do what `revoke_kiosk` does within a transaction that the caller commits."""
    chosen = (kiosk_key.c.kiosk == kiosk) & kiosk_key.c.revoked_at.is_(None)
    if kid:
        chosen &= kiosk_key.c.kid == kid
    count = connection.execute(update(kiosk_key).where(chosen).values(revoked_at=database.rfc3339(now))).rowcount
    _tell(connection)
    return count


def list_kiosks(engine: Engine) -> list[RegisteredKey]:
    """Return every key that was ever registered."""
    columns = (kiosk_key.c.kiosk, kiosk_key.c.kid, kiosk_key.c.added_at, kiosk_key.c.revoked_at)
    with database.reading(engine) as connection:
        return [RegisteredKey(*row) for row in connection.execute(select(*columns).order_by(*columns[:2]))]


def registered_kiosks(connection: Connection) -> list[str]:
    """Return the kiosks of which a key counts, in the order of their names."""
    return sorted(set(connection.scalars(select(kiosk_key.c.kiosk).where(kiosk_key.c.revoked_at.is_(None)))))


def every_key_of(connection: Connection, kiosk: str) -> Verifier:
    """Return a verifier for all keys that a kiosk ever had, revoked ones included: for looking back alone."""
    found = connection.scalars(select(kiosk_key.c.public_jwk).where(kiosk_key.c.kiosk == kiosk))
    return Verifier([parse_key(text) for text in found])


def _tell(connection: Connection) -> None:
    """Let every collector's copy know that the register changed."""
    connection.execute(database.upsert(connection, centre), {"key": _CHANGED, "value": str(uuid4())})


class Registry:
    """A copy of the register, read whole whenever it changed; keys are parsed when their kiosk is first heard of."""

    def __init__(self, engine: Engine, clock_s: Callable[[], float], *, refresh_s: float = 1.0) -> None:
        self._engine = engine
        self._clock_s = clock_s
        self._refresh_s = refresh_s
        self._read_at_s: float | None = None
        self._change: str | None = None
        self._keys: dict[str, list[str]] = {}  # those that count
        self._verifiers: dict[str, tuple[list[str], Verifier]] = {}

    def verifier_of(self, kiosk: str) -> Verifier | None:
        """Return what verifies a kiosk's signatures, or None when no key of it counts."""
        # One that is not known was added a moment ago, perhaps: its first records shall not wait for a second try.
        self._refresh(is_due=kiosk not in self._keys)
        keys = self._keys.get(kiosk)
        if keys is None:
            return None
        if kiosk not in self._verifiers or self._verifiers[kiosk][0] != keys:
            # A key that is not known was added a moment ago, perhaps: a kiosk that was replaced begins at once.
            self._verifiers[kiosk] = keys, Verifier(map(parse_key, keys), learn=lambda: self._newest(kiosk))
        return self._verifiers[kiosk][1]

    def _newest(self, kiosk: str) -> list[OKPKey]:
        self._refresh(is_due=True)
        return [parse_key(text) for text in self._keys.get(kiosk, ())]

    def _refresh(self, *, is_due: bool) -> None:
        now_s = self._clock_s()
        if not is_due and self._read_at_s is not None and now_s - self._read_at_s < self._refresh_s:
            return
        with database.reading(self._engine) as connection:
            change = connection.scalar(select(func.max(centre.c.value)).where(centre.c.key == _CHANGED)) or ""
            if change != self._change:
                found: dict[str, list[str]] = {}
                counts = kiosk_key.c.revoked_at.is_(None)
                query = select(kiosk_key.c.kiosk, kiosk_key.c.public_jwk).where(counts).order_by(kiosk_key.c.kid)
                for kiosk, text in connection.execute(query):
                    found.setdefault(kiosk, []).append(text)
                self._keys = found
        self._change, self._read_at_s = change, now_s
