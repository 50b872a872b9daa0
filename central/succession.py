"""What the first record of an epoch says of the epoch before it, against what is held of that one.

Owns `epoch_start`. Always true: it does not matter which of the two epochs arrives first; the comparison is made when
either of them moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, tuple_

from central import database, shelf
from central.chain import Succession, judge_succession
from central.incidents import Incident, Kind
from central.shelf import EpochKey
from central.tables import branch, epoch_start, record
from edge.wire.crossing import EpochStart

_DETAILS = {
    Kind.ROLLED_BACK: "more is held of the epoch before than its successor says",
    Kind.CUT_TAIL: "another record is held where the epoch before is said to have ended",
}


_KEYS = bindparam("keys", expanding=True)
_SELECT_STARTS = select(
    *(
        epoch_start.c[name]
        for name in ("kiosk", "stream", "epoch", "previous_epoch", "last_sequence", "last_hash", "reason")
    )
)
_SELECT_BY_EPOCH = _SELECT_STARTS.where(
    tuple_(epoch_start.c.kiosk, epoch_start.c.stream, epoch_start.c.epoch).in_(_KEYS)
)
_SELECT_BY_PREVIOUS = _SELECT_STARTS.where(
    tuple_(epoch_start.c.kiosk, epoch_start.c.stream, epoch_start.c.previous_epoch).in_(_KEYS)
)


class Start(NamedTuple):
    """A first record that has just been stored."""

    key: EpochKey
    sequence: int
    hash: str
    letter: EpochStart


def compare(connection: Connection, starts: Sequence[Start], moved: Sequence[EpochKey]) -> list[Incident]:
    """Write down new starts, and return what is wrong with them or with an older start whose epoch before moved."""
    found = [
        Incident(Kind.NEW_EPOCH, *start.key, start.sequence, detail=start.letter.reason)
        for start in starts
        if start.letter.reason != "new_store" or _has_other_epochs(connection, start.key)
    ]
    if starts:
        rows = [
            {
                **start.key._asdict(),
                "hash": start.hash,
                "previous_epoch": start.letter.previous_epoch,
                "last_sequence": start.letter.last_sequence,
                "last_hash": start.letter.last_hash,
                "reason": start.letter.reason,
            }
            for start in starts
        ]
        connection.execute(database.insert(connection, epoch_start).on_conflict_do_nothing(), rows)
    for key, said in _affected(connection, {start.key for start in starts}, moved):
        kind = judge_succession(
            said, *_what_is_held(connection, EpochKey(key.kiosk, key.stream, said.previous_epoch), said)
        )
        if kind:
            found.append(Incident(Kind(kind), *key, detail=_DETAILS[Kind(kind)]))
    return found


def _has_other_epochs(connection: Connection, key: EpochKey) -> bool:
    query = select(branch.c.epoch).where(
        branch.c.kiosk == key.kiosk,
        branch.c.stream == key.stream,
        branch.c.epoch != key.epoch,
        branch.c.root_sequence > 0,
    )
    return connection.execute(query.limit(1)).first() is not None


def _affected(
    connection: Connection, new: set[EpochKey], moved: Sequence[EpochKey]
) -> list[tuple[EpochKey, Succession]]:
    """Return the starts that are new, and those whose epoch before is among the ones that moved."""
    found = []
    for query, keys in ((_SELECT_BY_EPOCH, sorted(new)), (_SELECT_BY_PREVIOUS, sorted(moved))):
        for some in database.pieces(keys):
            for kiosk, stream, epoch, *said in connection.execute(query, {"keys": some}):
                found.append((EpochKey(kiosk, stream, epoch), Succession(*said)))
    return found


def _what_is_held(connection: Connection, before: EpochKey, said: Succession) -> tuple[list, list[str]]:  # type: ignore[type-arg]
    ends = shelf.ends_of(connection, [before])[before].values()
    hashes = select(record.c.hash).where(
        record.c.kiosk == before.kiosk,
        record.c.stream == before.stream,
        record.c.epoch == before.epoch,
        record.c.sequence == said.last_sequence,
        record.c.branch.is_not(None),
    )
    return list(ends), list(connection.scalars(hashes))
