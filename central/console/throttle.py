"""Guessing passwords takes ever longer (NIST SP 800-63B-4, 3.2.2).

Owns the rows of `sign_in_failure`: one for whom somebody tried to be, one for where from. Always true: an attempt is
counted before the password is looked at, so that many at once do not slip through; one that comes too early is neither
looked at nor counted; after a day without a failure all is forgotten.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from central import database
from central.addresses import subscriber
from central.console.tables import sign_in_failure

FREE_ATTEMPTS = 3
LONGEST_WAIT_S = 900
FORGOTTEN_AFTER = timedelta(days=1)


def subjects(name: str, address: str) -> tuple[str, str]:
    """Return under which two names the attempts are counted."""
    return _hashed(f"account {name}"), _hashed(f"address {subscriber(address)}")


def begin(connection: Connection, whom: tuple[str, str], now: datetime) -> float:
    """Count an attempt and return 0, or return for how many seconds no attempt is taken."""
    connection.execute(
        delete(sign_in_failure).where(sign_in_failure.c.last_at < database.rfc3339(now - FORGOTTEN_AFTER))
    )
    # In one order for all, so that no two transactions of PostgreSQL wait for each other.
    for subject in sorted(whom):
        row = {"subject": subject, "count": 0, "last_at": database.rfc3339(now), "wait_until": ""}
        made = database.insert(connection.dialect.name, sign_in_failure).values(row)
        connection.execute(made.on_conflict_do_update(index_elements=["subject"], set_={"subject": subject}))
    query = select(sign_in_failure).where(sign_in_failure.c.subject.in_(whom)).order_by(sign_in_failure.c.subject)
    rows = connection.execute(query).all()
    waits = [(database.moment(row.wait_until) - now).total_seconds() for row in rows if row.wait_until]
    if waits and max(waits) > 0:
        return max(waits)
    for row in rows:
        _set(connection, row.subject, row.count + 1, now)
    return 0.0


def succeed(connection: Connection, whom: tuple[str, str], now: datetime) -> None:
    """Forget the failures of an account that signed in, and take back the attempt that was counted for its address."""
    account, address = whom
    connection.execute(delete(sign_in_failure).where(sign_in_failure.c.subject == account))
    count = connection.scalar(select(sign_in_failure.c.count).where(sign_in_failure.c.subject == address))
    _set(connection, address, max(0, (count or 0) - 1), now)


def forget(connection: Connection, name: str) -> bool:
    """Let an account try again at once; tell whether it had failures."""
    done = connection.execute(delete(sign_in_failure).where(sign_in_failure.c.subject == _hashed(f"account {name}")))
    return bool(done.rowcount)


def wait_s(failures: int) -> int:
    """Return how long nothing is taken after so many failures: 2, 4, 8 ... seconds after the free ones."""
    beyond = failures - FREE_ATTEMPTS
    return 0 if beyond < 0 else min(LONGEST_WAIT_S, 2 ** min(beyond + 1, 30))


def _set(connection: Connection, subject: str, count: int, now: datetime) -> None:
    until = database.rfc3339(now + timedelta(seconds=wait_s(count)))
    values = {"count": count, "last_at": database.rfc3339(now), "wait_until": until}
    connection.execute(sign_in_failure.update().where(sign_in_failure.c.subject == subject).values(**values))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
