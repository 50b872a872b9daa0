"""What awaits its receipt: two seconds of the centre's work, and what comes late is not sent twice."""

from __future__ import annotations

from collections import deque

import pytest

from edge.uplink.ahead import AHEAD_S, LEAST_AHEAD_BYTES, Ahead
from edge.uplink.sender import Sender

BATCH_BYTES = 16 * 1024
MOST_AHEAD_BYTES = 4 * 1024 * 1024
TIMEOUT_S = 10.0


class Centre:
    """A centre that stores so many batches a second, in the order in which they came, and stalls now and then."""

    def __init__(self, batches_per_s: float, *, stall_every: int = 0, stall_s: float = 0.0) -> None:
        self._each_s, self._stall_every, self._stall_s = 1 / batches_per_s, stall_every, stall_s
        self._free_at_s = 0.0
        self._waiting: deque[tuple[float, int]] = deque()  # when it is stored, and its last record
        self.stored = self.held = 0

    def take(self, last: int, now_s: float) -> None:
        """Put a batch of one record into the queue."""
        self.stored += 1
        stall_s = self._stall_s if self._stall_every and self.stored % self._stall_every == 0 else 0.0
        self._free_at_s = max(self._free_at_s, now_s) + self._each_s + stall_s
        self._waiting.append((self._free_at_s, last))

    def receipts(self, now_s: float) -> list[int]:
        """Return the receipts that are there by now."""
        said = []
        while self._waiting and self._waiting[0][0] <= now_s:
            last = self._waiting.popleft()[1]
            self.held = max(self.held, last) if last <= self.held + 1 else self.held
            said.append(self.held)
        return said

    @property
    def queued(self) -> int:
        """Return how many batches wait at the broker."""
        return len(self._waiting)


def drain(sending: Sender, centre: Centre, *, until_s: float = 3600.0) -> tuple[float, int]:
    """Drain to a centre whose broker acknowledges at once; return how long it took and the longest queue."""
    now_s, longest = 0.0, 0
    while sending.unreceipted and now_s < until_s:
        sending.check_timer(now_s)
        while sending.may_send(now_s, MOST_AHEAD_BYTES):
            sending.sent(sending.cursor + 1, BATCH_BYTES, now_s)
            centre.take(sending.cursor, now_s)
            sending.acknowledged(now_s, 0.05)
        longest = max(longest, centre.queued)
        now_s += 0.05
        for held in centre.receipts(now_s):
            sending.receipt(held, now_s)
    return now_s, longest


@pytest.mark.parametrize("batches_per_s", [0.5, 5, 20, 400])
def test_whatever_the_pace_of_the_centre_nothing_is_sent_twice_and_it_is_never_idle(batches_per_s) -> None:
    sending, centre = Sender(held=0, head=300, timeout_s=TIMEOUT_S), Centre(batches_per_s)
    took_s, longest = drain(sending, centre)
    assert sending.unreceipted == 0
    assert centre.stored == 300
    assert took_s < 300 / batches_per_s * 1.1 + 2
    assert longest <= max(LEAST_AHEAD_BYTES / BATCH_BYTES, 2 * AHEAD_S * batches_per_s) + 2


def test_a_centre_that_stalls_for_longer_than_the_timer_is_not_sent_everything_again() -> None:
    sending, centre = Sender(held=0, head=300, timeout_s=TIMEOUT_S), Centre(20, stall_every=50, stall_s=25.0)
    drain(sending, centre)
    assert sending.unreceipted == 0
    assert centre.stored < 300 + 6 * 4  # a probe or two each time


def test_what_was_only_late_is_awaited_again_and_does_not_go_out_twice() -> None:
    ahead = Ahead()
    for last in range(1, 11):
        ahead.sent(last, 100, 0)
    ahead.give_up()
    assert ahead.bytes == 0
    ahead.sent(1, 100, 10)
    assert ahead.receipt(1, 11) == 10 and ahead.bytes == 900


def test_what_is_given_up_a_second_time_goes_out_again() -> None:
    ahead = Ahead()
    for last in (1, 2, 3):
        ahead.sent(last, 100, 0)
    ahead.give_up()
    ahead.sent(1, 100, 10)
    assert ahead.receipt(1, 11) == 3
    ahead.give_up()
    ahead.sent(2, 100, 30)
    assert ahead.receipt(2, 31) == 0 and ahead.bytes == 0
    assert ahead.round_trip_s == 0  # of which copy these receipts were, nobody knows


def test_what_nobody_took_goes_out_again_at_once_when_somebody_listens() -> None:
    sending = Sender(held=0, head=10, timeout_s=TIMEOUT_S)
    for last in (1, 2, 3):
        sending.sent(last, 100, 0)
    sending.nobody_listens(0)
    sending.sent(1, 100, 5)
    sending.receipt(1, 6)
    assert sending.cursor == 1 and sending.may_send(6, MOST_AHEAD_BYTES)


def test_the_pace_is_learnt_from_what_went_out_once() -> None:
    ahead = Ahead()
    ahead.sent(1, 100_000, 0)
    ahead.receipt(1, 2)
    assert ahead.round_trip_s == 2 and ahead.most_bytes == 100_000
    ahead.sent(2, 100_000, 3)
    ahead.give_up()
    ahead.sent(2, 100_000, 50)
    ahead.receipt(2, 51)
    assert ahead.round_trip_s == 2 and ahead.most_bytes == 100_000
