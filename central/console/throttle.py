"""Guessing passwords takes ever longer (NIST SP 800-63B-4, 3.2.2), and for strangers alone.

Owns the rows of `sign_in_failure`, and under which of them an attempt is counted: of a stranger under the account, the
address and everybody's; of a browser or address that is familiar to the account under that alone, so that no stranger
can make its owner wait. Always true: an attempt is counted before the password is looked at, so that many at once do
not slip through; one that comes too early is neither looked at nor counted; after a day without a failure all is
forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from central import database
from central.addresses import subscriber
from central.console import familiar
from central.console.tables import sign_in_failure

FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """After `free` failures each doubles the wait, up to `longest_s`; one is forgotten each `fades_s`, or none."""

    free: int
    longest_s: int
    fades_s: float | None = None

    def wait_s(self, failures: float) -> int:
        """Return how long nothing is taken after so many failures: 2, 4, 8 ... seconds from the last free one on."""
        beyond = int(failures) - self.free
        return 0 if beyond < 0 else min(self.longest_s, 2 ** min(beyond + 1, 30))

    def faded(self, failures: int, after_s: float) -> int:
        """Return how many failures are left of so many; beyond the longest wait no more are counted."""
        counted = min(failures, self.free + self.longest_s.bit_length())
        return counted if self.fades_s is None else max(0, counted - int(after_s / self.fades_s))


ONE = Limit(free=3, longest_s=900)
EVERYBODY = Limit(free=100, longest_s=30, fades_s=60)  # strangers together; those who are familiar go on meanwhile


@dataclass(frozen=True, slots=True)
class Counted:
    """A row under which attempts are counted."""

    subject: str
    limit: Limit


def strangers(name: str, address: str) -> tuple[Counted, ...]:
    """Return where an attempt is counted of somebody of whom the account knows nothing, the account first."""
    one, here = _hashed(f"account {name}"), _hashed(f"address {subscriber(address)}")
    return Counted(one, ONE), Counted(here, ONE), Counted(_hashed("everybody"), EVERYBODY)


def familiars(name: str, mark: str) -> tuple[Counted, ...]:
    """Return where an attempt is counted of somebody whom the account knows by a mark."""
    return (Counted(_hashed(f"account {name} {mark}"), ONE),)


def insiders(name: str) -> tuple[Counted, ...]:
    """Return where an attempt is counted of somebody who is signed in, and is asked for the password again."""
    return familiars(name, "signed in")


def begin(connection: Connection, whom: Sequence[Counted], now: datetime) -> float:
    """Count an attempt and return 0, or return for how many seconds no attempt is taken."""
    is_over = sign_in_failure.c.last_at < database.rfc3339(now - FORGOTTEN_AFTER)
    over = select(sign_in_failure.c.subject).where(is_over).with_for_update(skip_locked=True)
    connection.execute(delete(sign_in_failure).where(sign_in_failure.c.subject.in_(over)))
    limits = {one.subject: one.limit for one in whom}
    # In one order for all, so that no two transactions of PostgreSQL wait for each other.
    for subject in sorted(limits):
        row = {"subject": subject, "count": 0, "last_at": database.rfc3339(now), "wait_until": ""}
        made = database.insert(connection, sign_in_failure).values(row)
        connection.execute(made.on_conflict_do_update(index_elements=["subject"], set_={"subject": subject}))
    query = select(sign_in_failure).where(sign_in_failure.c.subject.in_(limits)).order_by(sign_in_failure.c.subject)
    rows = connection.execute(query).all()
    waits = [(database.moment(row.wait_until) - now).total_seconds() for row in rows if row.wait_until]
    if waits and max(waits) > 0:
        return max(waits)
    for row in rows:
        limit, after_s = limits[row.subject], (now - database.moment(row.last_at)).total_seconds()
        _set(connection, Counted(row.subject, limit), limit.faded(row.count, after_s) + 1, now)
    return 0.0


def succeed(connection: Connection, whom: Sequence[Counted], now: datetime) -> None:
    """Forget the failures of an account that signed in, and take back the attempt that was counted elsewhere."""
    for one in sorted(whom, key=lambda one: one.subject):  # in the order of `begin`
        of_one = sign_in_failure.c.subject == one.subject
        if one == whom[0]:
            connection.execute(delete(sign_in_failure).where(of_one))
        else:
            count = connection.scalar(select(sign_in_failure.c.count).where(of_one).with_for_update())
            _set(connection, one, max(0, (count or 0) - 1), now)


def forget(connection: Connection, name: str) -> bool:
    """Let an account try again at once, from wherever it is; tell whether it had failures."""
    known = [familiars(name, mark) for mark in familiar.marks(connection, name)]
    whom = [strangers(name, "")[0], *insiders(name), *(one for each in known for one in each)]
    gone = sign_in_failure.c.subject.in_([one.subject for one in whom])
    return bool(connection.execute(delete(sign_in_failure).where(gone)).rowcount)


def _set(connection: Connection, one: Counted, count: int, now: datetime) -> None:
    until = database.rfc3339(now + timedelta(seconds=one.limit.wait_s(count)))
    values = {"count": count, "last_at": database.rfc3339(now), "wait_until": until}
    connection.execute(sign_in_failure.update().where(sign_in_failure.c.subject == one.subject).values(**values))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
