"""Letters that were set aside sealed because no key of the centre opened them, tried again with the keys of today.

Owns which records these are, and how they are taken once more. They are held already and have their receipt: the kiosk
may have let go of them. Always true: one goes the very way of a record that arrives (`Examiner`, then `Store.take`), so
its signature, its chain and what was signed are checked again, and what it tells is counted once however often this
runs; a letter that does not open stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, select, tuple_

from central import database, registry
from central.chain import Arrival, Standing
from central.database import CHUNK, pieces
from central.incidents import Kind
from central.store import Store
from central.tables import incident, record
from central.verify import Checked, Examiner
from edge.errors import SealError
from edge.seal import Opener, Verifier, unverified_header
from edge.wire.record import LETTER_CONTENT_TYPE, Record, encode_batch
from edge.wire.topics import Topic, stream_topic

Place = tuple[str, str, str, int, str]  # kiosk, stream, epoch, sequence and hash of a record
Progress = Callable[[int, int], None]

_COLUMNS = (record.c.kiosk, record.c.stream, record.c.epoch, record.c.sequence, record.c.hash)
_place = tuple_(*_COLUMNS)
_SEALED = (record.c.state == Standing.QUARANTINE.state) & record.c.letter.is_not(None)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Letters of one kiosk that were set aside for the same reason; `kid` names the key that they are sealed to."""

    kiosk: str
    reason: str
    kid: str
    count: int
    first: str  # when the first of them came
    last: str


@dataclass(slots=True)
class Retried:
    """What came of a try: how many are open now, and why the others are not."""

    opened: int = 0
    left: Counter[str] = field(default_factory=Counter)


def sealed_letters(engine: Engine) -> list[Sealed]:
    """Return what is set aside sealed, by kiosk, reason and key."""
    columns = (record.c.kiosk, record.c.reason, record.c.received_at, record.c.letter)
    found: dict[tuple[str, str, str], list[str]] = {}
    with database.reading(engine) as connection:
        for some in pieces(_places(connection), CHUNK):
            for kiosk, reason, at, letter in connection.execute(select(*columns).where(_place.in_(some))):
                found.setdefault((kiosk, reason, _kid(letter)), []).append(at)
    return [Sealed(*key, len(times), min(times), max(times)) for key, times in sorted(found.items())]


def retry(engine: Engine, opener: Opener, open_store: Callable[[], Store], now: datetime, show: Progress) -> Retried:
    """Try every letter that is set aside with the keys of `opener`, and store what opens.

    `open_store` is called when there is something to store; `show(done, total)` is told letters. What was committed
    when this is interrupted stays open, and the next try goes on with the rest.
    """
    with database.reading(engine) as connection:
        places = _places(connection)
    retried, store = Retried(), None
    for number, some in enumerate(pieces(places, CHUNK)):
        opened = []
        for one in _examined(engine, opener, some):
            if isinstance(one, str):
                retried.left[one] += 1
            else:
                opened.append(one)
        if opened:
            store = store or open_store()
            arrivals = store.take(opened, [], now).arrivals
            retried.opened += arrivals[Arrival.BETTER]
        show(min(len(places), (number + 1) * CHUNK), len(places))
    return retried


def _places(connection: Connection) -> list[Place]:
    """Return the records whose letter is set aside, oldest position first; each of them was an incident once."""
    same = [incident.c[name] == record.c[name] for name in ("kiosk", "stream", "epoch", "sequence")]
    of_incidents = select(*_COLUMNS).join(incident, same[0] & same[1] & same[2] & same[3])
    query = of_incidents.where(incident.c.kind == Kind.QUARANTINE, _SEALED).order_by(*_COLUMNS)
    return [tuple(row) for row in connection.execute(query)]


def _examined(engine: Engine, opener: Opener, places: Sequence[Place]) -> Iterator[Checked | str]:
    """Yield each record as if it had just arrived, or the reason for which it still cannot be read."""
    with database.reading(engine) as connection:
        rows = connection.execute(select(record).where(_place.in_(places), _SEALED)).all()
        verifiers: dict[str, Verifier] = {}
        for kiosk in {row.kiosk for row in rows}:
            # What a kiosk signed before its key was revoked is its word still.
            verifiers[kiosk] = registry.every_key_of(connection, kiosk)
    examiner = Examiner(verifiers.get, opener)
    for row in rows:
        event = Record(
            specversion="1.0",
            id=row.id,
            source=f"/{row.kiosk}",
            type=row.type,
            time=row.time,
            sequence=str(row.sequence),
            datacontenttype=LETTER_CONTENT_TYPE,
            signature=row.envelope,
            data=row.letter,
        )
        topic, name = Topic(row.kiosk, "stream", row.stream), stream_topic(row.kiosk, row.stream)
        good, bad = examiner.examine(topic, name, encode_batch([event.encode()]))
        yield from (one if one.standing is Standing.OPENED else one.reason for one in good)
        yield from (one.reason for one in bad)


def _kid(letter: str) -> str:
    try:
        return str(unverified_header(letter).get("kid", ""))
    except SealError:
        return ""
