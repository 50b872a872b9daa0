"""Where an account usually signs in from: browsers that hold a token of the console, and addresses.

Owns the rows of `familiar`. Always true: only a sign-in that succeeded makes something familiar to its account; token
and address are kept as SHA-256 alone; what was not used for 90 days is forgotten, and so is all but the newest 20.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from central import database
from central.addresses import subscriber
from central.console.tables import familiar

FORGOTTEN_AFTER = timedelta(days=90)
MOST = 20  # marks of one account


def mark_of(connection: Connection, name: str, token: str, address: str, now: datetime) -> str:
    """Return what an account knows a visitor by, its browser before its address; empty for a stranger."""
    marks = (_of_browser(token), _of_address(address))
    since = database.rfc3339(now - FORGOTTEN_AFTER)
    is_known = (familiar.c.account == name) & familiar.c.mark.in_(marks) & (familiar.c.seen_at >= since)
    known = set(connection.scalars(select(familiar.c.mark).where(is_known))) if _is_storable(name) else set()
    return next((mark for mark in marks if mark in known), "")


def remember(connection: Connection, name: str, token: str, address: str, now: datetime) -> str:
    """Make browser and address of somebody who signed in familiar; return the token that the browser is to keep.

    That is its own where the console gave it out, so that several people may share a browser, and else a new one.
    """
    given = connection.scalar(select(familiar.c.mark).where(familiar.c.mark == _of_browser(token)).limit(1))
    kept = token if given else secrets.token_urlsafe(32)
    at = database.rfc3339(now)
    for mark in sorted((_of_browser(kept), _of_address(address))):
        connection.execute(database.upsert(connection, familiar), {"account": name, "mark": mark, "seen_at": at})
    connection.execute(delete(familiar).where(familiar.c.seen_at < database.rfc3339(now - FORGOTTEN_AFTER)))
    of_account = familiar.c.account == name
    newest = select(familiar.c.mark).where(of_account).order_by(familiar.c.seen_at.desc(), familiar.c.mark).limit(MOST)
    connection.execute(delete(familiar).where(of_account, familiar.c.mark.not_in(newest)))
    return kept


def marks(connection: Connection, name: str) -> list[str]:
    """Return all that an account knows somebody by."""
    return list(connection.scalars(select(familiar.c.mark).where(familiar.c.account == name)))


def _of_browser(token: str) -> str:
    return _hashed(f"browser {token}")


def _of_address(address: str) -> str:
    return _hashed(f"address {subscriber(address)}")


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _is_storable(name: str) -> bool:
    """Tell whether PostgreSQL takes a text: not one with a NUL or half a surrogate pair, not even to look for it."""
    return name.isascii() and name.isprintable()
