"""How much a kiosk keeps, what awaits its receipt, and for how many hours there is room.

Owns the sums of `landfall queue stats`, whose JSON the centre compares with its own (`landfall-central reconcile`).
Always true: room that cannot be told from what is in the store is null and not a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from edge.cache import CacheReader, Head, StoredRecord
from edge.cache.schema import PAGE_BYTES
from edge.health import queue_figures
from edge.wire.record import CROSSING
from edge.wire.topics import Stream

WINDOW = timedelta(days=7)  # of records that show the pace
LEAST_HISTORY = timedelta(hours=1)
LEAST_RECORDS = 20
_ROW_BYTES = 600  # a row's columns beside the record, generously


def figures(reader: CacheReader, kiosk: str, room_bytes: int, now: datetime) -> dict[str, Any]:
    """Return the figures of a store; `room_bytes` is what the disk has left for records."""
    heads = reader.heads()
    is_begun = Stream.CROSSING in heads
    return {
        "kiosk": kiosk,
        "captured": reader.captured(Stream.CROSSING, CROSSING) if is_begun else 0,
        "training": reader.captured(Stream.CROSSING, CROSSING, training=True) if is_begun else 0,
        "streams": queue_figures(heads),
        "oldest_unreceipted": oldest_unreceipted(reader, now),
        "room": room(reader, room_bytes),
    }


def oldest_unreceipted(reader: CacheReader, now: datetime) -> dict[str, Any] | None:
    """Return the oldest record that awaits its receipt, or None; `age_s` is null when it tells no time."""
    waiting = [found for stream in reader.heads() if (found := reader.oldest_unheld(stream)) is not None]
    if not waiting:
        return None
    oldest = min(waiting, key=lambda one: (_time(one) is None, _time(one) or now))
    at = _time(oldest)
    return {
        "stream": oldest.stream,
        "sequence": oldest.sequence,
        "time": oldest.time if isinstance(oldest, StoredRecord) else None,
        "age_s": None if at is None else round((now - at).total_seconds()),
    }


def oldest_times(reader: CacheReader) -> dict[str, str]:
    """Return `time` of the oldest record that awaits its receipt, of each stream that has one which can be read."""
    oldest = {stream: reader.oldest_unheld(stream) for stream in reader.heads()}
    return {stream: found.time for stream, found in oldest.items() if isinstance(found, StoredRecord)}


def room(reader: CacheReader, room_bytes: int) -> dict[str, Any]:
    """Return for how many hours the disk has room at the pace of the last days.

    `bytes_per_hour` and `hours` are null while there is too little history: an hour and twenty crossings.
    """
    heads = reader.heads()
    unknown = {"free_bytes": room_bytes, "bytes_per_hour": None, "hours": None}
    crossings = heads.get(Stream.CROSSING)
    newest = crossings and _time(_at(reader, crossings, crossings.next_sequence - 1))
    if crossings is None or newest is None:
        return unknown
    paces = {name: _pace(reader, head, newest) for name, head in heads.items()}
    count, span = paces[Stream.CROSSING]
    if count < LEAST_RECORDS or span < LEAST_HISTORY:
        return unknown
    per_hour = 0.0
    for name, (count, span) in paces.items():
        if count:
            per_hour += count * _on_disk(heads[name]) / (max(span, LEAST_HISTORY) / timedelta(hours=1))
    return {"free_bytes": room_bytes, "bytes_per_hour": round(per_hour), "hours": round(room_bytes / per_hour, 1)}


def _pace(reader: CacheReader, head: Head, newest: datetime) -> tuple[int, timedelta]:
    """Return how many records a stream has of the last days before `newest`, and in what time they came."""
    last = head.next_sequence - 1
    first = _first(head.purged_up_to + 1, last, lambda n: _is_after(_time(_at(reader, head, n)), newest - WINDOW))
    began = _time(_at(reader, head, first)) if first <= last else None
    return (last - first, newest - began) if began is not None else (0, timedelta())


def _first(low: int, high: int, is_so: Callable[[int], bool]) -> int:
    """Return the lowest of `low` to `high` from which on it is so, high + 1 if nowhere; times grow with positions."""
    while low <= high:
        middle = (low + high) // 2
        low, high = (low, middle - 1) if is_so(middle) else (middle + 1, high)
    return low


def _on_disk(head: Head) -> float:
    """Return what one record of a stream takes in the file, in whole pages."""
    size = head.bytes / max(head.count, 1) + _ROW_BYTES
    return -(-size // PAGE_BYTES) * PAGE_BYTES


def _at(reader: CacheReader, head: Head, sequence: int) -> Any:
    found = reader.first_after(head.stream, sequence - 1, limit=1, max_bytes=1)
    return found[0] if found else None


def _time(found: Any) -> datetime | None:
    """Return when a record was made, None for one that cannot be read or tells no time."""
    if not isinstance(found, StoredRecord):
        return None
    try:
        at = datetime.fromisoformat(found.time)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _is_after(at: datetime | None, start: datetime) -> bool:
    return at is not None and at >= start
