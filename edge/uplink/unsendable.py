"""Records that can never go out as they are: unreadable ones, and photos that no PUBLISH of the contract holds.

Owns what is asked of the recorder for them: a tombstone for each, with what the neighbours still know of it. Always
true: nothing is given up that could go out later, so no word of a broker destroys a record: what is too large for this
one waits for a better one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from edge.events import RecordUnreadable
from edge.uplink.receipts import Reader
from edge.wire.record import EPOCH, MAX_BATCH_BYTES
from edge.wire.topics import Stream

TELL_AGAIN_S = 60.0  # the recorder may not have been able to write a tombstone


class Unsendable:
    """Reports each record once, and once more after a while if it is still there; `trouble` is told of the others."""

    def __init__(
        self, reader: Reader, tell: Callable[[RecordUnreadable], None], trouble: Callable[[str, str], object]
    ) -> None:
        self._reader = reader
        self._tell, self._trouble = tell, trouble
        self._told: dict[str, int] = {}  # the last record of each stream that was reported
        self._forget_at_s = 0.0

    def forget(self) -> None:
        """Report everything anew: there is another broker, perhaps."""
        self._told.clear()

    def unreadable(self, stream: str, found: Sequence[Any], now_s: float) -> None:
        """Ask for tombstones in the place of the records at the beginning of `found` that cannot be read."""
        self._forget_in_time(now_s)
        first = found[0].sequence
        before = self._before(stream, first)
        lost = list(itertools.takewhile(lambda record: not hasattr(record, "body"), found))
        head = self._reader.heads()[stream]
        after = found[len(lost) :]
        if not after and first <= head.purged_up_to:
            after = self._reader.first_after(stream, head.purged_up_to, limit=1, max_bytes=1)
        epoch = _epoch_between(before, after) or head.epoch
        prev = before[0].hash if before else ""
        for record in lost:
            if self._is_news(stream, record.sequence):
                self._tell(RecordUnreadable(stream, epoch, record.sequence, record.hash, prev, record.reason))
            prev = record.hash

    def too_large(self, stream: str, record: Any, now_s: float) -> None:
        """Give up a photo above the largest batch of the contract; anything else waits for a better broker."""
        self._forget_in_time(now_s)
        if not self._is_news(stream, record.sequence):
            return
        if stream != Stream.EVIDENCE or len(record.body) + 2 <= MAX_BATCH_BYTES:
            self._trouble(stream, "record_too_large_for_broker")
            return
        before = self._before(stream, record.sequence)
        prev = before[0].hash if before else ""
        self._tell(RecordUnreadable(stream, record.epoch, record.sequence, record.hash, prev, "too_large"))

    def _before(self, stream: str, sequence: int) -> Sequence[Any]:
        return self._reader.first_after(stream, sequence - 2, limit=1, max_bytes=1) if sequence > 1 else []

    def _is_news(self, stream: str, sequence: int) -> bool:
        if sequence <= self._told.get(stream, 0):
            return False
        self._told[stream] = sequence
        return True

    def _forget_in_time(self, now_s: float) -> None:
        if now_s >= self._forget_at_s:
            self._told.clear()
            self._forget_at_s = now_s + TELL_AGAIN_S


def _epoch_between(before: Sequence[Any], after: Sequence[Any]) -> str:
    """Return the epoch of records between these two, which may be none: the later one's, unless that began an epoch."""
    if after and getattr(after[0], "type", EPOCH) != EPOCH:
        return after[0].epoch
    return getattr(before[0], "epoch", "") if before else ""
