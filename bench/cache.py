"""What the local cache costs, beside what a user would pick instead. Ratios are within one run on one disk.

    python -m bench.cache [--quick] [--folder DIR]

Each rate is of records that are on disk when the call returns, one at a time. Rounds of the candidates take turns, so a
busy moment of the machine meets them all, and the median of the rounds counts (so the checkpoints of SQLite, one in
many rounds, do not). A fast disk flatters whoever writes much: the bytes written for one record stand beside each rate.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import astuple

from bench.row import Row
from edge.cache import Cache, CacheReader, StoredRecord

EPOCH = "bench"
BODY_BYTES = 2200  # a sealed crossing
QUEUED = (0, 1_000, 10_000)
FILL_AT_ONCE = 1_000
RECORDS_A_ROUND = 25
GROWTH_GOAL = 1.2
TINYDB_ROUNDS = 5  # it takes seconds for a few records


class Rate(NamedTuple):
    """Records a second, and the bytes that the kernel was given to write for one of them."""

    per_second: float
    written_bytes: float


def stored(sequence: int, body: bytes) -> StoredRecord:
    """Return a record as the seal would make it, in size."""
    return StoredRecord(
        stream="crossing",
        epoch=EPOCH,
        sequence=sequence,
        id=f"0190f2c5-7d5e-7a3b-8c1d-{sequence:012d}",
        type="org.landfall.crossing.v1",
        time="2026-01-01T00:00:00Z",
        direction="entry",
        outcome="passed",
        training=False,
        hash=f"{sequence:064x}",
        body=body,
    )


class LandfallCache:
    """The cache of this project."""

    name = "Landfall cache"

    def __init__(self, folder: Path) -> None:
        self._cache = Cache.open(folder / "kiosk.db")
        if not self._cache.heads():
            self._cache.begin_epoch(EPOCH, "2026-01-01T00:00:00Z", "bench", [stored(1, b"{}")])

    def put(self, body: bytes) -> None:
        self._cache.append([stored(self._cache.head("crossing").next_sequence, body)])

    def fill(self, count: int, body: bytes) -> None:
        first = self._cache.head("crossing").next_sequence
        for start in range(first, first + count, FILL_AT_ONCE):
            self._cache.append([stored(n, body) for n in range(start, min(start + FILL_AT_ONCE, first + count))])
            self._cache.checkpoint()

    def close(self) -> None:
        self._cache.close()


class BareSqlite:
    """The least that SQLite can do for the same guarantee: one table with the same values, WAL and FULL."""

    name = "bare SQLite FULL"

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE record (n INTEGER PRIMARY KEY, a, b, c, d, e, f, g, body)")
        self._last = 0

    def put(self, body: bytes) -> None:
        self._last += 1
        self._connection.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", self._row(body))

    def fill(self, count: int, body: bytes) -> None:
        self._connection.execute("BEGIN")
        for _ in range(count):
            self.put(body)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()

    def _row(self, body: bytes) -> tuple:
        return astuple(stored(self._last, body))[2:]


class TinyDbJson:
    """TinyDB as it comes."""

    name = "TinyDB JSONStorage"

    def __init__(self, folder: Path) -> None:
        from tinydb import TinyDB

        self._db = TinyDB(folder / "tiny.json")

    def put(self, body: bytes) -> None:
        self._db.insert({"record": body.decode()})

    def fill(self, count: int, body: bytes) -> None:
        self._db.insert_multiple([{"record": body.decode()}] * count)

    def close(self) -> None:
        self._db.close()


class PersistQueue:
    """persist-queue's SQLiteAckQueue, which commits each put."""

    name = "persist-queue SQLiteAckQueue"

    def __init__(self, folder: Path) -> None:
        from persistqueue import SQLiteAckQueue

        self._queue = SQLiteAckQueue(str(folder), auto_commit=True)

    def put(self, body: bytes) -> None:
        self._queue.put(body)

    def fill(self, count: int, body: bytes) -> None:
        for _ in range(count):
            self._queue.put(body)

    def close(self) -> None:
        self._queue.close()


CANDIDATES = (BareSqlite, LandfallCache, PersistQueue, TinyDbJson)


