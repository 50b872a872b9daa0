"""One at a time: who may do a work, for how long yet.

Owns the table `lease`. Always true: at any moment at most one holder's lease has not expired, as far as the machines'
clocks agree; whoever dies is replaced when the lease runs out, and whoever ends in order at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, update

from central import database
from central.database import rfc3339
from central.fleet.tables import lease


def take(
    connection: Connection, name: str, holder: str, now: datetime, lasts_s: float, working_since: datetime | None
) -> bool:
    """Take or renew a lease; return False when somebody else holds it."""
    at = rfc3339(now)
    values = {
        "holder": holder,
        "renewed_at": at,
        "expires_at": rfc3339(now + timedelta(seconds=lasts_s)),
        "working_since": working_since and rfc3339(working_since),
    }
    statement = database.insert(connection, lease).values(name=name, **values)
    is_mine = or_(lease.c.holder == holder, lease.c.expires_at < at)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_=values, where=is_mine)
    return connection.scalar(statement.returning(lease.c.name)) is not None


def give_back(connection: Connection, name: str, holder: str, now: datetime) -> None:
    """Let a lease expire now, so that a stand-by need not wait."""
    mine = (lease.c.name == name) & (lease.c.holder == holder)
    connection.execute(update(lease).where(mine).values(expires_at=rfc3339(now), working_since=None))
