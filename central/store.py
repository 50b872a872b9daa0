"""Put checked records into the database, and move the prefixes: one transaction for everything that is at hand.

Owns what goes into that transaction: records and branches (through `central.shelf`), the count of crossings, the starts
of epochs, what was set aside, and the incidents. Always true: when `take` returns, everything it speaks of is
committed; the number of statements grows with the number of holes, not with the number of records.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select, tuple_, update

from central import database, generations, incidents, machine_events, shelf, succession
from central.admission import Admission
from central.chain import Arrival, Entry, Epoch, Standing
from central.generations import Generations
from central.incidents import Incident, Kind
from central.shelf import EpochKey
from central.succession import Start
from central.tables import crossing, incident, rejected
from central.verify import Checked, CrossingHead, Rejected
from edge.errors import ContractError
from edge.wire.crossing import EpochStart
from edge.wire.record import EPOCH, TOMBSTONE
from edge.wire.topics import parse_topic

_PRINTABLE = re.compile(r"[ -~]{1,128}")
_INSERT_CROSSING = insert(crossing)


@dataclass(frozen=True, slots=True)
class Held:
    """What a receipt says: one branch of an epoch, held up to here."""

    key: EpochKey
    held_up_to: int
    hash_at: str
    is_forked: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch; everything in it is committed."""

    held: tuple[Held, ...]
    generations: Generations
    arrivals: Counter[Arrival]
    noticed: tuple[Incident, ...] = ()


class Store:
    """The centre's records. `rejected_keep` is how many refused messages are kept, the others bound what one kiosk may
    begin: epochs of one stream, and branches of one epoch.
    """

    def __init__(
        self, engine: Engine, *, rejected_keep: int = 1000, most_epochs: int = 1000, most_branches: int = 100
    ) -> None:
        self.engine = engine
        self._admission = Admission(most_epochs, most_branches)
        self._rejected_keep = rejected_keep
        self._newest_generation = ""
        with database.writing(engine) as connection:
            self._newest_generation = generations.renew(connection)

    def take(self, checked: Sequence[Checked], refused: Sequence[Rejected], now: datetime) -> Taken:
        """Store a batch in one transaction and return the branches that have to be answered for."""
        at = database.rfc3339(now)
        with database.writing(self.engine) as connection:
            arrivals, epochs, beyond, unusual = self._arrive(connection, checked, at)
            for key, epoch in epochs.items():
                if (lowest := epoch.picked_up_from) is not None:
                    shelf.pick_up_waiting(connection, key, epoch, lowest)
            found_successors(connection, epochs, at)
            shelf.write(connection, epochs, at)
            _count_crossings(connection, epochs)
            written = [(key, entry.sequence, entry.hash, entry.content.letter) for key, entry in _written(epochs)]
            noticed = [*_noticed(epochs), *_starts(connection, epochs), *machine_events.take(connection, written)]
            noticed += [*unusual, *self._set_aside(connection, [*refused, *beyond], at)]
            incidents.report(connection, noticed, at)
            _close_repaired(connection, epochs, at)
            current = self._current_generations(connection, {key.kiosk for key in epochs})
        return Taken(_held(epochs), current, arrivals, tuple(noticed))

    def _arrive(
        self, connection: Connection, checked: Sequence[Checked], at: str
    ) -> tuple[Counter[Arrival], dict[EpochKey, Epoch], list[Rejected], list[Incident]]:
        """Lock the epochs of the records, see which records are new, and settle those; return what is too much too."""
        grouped: dict[EpochKey, list[Checked]] = defaultdict(list)
        for one in checked:
            grouped[EpochKey(one.claims.kiosk, one.claims.stream, one.claims.epoch)].append(one)
        by_epoch, beyond, unusual = self._admission.epochs(connection, grouped)
        ends = shelf.lock(connection, by_epoch, at)
        forked, noticed = self._admission.branches(ends, by_epoch)
        epochs = {key: Epoch(ends[key]) for key in by_epoch}
        sequences = {key: {one.claims.sequence for one in ones} for key, ones in by_epoch.items()}
        for key, entry in shelf.neighbours(connection, sequences):
            epochs[key].remember(entry)
        arrivals: Counter[Arrival] = Counter()
        for key, ones in by_epoch.items():
            arrivals.update(epochs[key].arrive(_entry(one)) for one in ones)
            epochs[key].settle()
        return arrivals, epochs, [*beyond, *forked], [*unusual, *noticed]

    def _current_generations(self, connection: Connection, kiosks: set[str]) -> Generations:
        """Return what to sign with: one older than was seen before says that the database was restored."""
        found = generations.read(connection, kiosks)
        if found.everybodys < self._newest_generation:
            found = Generations(generations.renew(connection))
        self._newest_generation = found.everybodys
        return found

    def ping(self) -> None:
        """Ask the database for a sign of life; raise SQLAlchemy's error when there is none."""
        with database.reading(self.engine) as connection:
            connection.scalar(select(1))

    def _set_aside(self, connection: Connection, refused: Sequence[Rejected], at: str) -> list[Incident]:
        if not refused:
            return []
        rows = [
            {"at": at, "topic": _cleaned(one.topic), "reason": one.reason, "payload": one.payload}
            for one in refused[-self._rejected_keep :]
        ]
        connection.execute(insert(rejected), rows)
        last = select(func.max(rejected.c.id)).scalar_subquery()
        connection.execute(delete(rejected).where(rejected.c.id <= last - self._rejected_keep))
        return [Incident(Kind.REJECTED, _kiosk_of(one.topic), detail=one.reason) for one in refused]