@contextmanager
def opened(candidate: Callable, parent: Path) -> Iterator:
    """Open a candidate in a folder of its own."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        store = candidate(Path(folder))
        try:
            yield store
        finally:
            store.close()


def measure(put: Callable[[bytes], None], body: bytes, records: int) -> Rate:
    """Put records one at a time."""
    written = write_bytes()
    begin = time.perf_counter()
    for _ in range(records):
        put(body)
    return Rate(records / (time.perf_counter() - begin), (write_bytes() - written) / records)


def write_bytes() -> int:
    """Return how many bytes this process has asked the kernel to write (wchar of proc_pid_io(5))."""
    for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])
    raise RuntimeError("/proc/self/io has no wchar")


def compare(parent: Path, *, queued: int, rounds: int) -> dict[str, Rate]:
    """Return the median rate of every candidate with so many records in it already."""
    body = bytes(ord("a") + n % 26 for n in range(BODY_BYTES))
    rates: dict[str, list[Rate]] = {candidate.name: [] for candidate in CANDIDATES}
    with ExitStack() as stack:
        stores = [stack.enter_context(opened(candidate, parent)) for candidate in CANDIDATES]
        for store in stores:
            store.fill(queued, body)
        for n in range(rounds):
            for store in stores:
                if not isinstance(store, TinyDbJson):
                    rates[store.name].append(measure(store.put, body, RECORDS_A_ROUND))
                elif n < TINYDB_ROUNDS:
                    rates[store.name].append(measure(store.put, body, 2))
    return {
        name: Rate(*(statistics.median(column) for column in zip(*found, strict=True))) for name, found in rates.items()
    }


def cost_at(parent: Path, counts: tuple[int, int], *, rounds: int) -> dict[int, dict[str, float]]:
    """Return microseconds of each operation with few and with many records queued; the rounds take turns."""
    body = b"a" * BODY_BYTES
    times: dict[int, dict[str, list[float]]] = {count: {} for count in counts}
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        stores = {}
        for count in counts:
            (place := Path(folder) / str(count)).mkdir()
            store = LandfallCache(place)
            store.fill(count, body)
            stores[count] = (store, CacheReader.open(place / "kiosk.db"))
        for n in range(rounds):
            for count, (store, reader) in stores.items():
                middle = count // 2 + n % 7
                for name, work in (
                    ("append", lambda store=store: store.put(body)),
                    ("len", lambda reader=reader: len(reader.table("crossing"))),
                    ("get by id", lambda reader=reader, at=middle: reader.table("crossing").get(doc_id=at)),
                    ("first 10 after", lambda reader=reader, at=middle: reader.first_after("crossing", at, limit=10)),
                ):
                    begin = time.perf_counter()
                    for _ in range(20):
                        work()
                    times[count].setdefault(name, []).append((time.perf_counter() - begin) / 20 * 1e6)
        for store, reader in stores.values():
            reader.close()
            store.close()
    return {count: {name: statistics.median(found) for name, found in by.items()} for count, by in times.items()}


def resident_after(folder: Path, count: int) -> tuple[float, float, float]:
    """Return MB resident in a process before and after it works with a store, and how many seconds opening took."""
    said = subprocess.run(
        [sys.executable, "-m", "bench.cache", "--work-with", str(folder), str(count)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    before, after, start_s = map(float, said.split())
    return before, after, start_s


def work_with(folder: Path, count: int) -> None:
    """Do what a kiosk does with its store, and print what `resident_after` returns."""
    before = used_mb()
    begin = time.perf_counter()
    store = LandfallCache(folder)
    start_s = time.perf_counter() - begin
    reader = CacheReader.open(folder / "kiosk.db")
    for _ in range(200):
        store.put(b"a" * BODY_BYTES)
    for n in range(2_000):
        reader.first_after("crossing", n * 997 % count, limit=20)
    print(before, used_mb(), start_s)
    reader.close()
    store.close()


def used_mb() -> float:
    """Return the most memory that this process ever had resident, in MB (VmHWM of proc_pid_status(5))."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no VmHWM")


def run(quick: bool) -> list[Row]:
    """Return the rates beside bare SQLite in the same run, and how much dearer it is with many queued."""
    rows, rounds, many = [], 20 if quick else 80, 100_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        for queued in QUEUED[1:2] if quick else QUEUED:
            rates = compare(Path(folder), queued=queued, rounds=rounds)
            bare = rates[BareSqlite.name]
            rows += [
                Row(f"{name}, {queued:,} queued", rate.per_second, "/s", beside=BareSqlite.name, theirs=bare.per_second)
                for name, rate in rates.items()
                if name != BareSqlite.name
            ]
        costs = cost_at(Path(folder), (1_000, many), rounds=rounds)
        rows += [
            Row(f"{name}, {many:,} queued against 1,000", costs[many][name] / few, "x", bar=GROWTH_GOAL)
            for name, few in costs[1_000].items()
        ]
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, 100,000 records instead of 1,000,000")
    parser.add_argument("--folder", type=Path, default=None, help="a folder on the disk to measure")
    parser.add_argument("--work-with", nargs=2, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work_with:
        work_with(Path(options.work_with[0]), int(options.work_with[1]))
        return
    rounds, many = (20, 100_000) if options.quick else (80, 1_000_000)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        parent = Path(folder)
        for queued in QUEUED:
            rates = compare(parent, queued=queued, rounds=rounds)
            bare = rates[BareSqlite.name].per_second
            print(f"append one at a time, {BODY_BYTES} bytes each, {queued:,} queued")
            for name, rate in rates.items():
                print(
                    f"  {name:30} {rate.per_second:10,.1f}/s   {rate.per_second / bare:5.2f} of bare SQLite   "
                    f"{rate.written_bytes / 1024:10,.1f} KiB written a record"
                )
        costs = cost_at(parent, (1_000, many), rounds=rounds)
        print(f"cost with {many:,} queued against 1,000")
        for name, few in costs[1_000].items():
            print(f"  {name:30} {few:10,.1f} us   {costs[many][name]:10,.1f} us   ratio {costs[many][name] / few:5.2f}")
        store = LandfallCache(parent)
        for count in (1_000, many):
            store.fill(count - 1_000 if count == many else count, b"a" * BODY_BYTES)
            store.close()
            before, after, start_s = resident_after(parent, count)
            print(f"memory with {count:9,} queued: {before:.1f} MB before, {after:.1f} MB after; start {start_s:.3f} s")
            store = LandfallCache(parent)
        store.close()
    os.sync()


if __name__ == "__main__":
    main()
