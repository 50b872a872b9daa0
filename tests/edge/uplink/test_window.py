"""How much may be on its way, on links that are simulated byte by byte."""

from __future__ import annotations

import heapq

import pytest

from edge.uplink.window import LEAST_BATCH_BYTES, PACKET_OVERHEAD_BYTES, Window
from edge.wire.record import MAX_BATCH_BYTES


class SimulatedLink:
    """A link of so many bytes a second and such a round trip; a PUBACK comes one round trip after the last byte."""

    def __init__(self, window: Window, *, bytes_per_s: float, round_trip_s: float) -> None:
        self.window = window
        self.bytes_per_s, self.round_trip_s = bytes_per_s, round_trip_s
        self.now_s = 0.0
        self.free_at_s = 0.0
        self.delivered = 0
        self.batches: list[tuple[float, int]] = []
        self._acknowledgements: list[tuple[float, int, int]] = []
        self._mid = 0

    def run(self, until_s: float) -> None:
        """Keep the window full, as a kiosk with a long queue does."""
        while self.now_s < until_s:
            while self.window.is_open:
                size = self.window.batch_bytes
                self._mid += 1
                self.free_at_s = max(self.free_at_s, self.now_s) + size / self.bytes_per_s
                heapq.heappush(self._acknowledgements, (self.free_at_s + self.round_trip_s, self._mid, size))
                self.window.sent(self._mid, size, self.now_s)
                self.batches.append((self.now_s, size))
            self.now_s, mid, size = heapq.heappop(self._acknowledgements)
            assert self.window.acknowledged(mid, self.now_s)
            self.delivered += size

    @property
    def queued_s(self) -> float:
        """Return how long a health message would wait behind what is queued."""
        return max(0.0, self.free_at_s - self.now_s)


LINKS = {
    "satellite 64 kbit/s": (8_000, 2.0),
    "GPRS 40 kbit/s": (5_000, 0.8),
    "mobile 1 Mbit/s": (125_000, 0.1),
    "fibre": (10_000_000, 0.02),
}


@pytest.mark.parametrize(("bytes_per_s", "round_trip_s"), LINKS.values(), ids=LINKS)
def test_the_window_settles_on_the_link(bytes_per_s, round_trip_s) -> None:
    link = SimulatedLink(Window(), bytes_per_s=bytes_per_s, round_trip_s=round_trip_s)
    link.run(60)
    before, start_s = link.delivered, link.now_s
    link.run(120)
    throughput = (link.delivered - before) / (link.now_s - start_s)
    assert throughput > 0.7 * min(bytes_per_s, 1_000_000), "the link is used"
    batch = link.batches[-1][1]
    assert batch <= max(LEAST_BATCH_BYTES, 0.7 * bytes_per_s), "a batch is about half a second"
    assert batch >= min(LEAST_BATCH_BYTES, MAX_BATCH_BYTES), "and does not collapse"


def test_on_a_slow_link_a_batch_is_half_a_second_and_nothing_waits_long_behind_records() -> None:
    link = SimulatedLink(Window(), bytes_per_s=8_000, round_trip_s=2.0)
    link.run(120)
    late = [size for at_s, size in link.batches if at_s > 60]
    assert late and max(late) <= 1.2 * max(LEAST_BATCH_BYTES, 8_000 / 2)
    assert link.queued_s < 6.0
    assert link.window.window_bytes >= 16 * 1024


def test_a_link_that_becomes_slow_is_noticed() -> None:
    link = SimulatedLink(Window(), bytes_per_s=1_000_000, round_trip_s=0.05)
    link.run(20)
    assert link.window.batch_bytes == MAX_BATCH_BYTES
    link.bytes_per_s, link.round_trip_s = 8_000, 2.0
    link.run(link.now_s + 240)
    assert link.window.batch_bytes <= 8_000


def test_a_link_that_becomes_fast_is_noticed() -> None:
    link = SimulatedLink(Window(), bytes_per_s=8_000, round_trip_s=2.0)
    link.run(60)
    link.bytes_per_s, link.round_trip_s = 1_000_000, 0.05
    link.run(link.now_s + 60)
    assert link.window.batch_bytes > 32 * 1024


def test_no_more_packets_are_on_their_way_than_the_broker_takes() -> None:
    window = Window(most_in_flight=2)
    window.sent(1, 10, 0)
    assert window.is_open
    window.sent(2, 10, 0)
    assert not window.is_open
    window.acknowledged(1, 0.1)
    assert window.is_open and window.in_flight_bytes


@pytest.mark.parametrize(
    ("maximum_packet", "packet_bytes"),
    [(None, MAX_BATCH_BYTES), (10_000, 10_000 - PACKET_OVERHEAD_BYTES), (10**9, MAX_BATCH_BYTES), (100, 1)],
)
def test_a_batch_is_never_above_the_brokers_largest_packet(maximum_packet, packet_bytes) -> None:
    window = Window(maximum_packet=maximum_packet)
    assert window.packet_bytes == packet_bytes
    assert window.batch_bytes <= packet_bytes


def test_a_limit_that_is_learnt_is_kept() -> None:
    window = Window()
    window.limit_packet(8192)
    window.limit_packet(65536)
    assert window.packet_bytes == 8192


def test_the_puback_of_something_else_changes_nothing() -> None:
    window = Window()
    window.sent(1, 10, 0)
    assert not window.acknowledged(2, 1)
    assert window.acknowledged(1, 1) and not window.acknowledged(1, 1)
    assert (window.in_flight_bytes, window.waits_since_s()) == (0, None)


def test_a_clock_that_stands_still_breaks_nothing() -> None:
    window = Window()
    for mid in range(50):
        window.sent(mid, 1000, 5.0)
        window.acknowledged(mid, 5.0)
    assert 0 < window.batch_bytes <= MAX_BATCH_BYTES
