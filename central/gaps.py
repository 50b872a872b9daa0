"""Holes in streams, and what to ask the kiosks for.

Owns when a hole becomes an incident, how often its kiosk is asked, and how a restored database is noticed. Always true:
of several collectors one asks, since the epoch's row is locked while it is decided; a hole that was filled is closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, Engine, func, or_, select

from central import database, generations, incidents, shelf
from central.chain import TRUNK, End, Epoch, highest
from central.incidents import Incident, Kind
from central.shelf import EpochKey
from central.store import found_successors
from central.tables import branch, incident, record
from edge.wire.messages import Status

LONGEST_PAUSE_S = 300.0
MOST_CLAIMS = 64  # of one kiosk that are open; a kiosk has three streams, and few epochs in them
MOST_LOOKED_AT = 16  # epochs of one kiosk in one sweep; who has more of them wants nothing good, and waits its turn
ASKED_NEARBY = 3  # times, before a kiosk is asked for its whole store
_WANTING = (Kind.GAP, Kind.CENTRE_RESTORED)


@dataclass(frozen=True, slots=True)
class Ask:
    """A kiosk is to send one epoch of a stream again, from here on."""

    key: EpochKey
    from_sequence: int
    generation: str


def sweep(engine: Engine, now: datetime, *, patience_s: float) -> list[Ask]:
    """Report holes older than `patience_s`, close those that were filled, and return what has to be asked for now."""
    before = database.rfc3339(now - timedelta(seconds=patience_s))
    with database.reading(engine) as connection:
        wanting = {*_overdue(connection, before), *(one.key for one in _open(connection))}
    keys = _in_turn(wanting, int(now.timestamp() // (patience_s / 2)))
    if not keys:
        return []
    at = database.rfc3339(now)
    with database.writing(engine) as connection:
        ends = shelf.lock(connection, keys, at)
        _found_late(connection, ends, at)
        recently = database.rfc3339(now - timedelta(seconds=2 * LONGEST_PAUSE_S))
        overdue, known = _overdue(connection, before), _known(connection, keys, recently)
        wanted: dict[EpochKey, tuple[Kind, int, int]] = {}  # the kind, its sequence, and from where to ask
        for key, lowest in overdue.items():
            if key not in ends:
                continue
            if TRUNK in ends[key] and ends[key][TRUNK].root_sequence:
                start = _missing_from(ends[key], lowest)
                wanted[key] = (Kind.GAP, start, start)
            else:
                wanted[key] = (Kind.GAP, lowest, _before_epoch(connection, key, lowest, known))
        for one in known:
            if one.kind == Kind.CENTRE_RESTORED and one.closed_at is None and highest(ends[one.key]) < one.sequence:
                wanted[one.key] = (Kind.CENTRE_RESTORED, one.sequence, highest(ends[one.key]) + 1)
        over = [
            one for one in known if one.closed_at is None and (one.kind, one.sequence) != wanted.get(one.key, ())[:2]
        ]
        incidents.close(connection, [one.id for one in over if highest(ends[one.key]) >= one.sequence], at)
        latest = {(one.key, one.kind, one.sequence): one for one in known}
        due = {
            key: what
            for key, what in wanted.items()
            if _is_due(latest.get((key, str(what[0]), what[1])), now, patience_s)
        }
        reports = [
            Incident(kind, *key, sequence, detail=f"asked from {start}") for key, (kind, sequence, start) in due.items()
        ]
        incidents.report(connection, reports, at)
        current = generations.read(connection, {key.kiosk for key in due})
    return [Ask(key, start, current.of(key.kiosk)) for key, (_, _, start) in due.items()]


def _in_turn(keys: Iterable[EpochKey], turn: int) -> list[EpochKey]:
    """Return at most `MOST_LOOKED_AT` epochs of each kiosk, in the next turn those that follow."""
    chosen = []
    for _, group in groupby(sorted(keys), key=attrgetter("kiosk")):
        of_kiosk = list(group)
        first = turn * MOST_LOOKED_AT % len(of_kiosk)
        chosen += (of_kiosk[first:] + of_kiosk[:first])[:MOST_LOOKED_AT]
    return sorted(chosen)


def compare_status(engine: Engine, status: Status, now: datetime) -> list[Ask]:
    """Notice that the database was restored under a running collector: a kiosk has receipts for more than it holds.

    Then the kiosk's own generation changes, once until everything is back, and its streams are asked for at once. It is
    the kiosk's word alone, so nothing of any other kiosk changes, and one that claims again and again is not heard.
    """
    heads = {EpochKey(status.kiosk, stream, head.epoch): head.held_up_to for stream, head in status.streams.items()}
    with database.reading(engine) as connection:
        ends = shelf.ends_of(connection, sorted(heads))
    lost = {key: told for key, told in heads.items() if highest(ends[key]) < told}
    if not lost:
        return []
    at = database.rfc3339(now)
    with database.writing(engine) as connection:
        if _claimed(connection, status.kiosk) + len(lost) > MOST_CLAIMS:
            return []
        ends = shelf.lock(connection, lost, at)
        lost = {key: told for key, told in lost.items() if highest(ends[key]) < told}
        if not lost:
            return []
        if _claimed(connection, status.kiosk) == 0:  # looked at again, since nobody else decides now
            generation = generations.renew_of(connection, status.kiosk)
        else:
            generation = generations.read(connection, [status.kiosk]).of(status.kiosk)
        reports = [
            Incident(Kind.CENTRE_RESTORED, *key, told, detail=f"held {highest(ends[key])}")
            for key, told in lost.items()
        ]
        incidents.report(connection, reports, at)
    return [Ask(key, highest(ends[key]) + 1, generation) for key in lost]


def _claimed(connection: Connection, kiosk: str) -> int:
    """Return how many epochs a kiosk has claimed receipts for, beyond what is held, that have not come since."""
    claims = (incident.c.kiosk == kiosk) & (incident.c.kind == Kind.CENTRE_RESTORED) & incident.c.closed_at.is_(None)
    return connection.scalar(select(func.count()).select_from(incident).where(claims)) or 0


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    kind: str
    key: EpochKey
    sequence: int
    count: int
    last_seen: str
    closed_at: str | None


def _overdue(connection: Connection, before: str) -> dict[EpochKey, int]:
    """Return the lowest waiting sequence of each epoch in which a record has been waiting for too long."""
    columns = (record.c.kiosk, record.c.stream, record.c.epoch)
    query = (
        select(*columns, func.min(record.c.sequence))
        .where(record.c.branch.is_(None))
        .group_by(*columns)
        .having(func.min(record.c.received_at) <= before)
    )
    return {EpochKey(kiosk, stream, epoch): lowest for kiosk, stream, epoch, lowest in connection.execute(query)}


def _open(connection: Connection) -> list[_Known]:
    return _incidents(connection, incident.c.closed_at.is_(None))


def _known(connection: Connection, keys: list[EpochKey], recently: str) -> list[_Known]:
    """Return the incidents of epochs that are open, or of which something was seen recently."""
    wanted = set(keys)
    kiosks = sorted({key.kiosk for key in keys})
    matters = or_(incident.c.closed_at.is_(None), incident.c.last_seen >= recently)
    found: list[_Known] = []
    for some in database.pieces(kiosks):
        chosen = _incidents(connection, incident.c.kiosk.in_(some) & matters)
        found += [one for one in chosen if one.key in wanted]
    return found


def _incidents(connection: Connection, chosen: object) -> list[_Known]:
    names = ("id", "kind", "kiosk", "stream", "epoch", "sequence", "count", "last_seen", "closed_at")
    query = select(*(incident.c[name] for name in names)).where(incident.c.kind.in_(_WANTING), chosen)  # type: ignore[arg-type]
    return [
        _Known(id, kind, EpochKey(kiosk, stream, epoch), *rest)
        for id, kind, kiosk, stream, epoch, *rest in connection.execute(query)
    ]


def _found_late(connection: Connection, ends: dict[EpochKey, dict[int, End]], at: str) -> None:
    """Try once more to found epochs: another collector may have stored the one before at the same moment."""
    waiting = {key: epoch for key, branches in ends.items() if not (epoch := Epoch(branches)).is_founded}
    found_successors(connection, waiting, at)
    ends.update((key, epoch.ends) for key, epoch in waiting.items() if epoch.is_founded)
    shelf.write(connection, waiting, at)


def _before_epoch(connection: Connection, key: EpochKey, lowest_waiting: int, known: list[_Known]) -> int:
    """Return from where to ask for an epoch without a first record that stands.

    That record may be missing, or the one before it in another epoch: what follows the highest that is held below. If
    asking for that did not help, the store was new and counts from 1.
    """
    asked = sum(one.count for one in known if one.key == key and one.closed_at is None)
    query = select(func.max(branch.c.held_up_to)).where(
        branch.c.kiosk == key.kiosk, branch.c.stream == key.stream, branch.c.held_up_to < lowest_waiting
    )
    return (connection.scalar(query) or 0) + 1 if asked < ASKED_NEARBY else 1


def _missing_from(branches: dict[int, End], lowest_waiting: int) -> int:
    """Return the lowest sequence that may be missing before the lowest record that waits."""
    trunk = branches.get(TRUNK, End(0, 0, ""))
    return trunk.held_up_to + 1 if lowest_waiting > trunk.held_up_to + 1 else lowest_waiting - 1


def _is_due(known: _Known | None, now: datetime, patience_s: float) -> bool:
    """Tell whether it is time to ask (again): the pause doubles with each time."""
    if known is None:
        return True
    pause_s = min(patience_s * 2 ** min(known.count, 16), LONGEST_PAUSE_S)
    return now >= database.moment(known.last_seen) + timedelta(seconds=pause_s)
