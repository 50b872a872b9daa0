"""How much may await its receipt: a PURE measure of the centre, as `window` is one of the link.

Owns the batches of one stream that were sent and not receipted, and the pace and round trip that receipts show. Always
true: what awaits its receipt is about two seconds of the centre's work for this kiosk, however slow the centre is and
however many kiosks it serves, so that a receipt is late because something was lost, and not because of the queue.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

AHEAD_S = 2.0
LEAST_AHEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """What was sent: its last record and size, when, and how much of the stream was receipted then."""

    last: int
    bytes: int
    at_s: float
    receipted: int


class Ahead:
    """Batches that await their receipt; times are seconds of one monotonic clock, `round_trip_s` is smoothed."""

    def __init__(self) -> None:
        self.bytes = 0
        self.round_trip_s = 0.0
        self._rate = 0.0  # bytes a second
        self._batches: deque[Batch] = deque()
        self._doubted: list[Batch] = []  # that were given up for lost
        self._doubtful_up_to = 0  # nobody knows which copy of these a receipt is for (RFC 6298, section 3)
        self._up_to = self._receipted = 0  # the last record, and bytes

    @property
    def most_bytes(self) -> int:
        """Return how many bytes may await their receipt."""
        return max(LEAST_AHEAD_BYTES, int(AHEAD_S * self._rate))

    def sent(self, last: int, size: int, now_s: float) -> None:
        """Note a batch of `size` bytes whose last record is `last`."""
        self._batches.append(Batch(last, size, now_s, self._receipted))
        self.bytes += size

    def receipt(self, up_to: int, now_s: float) -> int:
        """Note that the centre holds everything up to `up_to`; return the last record whose receipt is still to come.

        Once receipts go on, what was given up for lost counts as late, is awaited again and does not go out twice (the
        thought of F-RTO, RFC 5682); given up a second time it was lost. Returns 0 where nothing is awaited.
        """
        if self._doubted:
            late = [batch for batch in self._doubted if batch.last > self._up_to]
            self._batches = deque([*late, *(batch for batch in self._batches if batch.last > self._doubtful_up_to)])
            self._doubted, self.bytes = [], sum(batch.bytes for batch in self._batches)
        newest = None
        while self._batches and self._batches[0].last <= up_to:
            newest = self._batches.popleft()
            self.bytes -= newest.bytes
            self._receipted += newest.bytes
        if newest is not None and newest.last > self._doubtful_up_to:
            self._learn(newest, now_s)
        self._up_to = up_to
        return self._batches[-1].last if self._batches else 0

    def give_up(self) -> None:
        """Take everything for lost, unless a receipt says otherwise."""
        if self._batches and self._batches[-1].last > self._doubtful_up_to:
            self._doubted = list(self._batches)
            self._doubtful_up_to = self._batches[-1].last
        self._batches.clear()
        self.bytes = 0

    def _learn(self, newest: Batch, now_s: float) -> None:
        elapsed_s = max(now_s - newest.at_s, 1e-3)
        rate = (self._receipted - newest.receipted) / elapsed_s
        weight = 1 / 4 if self._rate else 1
        self.round_trip_s += (elapsed_s - self.round_trip_s) * weight
        self._rate += (rate - self._rate) * weight
