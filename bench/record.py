"""Crossings to disk, sealed, one at a time: `python -m bench record`.

A crossing counts when the recorder has said so to the lane: sealed, signed, committed and synced, the way between the
threads included. Beside it the same bytes in bare SQLite with the same guarantee, and in what a user would pick
instead; the contenders take turns, and a ratio is the median over the rounds. Without sealing: `python -m bench cache`.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from bench.cache import BareSqlite, LandfallCache, PersistQueue, TinyDbJson, measure, opened, write_bytes
from bench.post import PHOTO_BYTES, Desk, Keys, draft, make_recorder
from bench.row import LEAST_ROUNDS, Row
from edge.cache import CacheReader
from edge.events import CrossingDraft
from edge.wire.record import encode_batch
from tests.edge.cache.syncs import count_syncs

QUEUED = (0, 1_000, 10_000, 100_000)
A_ROUND = 25
SLOW_ROUND = 1  # TinyDB writes all of its records for one
GOAL = 0.6
SYNCS_BAR = 1.1  # one, and what checkpoints add


def run(quick: bool) -> list[Row]:
    """Measure rates at each length of the queue, then what one crossing costs the disk and the link."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row
            for queued in (QUEUED[:-1] if quick else QUEUED)
            for row in _rates(Path(folder), queued, rounds=LEAST_ROUNDS if quick else 20)
        ]
        for what, photo, crossings in (("a crossing alone", False, 500), ("a crossing with its photo", True, 100)):
            rows += _costs(Path(folder), what, photo=photo, crossings=crossings)
    return rows


def _rates(parent: Path, queued: int, *, rounds: int) -> list[Row]:
    keys = Keys()
    with ExitStack() as stack:
        desk = stack.enter_context(_desk_with(parent, keys, queued))
        travellers = (draft(ordinal) for ordinal in count(1))
        body = _sealed(parent, draft(1))[0]
        others = [stack.enter_context(opened(kind, parent)) for kind in (BareSqlite, PersistQueue, TinyDbJson)]
        for other in others:
            other.fill(queued, body)
        rates: dict[str, list[float]] = {}
        for _ in range(rounds):
            waiting = [next(travellers) for _ in range(A_ROUND)]  # the lane's own work is not the disk's
            found = {"sealed": measure(lambda _, waiting=waiting: desk.record(waiting.pop()), body, A_ROUND).per_second}
            for other in others:
                slow = isinstance(other, TinyDbJson)
                if not slow or len(rates.get(other.name, ())) < LEAST_ROUNDS:
                    found[other.name] = measure(other.put, body, SLOW_ROUND if slow else A_ROUND).per_second
            for name, rate in found.items():
                rates.setdefault(name, []).append(rate)
    ratio = statistics.median(a / b for a, b in zip(rates["sealed"], rates[BareSqlite.name], strict=True))
    added_s = statistics.median(1 / a - 1 / b for a, b in zip(rates["sealed"], rates[BareSqlite.name], strict=True))
    ours = statistics.median(rates["sealed"])
    at = f"{queued:,} queued"
    return [
        Row(
            f"recorded, beside {BareSqlite.name} with the same {len(body):,} bytes, {at}",
            ratio,
            "x",
            bar=GOAL,
            bar_is="least",
        ),
        Row(f"what sealing and the recorder add to the disk's commit, {at}", added_s * 1000, "ms"),
        *(
            Row(f"recorded, {at}", ours, "/s", beside=other.name, theirs=statistics.median(rates[other.name]))
            for other in others
        ),
    ]


@contextmanager
def _desk_with(parent: Path, keys: Keys, queued: int) -> Iterator[Desk]:
    """Open a recorder on a store that holds so many records already."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        store = LandfallCache(Path(folder))
        store.fill(queued, bytes(2000))
        store.close()
        with Desk(Path(folder) / "kiosk.db", keys) as desk:
            yield desk


def _sealed(parent: Path, crossing: CrossingDraft) -> list[bytes]:
    """Return the records of one crossing as they are stored: its own, and that of its photo if it has one."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        path = Path(folder) / "kiosk.db"
        with Desk(path, Keys()) as desk:
            desk.record(crossing)
        with CacheReader.open(path) as reader:
            streams = ("crossing", "evidence") if crossing.photo is not None else ("crossing",)
            return [reader.first_after(stream, 1, limit=1)[0].body for stream in streams]


def _costs(parent: Path, what: str, *, photo: bool, crossings: int) -> list[Row]:
    """Return syncs, bytes written and bytes to be sent of one crossing, over enough of them to meet checkpoints."""
    waiting = [draft(ordinal, photo=photo) for ordinal in range(1, crossings + 1)]
    keys, written = Keys(), []
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        path = Path(folder) / "kiosk.db"

        def record(number: int) -> None:
            """Do what the recorder's thread does, in this one: a tracer follows one thread."""
            recorder = make_recorder(path, keys, lambda event: None)
            for crossing in waiting[:number]:
                recorder.record(crossing)
            recorder.stop()
            recorder.run()

        record(1)
        syncs = count_syncs(lambda: record(crossings)) - count_syncs(lambda: record(0))
        for number in (0, crossings):
            before = write_bytes()
            record(number)
            written.append(write_bytes() - before)
    bodies = _sealed(parent, waiting[0])
    with opened(BareSqlite, parent) as bare:
        bare_written = sum(measure(bare.put, body, crossings).written_bytes for body in bodies)
    size = f", {PHOTO_BYTES // 1000} kB" if photo else ""
    payload = sum(len(encode_batch([body])) for body in bodies)
    return [
        Row(f"syncs of {what}{size}", syncs / crossings, "", bar=SYNCS_BAR),
        Row(
            f"written to disk for {what}{size}",
            (written[1] - written[0]) / crossings / 1024,
            "KiB",
            beside=f"{BareSqlite.name}, the same bytes",
            theirs=bare_written / 1024,
        ),
        Row(f"to be sent for {what}{size}, before MQTT and TLS", payload / 1024, "KiB"),
    ]
