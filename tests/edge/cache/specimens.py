"""Records to put into a store. What they say is of no account to the cache, so they are short and all alike."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edge.cache import Cache, StoredRecord

STREAMS = ("crossing", "evidence", "audit")
EPOCH = "epoch-one"


def record(stream: str, sequence: int, epoch: str = EPOCH, *, size: int = 300, **fields) -> StoredRecord:
    """Return a record whose hash and body are its position's own."""
    name = f"{stream} {sequence} {epoch}"
    values = {
        "id": f"id-{sequence}",
        "type": f"org.landfall.{stream}.v1",
        "time": f"2026-01-01T00:{sequence // 60 % 60:02}:{sequence % 60:02}Z",
        "direction": "entry",
        "outcome": "passed",
        "training": False,
        "hash": hashlib.sha256(name.encode()).hexdigest(),
        "body": f'{{"of":"{name}","fill":"'.encode() + b"x" * size + b'"}',
        **fields,
    }
    return StoredRecord(stream=stream, epoch=epoch, sequence=sequence, **values)


def open_new(path: Path, streams: tuple[str, ...] = STREAMS) -> Cache:
    """Open a store that has just begun its first epoch: one record in each stream."""
    cache = Cache.open(path)
    begin(cache, EPOCH, streams)
    return cache


def begin(cache: Cache, epoch: str, streams: tuple[str, ...] = STREAMS) -> None:
    """Begin an epoch with a record in each stream."""
    heads = cache.heads()
    first = [record(s, heads[s].next_sequence if s in heads else 1, epoch) for s in streams]
    cache.begin_epoch(epoch, "2026-01-01T00:00:00Z", "test", first)


def append(cache: Cache, stream: str, count: int, **fields) -> list[StoredRecord]:
    """Append records one by one and return them."""
    appended = []
    for _ in range(count):
        head = cache.heads()[stream]
        appended.append(record(stream, head.next_sequence, head.epoch, **fields))
        cache.append(appended[-1:])
    return appended


def release_all(cache: Cache, at: float = 0.0) -> None:
    """Take receipts for everything."""
    for head in cache.heads().values():
        cache.hold(head.stream, head.next_sequence - 1, at)


def purge_all(cache: Cache, before: float) -> int:
    """Purge slice by slice until nothing is left to purge, and return how many positions went."""
    total = 0
    while purged := cache.purge(before):
        total += purged
    return total
