"""What lies in SQLite's log behind the place where SQLite stops to believe it.

Owns the search for records there. SQLite takes a log only up to the first altered frame; behind it, records may
lie that were synced. Nothing is written here.
"""

from __future__ import annotations

from pathlib import Path

from edge.cache.pages import DamagedFile
from edge.cache.records import Head, StoredRecord
from edge.cache.rows import RECORD_WIDTH, genuine_record, row_prev


def unbelieved_records(path: Path, heads: dict[str, Head]) -> list[StoredRecord]:
    """Return the records that follow the heads in the log though SQLite does not see them, in their order."""
    following: dict[tuple[str, int], tuple] = {}
    damaged = DamagedFile(path)
    try:
        for row_id, values in (row for rows in damaged.pages_in_log() for row in rows):
            row = (row_id, *values[1:])
            head = heads.get(str(row[1])) if len(row) == RECORD_WIDTH and values[0] is None else None
            if head is not None and row_id >= head.next_sequence and genuine_record(row):
                following[head.stream, row_id] = row
    finally:
        damaged.close()
    found = []
    for head in heads.values():
        sequence, prev = head.next_sequence, head.last_hash
        while (row := following.get((head.stream, sequence))) and row_prev(row) == prev:
            record = genuine_record(row)
            if record.epoch != head.epoch:
                break
            found.append(record)
            sequence, prev = sequence + 1, record.hash
    return found
