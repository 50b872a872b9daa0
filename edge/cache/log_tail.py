"""What lies in SQLite's log behind the place where SQLite stops to believe it.

Owns the decision which records of that tail are taken. SQLite takes a log up to the first frame that was altered;
behind it, records may lie that were synced and that a lamp was green for. There may also lie an append that a power
cut interrupted, of which some frames reached the disk and others did not, and what is left of older ones.

Every transaction writes the heads of all streams, on one page, with its records. So a logged page of heads tells where
a transaction ended: records are taken up to the last one to which every stream is whole, and none beyond it. An append
is synced before the next begins: if even one more is begun on heads that are not whole, something synced was damaged.

Always true: of an append, all records are taken or none; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edge.cache.pages import DamagedFile, Value
from edge.cache.records import Head, StoredRecord
from edge.cache.rows import HEAD_WIDTH, RECORD_WIDTH, genuine_head, genuine_record, row_prev
from edge.errors import StoreDamaged

_Heads = Mapping[str, Head]
_Place = tuple[str, int, str]  # stream, sequence, hash


def unbelieved_records(path: Path, heads: _Heads) -> list[StoredRecord]:
    """Return the records of whole appends that follow `heads` in the log though SQLite does not see them, in order.

    Raises `StoreDamaged` when something that was synced is there but not whole.
    """
    tail = _Tail(path, heads)
    images = sorted(tail.images, key=_length, reverse=True)
    end, records = next(((image, found) for image in images if (found := tail.up_to(image))), (heads, []))
    if any(tail.is_built_upon(image, end) for image in images):
        raise StoreDamaged(f"{path.name}: the log was altered, and what it holds behind that is not whole")
    return records


class _Tail:
    """The heads and the records that the log has beyond those which SQLite believes."""

    def __init__(self, path: Path, heads: _Heads) -> None:
        self._heads = heads
        self._records: dict[_Place, tuple[StoredRecord, str]] = {}  # with the hash of the record before
        self._followed: set[_Place] = set()  # places that a record was appended after
        images: dict[tuple[Head, ...], _Heads] = {}
        damaged = DamagedFile(path)
        try:
            for rows in damaged.pages_in_log():
                image = _heads_on(rows)
                if image and image.keys() >= heads.keys() and _length(image) > _length(heads):
                    images[tuple(image.values())] = image
                for row_id, values in rows:
                    self._take(row_id, values)
        finally:
            damaged.close()
        self.images = list(images.values())

    def _take(self, row_id: int, values: tuple[Value, ...]) -> None:
        if len(values) != RECORD_WIDTH or values[0] is not None:
            return  # not a row of a stream: its sequence is the row id, and the row itself says NULL
        row = (row_id, *values[1:])
        if row_id < self._next(str(row[1])) or (record := genuine_record(row)) is None:
            return
        self._records[record.stream, row_id, record.hash] = record, row_prev(row)
        self._followed.add((record.stream, row_id - 1, row_prev(row)))

    def _next(self, stream: str) -> int:
        head = self._heads.get(stream)
        return head.next_sequence if head else 1

    def up_to(self, image: _Heads) -> list[StoredRecord]:
        """Return every record between the believed heads and these; none if one is missing or of another epoch."""
        found: list[StoredRecord] = []
        for stream, end in image.items():
            begin = self._heads.get(stream)
            if begin is None or begin.epoch != end.epoch:
                return []
            hash_, chain = end.last_hash, []
            for sequence in range(end.next_sequence - 1, begin.next_sequence - 1, -1):
                record, prev = self._records.get((stream, sequence, hash_), (None, ""))
                if record is None or record.epoch != end.epoch:
                    return []
                chain.append(record)
                hash_ = prev
            if hash_ != begin.last_hash:
                return []
            found += reversed(chain)
        return found

    def is_built_upon(self, image: _Heads, end: _Heads) -> bool:
        """Tell whether a record was appended after one that is beyond `end` and not beyond these heads."""
        return any(
            (stream, head.next_sequence - 1, head.last_hash) in self._followed
            for stream, head in image.items()
            if head.next_sequence > (end[stream].next_sequence if stream in end else 1)
        )


def _heads_on(rows: list[tuple[int, tuple[Value, ...]]]) -> _Heads:
    """Return the heads on one page, empty when it has something else or one of them was altered."""
    heads = [genuine_head(values[1:]) if len(values) == HEAD_WIDTH + 1 else None for _, values in rows]
    return {head.stream: head for head in heads if head} if all(heads) else {}


def _length(heads: _Heads) -> int:
    return sum(head.next_sequence for head in heads.values())
