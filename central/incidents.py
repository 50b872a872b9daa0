"""What somebody should look at: forks, gaps, tombstones, new epochs, restores, refused messages.

Owns the table `incident`. Always true: one thing that happened is one row, however often it is seen; no personal data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, update

from central import database
from central.tables import incident


class Kind(StrEnum):
    """What can happen."""

    FORK = "fork"  # one position, two records: a clone, or a restored card
    GAP = "gap"  # records wait for one that did not come; `count` is how often it was asked for
    TOMBSTONE = "tombstone"  # the kiosk can no longer read a record that never arrived here
    QUARANTINE = "quarantine"  # well signed, but the letter could not be read
    NEW_EPOCH = "new_epoch"  # a kiosk's store was started anew
    ROLLED_BACK = "rolled_back"  # more is held of an epoch than the kiosk's next epoch knows of
    CUT_TAIL = "cut_tail"  # another record is held where the kiosk says its last epoch ended
    REJECTED = "rejected"  # messages that are no records of the kiosk they came from
    CENTRE_RESTORED = "centre_restored"  # a kiosk has a receipt for more than this database holds
    HEALTH = "health"  # health or status that is none of the kiosk's, or has fields that are of no use
    FLOOD = "flood"  # far more health than agreed
    TOO_MANY_EPOCHS = "too_many_epochs"  # a kiosk begins epoch after epoch, or forks again and again
    TAMPER = "tamper"  # a case was opened
    DOOR_FORCED = "door_forced"
    SETTINGS_ROLLED_BACK = "settings_rolled_back"  # a kiosk was offered older settings than it runs


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing that happened; `sequence` is 0 where it is about a whole epoch."""

    kind: Kind
    kiosk: str
    stream: str = ""
    epoch: str = ""
    sequence: int = 0
    detail: str = ""
    count: int = 1


def report(connection: Connection, incidents: Iterable[Incident], now: str) -> None:
    """Write incidents; one that is known already is counted and opened again."""
    merged: dict[tuple[str, ...], dict[str, object]] = {}
    for one in incidents:
        key = (one.kind, one.kiosk, one.stream, one.epoch, str(one.sequence))
        row = merged.setdefault(
            key,
            {
                "kind": str(one.kind),
                "kiosk": one.kiosk,
                "stream": one.stream,
                "epoch": one.epoch,
                "sequence": one.sequence,
                "detail": one.detail,
                "count": 0,
                "first_seen": now,
                "last_seen": now,
            },
        )
        row["count"] = int(str(row["count"])) + one.count
    if not merged:
        return
    statement = database.insert(connection, incident)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "kiosk", "stream", "epoch", "sequence"],
            set_={
                "detail": statement.excluded.detail,
                "count": incident.c.count + statement.excluded.count,
                "last_seen": statement.excluded.last_seen,
                "closed_at": None,
            },
        ),
        [merged[key] for key in sorted(merged)],
    )


def close(connection: Connection, ids: Iterable[int], now: str) -> None:
    """Mark incidents as over."""
    chosen = list(ids)
    if chosen:
        connection.execute(update(incident).where(incident.c.id.in_(chosen)).values(closed_at=now))


def settle(engine: Engine, kiosk: str, kind: Kind, now: str) -> int:
    """Close what is open of one kind at one kiosk, since somebody has looked; return how many there were.

    What comes again opens it again.
    """
    chosen = (incident.c.kiosk == kiosk) & (incident.c.kind == kind) & incident.c.closed_at.is_(None)
    with database.writing(engine) as connection:
        return connection.execute(update(incident).where(chosen).values(closed_at=now)).rowcount
