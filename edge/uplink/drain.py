"""Draining the store: what goes into the next PUBLISH, what its PUBACK says, how far the centre's word reaches.

Owns one `Sender` a stream, the window that they share on a connection, and what a receipt or a request to send again
moves. It verifies nothing and makes no connection: both come from `edge.uplink.uplink`, in whose thread it runs. Always
true: records go out as the bytes that are stored; what the centre has said of the store is told, and not done here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge.events import ResendAsked, UplinkTrouble
from edge.uplink.link import Acknowledged, Connected, Link
from edge.uplink.receipts import Meaning, Reader, consequences, weigh
from edge.uplink.sender import Sender
from edge.uplink.unsendable import Unsendable
from edge.uplink.window import Window
from edge.wire.messages import Receipt, Resend, StreamHead
from edge.wire.record import BATCH_CONTENT_TYPE, encode_batch
from edge.wire.topics import Stream, stream_topic

NO_MATCHING_SUBSCRIBERS = 0x10
PACKET_TOO_LARGE = 0x95
REFUSED = 0x80  # reason codes from here on are refusals (MQTT 5, 3.4.2.1)
AHEAD_WINDOWS = 4  # how many windows may await their receipt
LEAST_PACKET_BYTES = 2 * 1024  # no broker that would take less could carry a crossing
MOST_RECORDS = 64
_IN_TURN = (Stream.AUDIT, Stream.CROSSING, Stream.EVIDENCE)


@dataclass(frozen=True, slots=True)
class _Connection:
    link: Link
    window: Window
    batches: dict[int, str]  # packet identifier -> stream


class Drain:
    """The streams of one kiosk (`<site>/<kiosk>`) on their way to the centre; times are seconds of CLOCK_BOOTTIME.

    `tell` takes events for the daemon; `trouble(stream, what)` counts, and returns whether it was told at once.
    """

    def __init__(
        self,
        kiosk: str,
        reader: Reader,
        *,
        receipt_timeout_s: float,
        tell: Callable[[object], None],
        trouble: Callable[[str, str], bool],
    ) -> None:
        self._kiosk, self._reader = kiosk, reader
        self._receipt_timeout_s = receipt_timeout_s
        self._tell, self._trouble = tell, trouble
        self._senders: dict[str, Sender] = {}
        self._unsendable = Unsendable(reader, tell, trouble)
        self._connection: _Connection | None = None
        self._packet_limit: int | None = None  # learnt from a broker that hangs up on large packets
        self._generation = reader.state("generation") or ""
        self._last_resend: dict[str, str] = {}

    # --- the store ---------------------------------------------------------------------------------------------------

    def look_at_heads(self, now_s: float, rewound: Iterable[str] = ()) -> None:
        """Take note of how far the store goes, and which of its streams went back (`rewound`)."""
        for name, head in self._reader.heads().items():
            sender = self._senders.get(name)
            if sender is None:
                sender = Sender(held=head.held_up_to, head=head.next_sequence - 1, timeout_s=self._receipt_timeout_s)
                self._senders[name] = sender
            sender.appended(head.next_sequence - 1)
            if name in rewound:
                sender.rewind(head.held_up_to)
            elif head.held_up_to > sender.held:  # by a receipt that was carried here
                sender.receipt(head.held_up_to, now_s)
                self._generation = max(self._generation, self._reader.state("generation") or "")

    def heads(self) -> dict[str, StreamHead]:
        """Return the heads of the streams as a birth tells them."""
        return {
            name: StreamHead(head.epoch, head.next_sequence, head.last_hash, self._senders[name].held)
            for name, head in self._reader.heads().items()
            if name in self._senders
        }

    # --- the connection ----------------------------------------------------------------------------------------------

    def connected(self, link: Link, event: Connected) -> None:
        """Begin again after the last receipt, within what the broker takes."""
        limits = [limit for limit in (event.maximum_packet, self._packet_limit) if limit is not None]
        most_in_flight = max(1, min(16, event.receive_maximum - 4))
        window = Window(most_in_flight=most_in_flight, maximum_packet=min(limits, default=None))
        self._connection = _Connection(link, window, {})
        self._unsendable.forget()
        for sender in self._senders.values():
            sender.reconnected()

    def disconnected(self, reason: str) -> None:
        """Send nothing any more; a broker that hung up on a large packet gets smaller ones next time."""
        if self._connection is not None and "too large" in reason.lower() and self._connection.window.in_flight_bytes:
            self._halve_packets(self._connection.window)
        self._connection = None

    def waits_since_s(self) -> float | None:
        """Return when the oldest PUBLISH went out that awaits its PUBACK, or None."""
        return None if self._connection is None else self._connection.window.waits_since_s()

    def wake_at_s(self, now_s: float) -> float | None:
        """Return when something is due though nothing happens, or None."""
        if self._connection is None:
            return None
        times = (sender.wake_at_s(now_s) for sender in self._senders.values())
        return min((time for time in times if time is not None), default=None)

    # --- sending -----------------------------------------------------------------------------------------------------

    def send(self, now_s: float) -> None:
        """Fill the window: the few records of the audit first, so that no backlog delays an alarm; photos last."""
        for sender in self._senders.values():
            sender.check_timer(now_s)
        if self._connection is None:
            return
        window = self._connection.window
        for stream in _IN_TURN:
            sender = self._senders.get(stream)
            while (
                sender is not None
                and window.is_open
                and sender.may_send(now_s, AHEAD_WINDOWS * window.window_bytes)
                and self._send_batch(self._connection, stream, sender, now_s)
            ):
                pass

    def _send_batch(self, connection: _Connection, stream: str, sender: Sender, now_s: float) -> bool:
        """Publish the next records of one stream in one PUBLISH; return whether anything went out."""
        window = connection.window
        room = window.batch_bytes - MOST_RECORDS - 1  # brackets, and a comma between any two
        found = self._reader.first_after(stream, sender.cursor, limit=MOST_RECORDS, max_bytes=room)
        readable = list(itertools.takewhile(lambda record: hasattr(record, "body"), found))
        if not readable:
            self._unsendable.unreadable(stream, found, now_s)
            return False
        if len(readable[0].body) + 2 > window.packet_bytes:
            self._unsendable.too_large(stream, readable[0], now_s)
            return False
        payload = encode_batch(record.body for record in readable)
        mid = connection.link.publish(stream_topic(self._kiosk, stream), payload, content_type=BATCH_CONTENT_TYPE)
        if mid is None:
            return False
        window.sent(mid, len(payload), now_s)
        connection.batches[mid] = stream
        sender.sent(readable[-1].sequence, len(payload), now_s)
        return True

    def stream_of(self, mid: int) -> str:
        """Return whose batch this packet identifier was given to; empty where it was no batch."""
        return "" if self._connection is None else self._connection.batches.get(mid, "")

    def acknowledged(self, event: Acknowledged, now_s: float) -> None:
        """Take a PUBACK: the window moves on, and what the broker refused or passed to nobody waits."""
        if self._connection is None or not self._connection.window.acknowledged(event.mid, now_s):
            return
        window, stream = self._connection.window, self._connection.batches.pop(event.mid)
        if event.reason_code == PACKET_TOO_LARGE:
            window.limit_packet(self._halve_packets(window))
        if event.reason_code >= REFUSED or event.reason_code == NO_MATCHING_SUBSCRIBERS:
            self._senders[stream].nobody_listens(now_s)
        else:
            self._senders[stream].acknowledged(now_s, window.round_trip_s)

    def _halve_packets(self, window: Window) -> int:
        self._packet_limit = max(LEAST_PACKET_BYTES, window.batch_bytes // 2)
        return self._packet_limit

    # --- the centre's word -------------------------------------------------------------------------------------------

    def follow_receipt(self, stream: str, receipt: Receipt, now_s: float) -> None:
        """Judge a verified receipt, go on after what it holds, and tell what follows for the store."""
        sender = self._senders.get(stream)
        if sender is None:
            self._trouble(stream, Meaning.FOREIGN_KIOSK)
            return
        meaning = weigh(receipt, self._kiosk, stream, self._reader, held=sender.held, generation=self._generation)
        if meaning is Meaning.HELD:
            self._generation = max(self._generation, receipt.generation)
            sender.receipt(receipt.held_up_to, now_s)
        for event in consequences(receipt, stream, meaning):
            if isinstance(event, UplinkTrouble):
                if not self._trouble(stream, event.what):
                    return  # one like it was told a moment ago, with what follows from it
            else:
                self._tell(event)

    def follow_resend(self, resend: Resend) -> None:
        """Send again from where a verified request says, if it is for us, new, and within the store."""
        sender = self._senders.get(resend.stream)
        is_new = resend.generation >= self._generation and resend.at > self._last_resend.get(resend.stream, "")
        is_ours = resend.kiosk == self._kiosk
        if sender is None or not is_ours or not is_new or not 1 <= resend.from_ <= sender.head + 1:
            self._trouble(resend.stream, "resend_not_followed")
            return
        self._last_resend[resend.stream] = resend.at
        if resend.from_ <= sender.held:
            self._generation = max(self._generation, resend.generation)
            self._tell(ResendAsked(resend.stream, resend.from_ - 1, resend.generation))
        else:
            sender.rewind(sender.held)