def _entry(one: Checked) -> Entry:
    claims = one.claims
    opens = claims.type in (EPOCH, TOMBSTONE)
    founds = not claims.prev and (claims.type == EPOCH or (claims.type == TOMBSTONE and claims.sequence == 1))
    return Entry(claims.sequence, one.hash, claims.prev, one.standing, opens=opens, founds=founds, content=one)


def found_successors(connection: Connection, epochs: dict[EpochKey, Epoch], at: str) -> None:
    """Found the epochs whose first record follows one that stands in another epoch, until nothing moves any more.

    Epochs that waited for a record which came just now are locked and added to `epochs`. A tombstone founds an epoch
    too: it replaces the epoch record. One that does not know the record before it was released with its epoch's
    beginning, before the centre lost both; it follows whatever stands there.
    """
    looked_behind: set[EpochKey] = set()
    while True:
        for key, epoch in epochs.items():
            if not epoch.is_founded:
                shelf.pick_up_waiting(connection, key, epoch, lowest=0)
                _found(connection, epochs, key)
        grown = {key for key, epoch in epochs.items() if epoch.moved} - looked_behind
        if not grown:
            return
        looked_behind |= grown
        waiting = [key for key in shelf.unfounded(connection, grown) if key not in epochs]
        epochs.update((key, Epoch(ends)) for key, ends in shelf.lock(connection, waiting, at).items())


def _found(connection: Connection, epochs: dict[EpochKey, Epoch], key: EpochKey) -> None:
    epoch = epochs[key]
    for entry in epoch.entries:
        if entry.branch is not None or not entry.opens or not (entry.prev or entry.standing <= Standing.TOMBSTONE):
            continue
        place = (entry.sequence - 1, entry.prev)
        others = (other for its_key, other in epochs.items() if its_key[:2] == key[:2] and its_key != key)
        if any(other.stands(*place) for other in others) or shelf.stands_elsewhere(connection, key, *place):
            entry.founds = True
            epoch.settle()
            shelf.pick_up_waiting(connection, key, epoch, lowest=entry.sequence)
            return


def _count_crossings(connection: Connection, epochs: dict[EpochKey, Epoch]) -> None:
    rows = []
    for key, entry in _written(epochs):
        letter = entry.content.letter
        if isinstance(letter, CrossingHead):
            rows.append(
                {
                    **key._asdict(),
                    "sequence": entry.sequence,
                    "hash": entry.hash,
                    "id": letter.id,
                    "at": letter.at,
                    "direction": letter.direction,
                    "result": letter.outcome.result,
                    "training": letter.training,
                }
            )
    if rows:
        connection.execute(_INSERT_CROSSING, rows)


def _written(epochs: dict[EpochKey, Epoch]) -> Iterable[tuple[EpochKey, Entry]]:
    """Give every record that was written with its content: new ones, and better copies."""
    for key, epoch in epochs.items():
        for entry in epoch.entries:
            if entry.is_changed and entry.content is not None:
                yield key, entry


def _noticed(epochs: dict[EpochKey, Epoch]) -> Iterable[Incident]:
    for key, epoch in epochs.items():
        if epoch.forked_records:
            yield Incident(Kind.FORK, *key, detail=f"{len(epoch.ends)} branches", count=epoch.forked_records)
    for key, entry in _written(epochs):
        if entry.standing <= Standing.TOMBSTONE:
            yield Incident(Kind.TOMBSTONE, *key, entry.sequence, detail=_cleaned(entry.content.claims.reason))
        elif entry.standing is Standing.QUARANTINE:
            yield Incident(Kind.QUARANTINE, *key, entry.sequence, detail=entry.content.reason)


def _starts(connection: Connection, epochs: dict[EpochKey, Epoch]) -> list[Incident]:
    starts = [
        Start(key, entry.sequence, entry.hash, entry.content.letter)
        for key, entry in _written(epochs)
        if isinstance(entry.content.letter, EpochStart)
    ]
    return succession.compare(connection, starts, [key for key, epoch in epochs.items() if epoch.moved])


def _close_repaired(connection: Connection, epochs: dict[EpochKey, Epoch], at: str) -> None:
    """Close what was reported of a tombstone or a quarantined record whose readable copy came after all."""
    repaired = [
        (*key, entry.sequence)
        for key, entry in _written(epochs)
        if entry.stored_hash is not None and entry.standing is Standing.OPENED
    ]
    where = tuple_(incident.c.kiosk, incident.c.stream, incident.c.epoch, incident.c.sequence)
    for some in database.pieces(repaired):
        kinds = incident.c.kind.in_([Kind.TOMBSTONE, Kind.QUARANTINE])
        connection.execute(update(incident).where(kinds, where.in_(some)).values(closed_at=at))


def _held(epochs: dict[EpochKey, Epoch]) -> tuple[Held, ...]:
    return tuple(
        Held(key, epoch.ends[number].held_up_to, epoch.ends[number].hash_at, epoch.is_forked)
        for key, epoch in epochs.items()
        for number in sorted(epoch.asked)
    )


def _kiosk_of(topic: str) -> str:
    try:
        return parse_topic(topic).kiosk
    except ContractError:
        return ""


def _cleaned(text: str) -> str:
    """Return text that both databases can hold and a terminal can show."""
    return text if _PRINTABLE.fullmatch(text) else ""
