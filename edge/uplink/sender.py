"""Go-back-N for one stream: what goes next, and when it goes again. PURE.

Owns three numbers: `held` (receipted), `cursor` (handed to the link), `head` (last one in the store), held <= cursor <=
head, and the timer that sends again when receipts stand still; how far `cursor` may be ahead of `held` is measured in
`ahead`. Always true: records go in order; only `receipt` raises `held`, only `rewind` lowers it.
"""

from __future__ import annotations

from edge.uplink.ahead import Ahead

FIRST_HOLD_OFF_S = 1.0
MOST_HOLD_OFF_S = 60.0
MOST_TIMEOUT_S = 300.0
ROUND_TRIPS = 4  # the timer waits for so many of those to the centre and back, where that is longer
UNACKNOWLEDGED = 6  # TCP sends again by itself: without a PUBACK the timer is so many times as patient


class Sender:
    """The sender of one stream. Times are seconds of one monotonic clock.

    After a time-out, and while nobody listens, one batch at a time goes out as a probe until a receipt comes: a dead
    centre does not cost a metered link the whole window again and again.
    """

    def __init__(self, *, held: int, head: int, timeout_s: float) -> None:
        self.held = held
        self.cursor = held
        self.head = head
        self._first_timeout_s = timeout_s
        self._timeout_s = timeout_s
        self._due_s: float | None = None  # when to go back, while something awaits a receipt
        self._not_before_s = 0.0
        self._hold_off_s = FIRST_HOLD_OFF_S
        self._ahead = Ahead()
        self._is_probing = False

    @property
    def unreceipted(self) -> int:
        """Return how many records of the store the centre has not confirmed."""
        return self.head - self.held

    def may_send(self, now_s: float, most_ahead_bytes: int) -> bool:
        """Tell whether the record after `cursor` may go now."""
        if self.cursor >= self.head or now_s < self._not_before_s:
            return False
        if self._is_probing:
            return self.cursor == self.held
        return self._ahead.bytes < min(most_ahead_bytes, self._ahead.most_bytes)

    def sent(self, last: int, size: int, now_s: float) -> None:
        """Note that everything up to `last` was handed to the link in `size` bytes."""
        self.cursor = last
        self._ahead.sent(last, size, now_s)
        if self._due_s is None:
            self._due_s = now_s + UNACKNOWLEDGED * self._patience_s

    def acknowledged(self, now_s: float, round_trip_s: float) -> None:
        """Note a PUBACK: it is at the broker, so from now on it is the receipt that is awaited."""
        if self._due_s is not None:
            self._due_s = now_s + self._patience_s + 2 * round_trip_s

    def appended(self, head: int) -> None:
        """Note that the store goes on to `head`."""
        self.head = max(self.head, head)

    def receipt(self, up_to: int, now_s: float) -> None:
        """Note that the centre holds everything up to `up_to`, which the caller has checked."""
        if up_to <= self.held:
            return
        self.held = up_to
        self.cursor = max(self.cursor, up_to, self._ahead.receipt(up_to, now_s))
        self._is_probing = False
        self._timeout_s, self._hold_off_s = self._first_timeout_s, FIRST_HOLD_OFF_S
        self._not_before_s = 0.0
        self._due_s = now_s + UNACKNOWLEDGED * self._patience_s if self.cursor > self.held else None

    def rewind(self, to: int) -> None:
        """Go back below what was held: the centre asks for everything after `to` again."""
        self.held = min(self.held, to)
        self._go_back()
        self._not_before_s = 0.0

    def reconnected(self) -> None:
        """Start again from the last receipt: nobody knows where that is which was in flight on the old connection.

        What is known of the centre's pace is forgotten too: after an outage it has every kiosk to answer.
        """
        self._go_back()
        self._is_probing = False
        self._not_before_s = 0.0
        self._timeout_s = self._first_timeout_s

    def nobody_listens(self, now_s: float) -> None:
        """Slow down after PUBACK 0x10 (no matching subscribers) or a refusal that time may heal; keep trying."""
        self._go_back()
        self._is_probing = True
        self._not_before_s = now_s + self._hold_off_s
        self._hold_off_s = min(2 * self._hold_off_s, MOST_HOLD_OFF_S)

    def check_timer(self, now_s: float) -> bool:
        """Go back when receipts stood still for too long; return whether that happened."""
        if self._due_s is None or now_s < self._due_s:
            return False
        self.cursor, self._due_s = self.held, None
        self._ahead.give_up()
        self._is_probing = True
        self._timeout_s = min(2 * self._timeout_s, MOST_TIMEOUT_S)
        return True

    def wake_at_s(self, now_s: float) -> float | None:
        """Return when something is due though nothing happens, or None."""
        times = [] if self._due_s is None else [self._due_s]
        if self._not_before_s > now_s and self.cursor < self.head:
            times.append(self._not_before_s)
        return min(times, default=None)

    def _go_back(self) -> None:
        self.cursor, self._due_s, self._ahead = self.held, None, Ahead()

    @property
    def _patience_s(self) -> float:
        return min(MOST_TIMEOUT_S, max(self._timeout_s, ROUND_TRIPS * self._ahead.round_trip_s))
