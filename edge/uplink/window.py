"""How much may be on its way: a PURE measure of the link.

Owns the delivery rate and the round trip as PUBACKs show them, and what follows for the size of a batch and of the
window. Always true: a batch is about half a second of the link, so that health and commands never wait long behind
records, and never above the broker's largest packet.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.wire.record import MAX_BATCH_BYTES

LEAST_BATCH_BYTES = 4 * 1024
LEAST_WINDOW_BYTES = 16 * 1024
MOST_WINDOW_BYTES = 1024 * 1024
PACKET_OVERHEAD_BYTES = 512  # topic, properties and fixed header of a PUBLISH


@dataclass(frozen=True, slots=True)
class _Sent:
    bytes: int
    at_s: float
    delivered: int


class Window:
    """In-flight bytes of one connection, and the limits that the measured link sets.

    `rate` is in bytes a second, `round_trip_s` the smoothed time from PUBLISH to PUBACK.
    """

    def __init__(self, *, most_in_flight: int = 16, maximum_packet: int | None = None) -> None:
        self.rate = float(MAX_BATCH_BYTES)
        self.round_trip_s = 0.1
        self.in_flight_bytes = 0
        self._most_in_flight = most_in_flight
        self._packet_bytes = MAX_BATCH_BYTES
        if maximum_packet is not None:
            self._packet_bytes = max(1, min(MAX_BATCH_BYTES, maximum_packet - PACKET_OVERHEAD_BYTES))
        self._sent: dict[int, _Sent] = {}
        self._delivered = 0

    @property
    def packet_bytes(self) -> int:
        """Return the largest payload that the broker takes."""
        return self._packet_bytes

    def limit_packet(self, size: int) -> None:
        """Learn that the broker takes no payload above `size`."""
        self._packet_bytes = min(self._packet_bytes, size)

    @property
    def batch_bytes(self) -> int:
        """Return how large the next batch may be."""
        return int(min(self._packet_bytes, max(LEAST_BATCH_BYTES, self.rate / 2)))

    @property
    def window_bytes(self) -> int:
        """Return about one second of the link, and what its round trip holds besides."""
        return int(min(MOST_WINDOW_BYTES, max(LEAST_WINDOW_BYTES, self.rate * (1.0 + self.round_trip_s))))

    @property
    def is_open(self) -> bool:
        """Tell whether one more batch may go."""
        return len(self._sent) < self._most_in_flight and self.in_flight_bytes < self.window_bytes

    def waits_since_s(self) -> float | None:
        """Return when the oldest PUBLISH went out that awaits its PUBACK, or None."""
        return next((sent.at_s for sent in self._sent.values()), None)

    def sent(self, mid: int, size: int, now_s: float) -> None:
        """Note that a PUBLISH of `size` bytes went out under packet identifier `mid`."""
        self._sent[mid] = _Sent(size, now_s, self._delivered)
        self.in_flight_bytes += size

    def acknowledged(self, mid: int, now_s: float) -> bool:
        """Note a PUBACK and learn from it; return False for one that is not ours."""
        sent = self._sent.pop(mid, None)
        if sent is None:
            return False
        self.in_flight_bytes -= sent.bytes
        self._delivered += sent.bytes
        elapsed_s = max(now_s - sent.at_s, 1e-4)
        self.round_trip_s += (elapsed_s - self.round_trip_s) / 8
        sample = (self._delivered - sent.delivered) / elapsed_s
        self.rate += (sample - self.rate) / 4
        return True
