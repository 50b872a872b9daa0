"""The SQL of epochs: lock them, load what an arrival touches, write what changed.

Owns the statements on `branch` and `record`; which record stands where is decided in `central.chain`, and what else
goes into the same transaction in `central.store`. Always true: nothing moves in an epoch whose trunk row is not locked
by this transaction (on SQLite the whole file is).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, bindparam, insert, or_, select, tuple_, update

from central import database
from central.chain import TRUNK, End, Entry, Epoch, Standing
from central.tables import branch, record
from central.verify import Checked
from edge.wire.record import EPOCH, TOMBSTONE

WAITING_CHUNK = 1000  # waiting records that are looked at together


class EpochKey(NamedTuple):
    """One epoch of one stream of one kiosk."""

    kiosk: str
    stream: str
    epoch: str


# Statements are built once: building one takes SQLAlchemy longer than running it.
_KEYS = bindparam("keys", expanding=True)
_branch_key = tuple_(branch.c.kiosk, branch.c.stream, branch.c.epoch)
_SELECT_ENDS = select(
    branch.c.kiosk,
    branch.c.stream,
    branch.c.epoch,
    branch.c.branch,
    branch.c.root_sequence,
    branch.c.held_up_to,
    branch.c.hash_at,
).where(_branch_key.in_(_KEYS))
_SELECT_UNFOUNDED = select(branch.c.kiosk, branch.c.stream, branch.c.epoch).where(
    branch.c.branch == TRUNK,
    branch.c.root_sequence == 0,
    tuple_(branch.c.kiosk, branch.c.stream).in_(bindparam("streams", expanding=True)),
)
_AT_PLACE = [record.c[name] == bindparam(f"at_{name}") for name in ("kiosk", "stream", "epoch", "sequence", "hash")]
_UPDATE_RECORD = update(record).where(*_AT_PLACE)
_INSERT_RECORD = insert(record)
_entry_columns = (
    record.c.kiosk,
    record.c.stream,
    record.c.epoch,
    record.c.sequence,
    record.c.hash,
    record.c.prev,
    record.c.type,
    record.c.state,
    record.c.branch,
)


def lock(connection: Connection, keys: Iterable[EpochKey], now: str) -> dict[EpochKey, dict[int, End]]:
    """Lock epochs, in one order for all collectors, and return their branches; an unknown epoch begins unfounded."""
    wanted = sorted(set(keys))
    if connection.dialect.name == "sqlite":  # the transaction has locked the file
        ends = ends_of(connection, wanted)
        missing = [key for key in wanted if TRUNK not in ends[key]]
        if not missing:
            return ends
    else:
        missing = sorted(set(wanted) - _lock_trunks(connection, wanted))
    if missing:
        rows = [
            {**key._asdict(), "branch": TRUNK, "root_sequence": 0, "held_up_to": 0, "hash_at": "", "updated_at": now}
            for key in missing
        ]
        connection.execute(database.insert(connection, branch).on_conflict_do_nothing(), rows)
        _lock_trunks(connection, missing)  # of those that another collector began in the meantime
    return ends_of(connection, wanted)


def _lock_trunks(connection: Connection, keys: Sequence[EpochKey]) -> set[EpochKey]:
    locked: set[EpochKey] = set()
    columns = (branch.c.kiosk, branch.c.stream, branch.c.epoch)
    trunks = select(*columns).where(branch.c.branch == TRUNK, _branch_key.in_(_KEYS)).order_by(*columns)
    for some in database.pieces(keys):
        found = connection.execute(trunks.with_for_update(), {"keys": some})
        locked.update(EpochKey(*row) for row in found)
    return locked


def ends_of(connection: Connection, keys: Sequence[EpochKey]) -> dict[EpochKey, dict[int, End]]:
    """Return the branches of epochs, without locking anything."""
    found: dict[EpochKey, dict[int, End]] = {key: {} for key in keys}
    for some in database.pieces(keys):
        for kiosk, stream, epoch, number, root, held_up_to, hash_at in connection.execute(_SELECT_ENDS, {"keys": some}):
            found[EpochKey(kiosk, stream, epoch)][number] = End(root, held_up_to, hash_at)
    return found


def neighbours(connection: Connection, sequences: Mapping[EpochKey, Iterable[int]]) -> Iterator[tuple[EpochKey, Entry]]:
    """Give every stored record at the given sequences, one below them and one above."""
    ranges = [(*key, *found) for key, wanted in sequences.items() for found in _ranges(wanted)]
    names = ("kiosk", "stream", "epoch", "low", "high")
    for some in database.pieces(ranges):
        terms = 1 << (len(some) - 1).bit_length()  # few different statements: what is left over repeats the first range
        padded = [*some, *[some[0]] * (terms - len(some))]
        values = {f"{name}{n}": part for n, parts in enumerate(padded) for name, part in zip(names, parts, strict=True)}
        yield from _entries(connection, _in_ranges(terms), values)


@cache
def _in_ranges(terms: int) -> Select:
    """Return the statement that loads so many ranges of sequences."""
    return select(*_entry_columns).where(
        or_(
            *(
                and_(
                    record.c.kiosk == bindparam(f"kiosk{n}"),
                    record.c.stream == bindparam(f"stream{n}"),
                    record.c.epoch == bindparam(f"epoch{n}"),
                    record.c.sequence.between(bindparam(f"low{n}"), bindparam(f"high{n}")),
                )
                for n in range(terms)
            )
        )
    )


def _ranges(sequences: Iterable[int]) -> list[tuple[int, int]]:
    """Return the fewest ranges that hold each sequence and its two neighbours, and hardly anything else."""
    found: list[tuple[int, int]] = []
    for sequence in sorted(sequences):
        if found and sequence - 1 <= found[-1][1] + 1:
            found[-1] = (found[-1][0], sequence + 1)
        else:
            found.append((sequence - 1, sequence + 1))
    return found


def pick_up_waiting(connection: Connection, key: EpochKey, epoch: Epoch, lowest: int) -> None:
    """Settle the stored records that wait from `lowest` on, as far as they now have a predecessor."""
    while True:
        query = (
            select(*_entry_columns)
            .where(
                record.c.kiosk == key.kiosk,
                record.c.stream == key.stream,
                record.c.epoch == key.epoch,
                record.c.branch.is_(None),
                record.c.sequence >= lowest,
            )
            .order_by(record.c.sequence, record.c.hash)
            .limit(WAITING_CHUNK)
        )
        found = [entry for _, entry in _entries(connection, query)]
        fresh = [entry for entry in found if epoch.remember(entry)]
        epoch.settle()
        if len(found) < WAITING_CHUNK or not any(entry.branch is not None for entry in fresh):
            return
        lowest = found[-1].sequence


def stands_elsewhere(connection: Connection, key: EpochKey, sequence: int, hash: str) -> bool:
    """Tell whether another epoch of the same stream holds this record; any record there if `hash` is empty."""
    query = select(record.c.epoch).where(
        record.c.kiosk == key.kiosk,
        record.c.stream == key.stream,
        record.c.epoch != key.epoch,
        record.c.sequence == sequence,
        record.c.branch.is_not(None),
    )
    if hash:
        query = query.where(record.c.hash == hash)
    return connection.execute(query.limit(1)).first() is not None


def unfounded(connection: Connection, keys: Iterable[EpochKey]) -> list[EpochKey]:
    """Return the epochs without a first record that belong to the same streams as these."""
    found: list[EpochKey] = []
    for some in database.pieces(sorted({key[:2] for key in keys})):
        found += [EpochKey(*row) for row in connection.execute(_SELECT_UNFOUNDED, {"streams": some})]
    return found


def write(connection: Connection, epochs: Mapping[EpochKey, Epoch], now: str) -> None:
    """Write every record and every branch that changed."""
    new, better, moved, ends = [], [], [], []
    for key, epoch in epochs.items():
        for entry in epoch.entries:
            if not entry.is_changed:
                continue
            if entry.stored_hash is None:
                new.append({**key._asdict(), "sequence": entry.sequence, **_row(entry, now)})
                continue
            place = {**{f"at_{name}": part for name, part in key._asdict().items()}, "at_sequence": entry.sequence}
            place["at_hash"] = entry.stored_hash
            if entry.content is not None:
                better.append(place | _row(entry, now))
            else:
                moved.append(place | {"hash": entry.hash, "branch": entry.branch, "state": entry.standing.state})
        ends += [
            {**key._asdict(), "branch": number, **epoch.ends[number]._asdict(), "updated_at": now}
            for number in sorted(epoch.moved)
        ]
    if new:
        connection.execute(_INSERT_RECORD, new)
    for changed in (better, moved):
        if changed:
            connection.execute(_UPDATE_RECORD, changed)
    if ends:
        connection.execute(database.upsert(connection, branch), ends)


def _row(entry: Entry, now: str) -> dict[str, Any]:
    checked: Checked = entry.content
    return {
        "hash": entry.hash,
        "prev": checked.claims.prev,
        "type": checked.claims.type,
        "id": checked.record.id,
        "time": checked.record.time,
        "received_at": now,
        "state": entry.standing.state,
        "branch": entry.branch,
        "reason": checked.reason,
        "envelope": checked.record.signature,
        "letter": checked.record.data if entry.standing is Standing.QUARANTINE else None,
        "plaintext": checked.plaintext,
    }


def _entries(
    connection: Connection, query: Select, values: dict[str, Any] | None = None
) -> Iterator[tuple[EpochKey, Entry]]:
    for kiosk, stream, epoch, sequence, hash, prev, type, state, number in connection.execute(query, values):
        standing, opens = Standing[state.upper()], type in (EPOCH, TOMBSTONE)
        yield (
            EpochKey(kiosk, stream, epoch),
            Entry(sequence, hash, prev, standing, opens=opens, branch=number, stored_hash=hash),
        )
