"""The collector: takes what kiosks publish, stores it, and only then says so.

Owns the order of things: verify and open, one transaction, commit, acknowledge to the broker, sign and publish
receipts. Always true: nothing is acknowledged that is not committed; whatever goes wrong, a kiosk that got no receipt
sends again, and that is the only way of recovery; a fault of the program costs the message in which it lies, never the
collector; this thread alone touches the database and the keys.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Event as Flag
from time import monotonic

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from central import commands, gaps, kiosk_settings, uptake
from central.broker_link import Delivery, Disconnected, Event, Link, Stop, Subscribed
from central.chain import Arrival
from central.clock import Pause, utc_now
from central.config import CollectorSettings
from central.database import rfc3339
from central.gaps import Ask
from central.incidents import Kind
from central.journal import DEBUG, ERROR, INFO, NOTICE, WARNING, log, notify, told
from central.receipts import sign_receipt
from central.store import Store, Taken
from central.verify import MAX_REJECTED_BYTES, Checked, Examiner, Rejected
from edge.errors import ContractError, SealError
from edge.seal import Signer
from edge.wire.commands import Reply
from edge.wire.messages import RESEND_TYP, Resend, encode
from edge.wire.topics import command_topic, parse_topic, receipt_topic

ATTEMPTS = 4  # at one transaction, before the broker may give the messages to another collector
LONGEST_WAIT_S = 1.0
ORDERS_S = 1.0  # how often commands are looked for


class Collector:
    """One worker at one broker and one database; any number of them may run at once.

    `open_link` makes a connection that puts its events into the given inbox.
    """

    def __init__(
        self,
        settings: CollectorSettings,
        store: Store,
        examiner: Examiner,
        signer: Signer,
        open_link: Callable[[SimpleQueue[Event]], Link],
        *,
        clock: Callable[[], datetime] = utc_now,
        clock_s: Callable[[], float] = monotonic,
    ) -> None:
        self._settings = settings
        self._store = store
        self._examiner = examiner
        self._signer = signer
        self._open_link = open_link
        self._clock, self._clock_s = clock, clock_s
        self._inbox: SimpleQueue[Event] = SimpleQueue()
        self._stopping = Flag()
        self._link: Link | None = None
        self._unacknowledged: deque[Delivery] = deque()  # in the order in which they came
        self._done: set[int] = set()  # packet ids of those that may be acknowledged
        self._is_ready = False
        self._pause = Pause()
        self._connect_at_s = 0.0
        self._sweep_at_s = 0.0
        self._orders_at_s = 0.0

    def stop(self) -> None:
        """Ask the collector to end after the transaction at hand; may be called from a signal handler."""
        self._stopping.set()
        self._inbox.put(Stop())

    def run(self) -> None:
        """Collect until `stop` is called."""
        try:
            while not self._stopping.is_set():
                self._step_safely()
        finally:
            notify("STOPPING=1")
            self._drop_link()

    def _step_safely(self) -> None:
        try:
            self._step()
        except Exception as error:  # its text may quote a record, so only its kind and place are told
            log(ERROR, f"{told(error)}; leaving the broker for a while")
            self._leave()
            self._stopping.wait(max(0.0, self._connect_at_s - self._clock_s()))

    def _step(self) -> None:
        now_s = self._clock_s()
        if self._link is None and now_s >= self._connect_at_s:
            self._connect()
        try:
            if self._is_ready and now_s >= self._sweep_at_s:
                self._sweep_at_s = now_s + self._settings.gap_patience_s / 2
                self._ask(gaps.sweep(self._store.engine, self._clock(), patience_s=self._settings.gap_patience_s))
            if self._is_ready and now_s >= self._orders_at_s:
                self._orders_at_s = now_s + ORDERS_S
                self._send_orders()
            self._work(self._take())
        except SQLAlchemyError as error:
            log(ERROR, f"{told(error)}; leaving the broker until it answers")
            self._leave()
        notify("WATCHDOG=1")

    def _connect(self) -> None:
        link = None
        try:
            self._store.ping()
            link = self._open_link(self._inbox)
            link.open()
            self._link = link
        except (OSError, SQLAlchemyError) as error:
            what = told(error) if isinstance(error, SQLAlchemyError) else f"broker: {error}"
            log(WARNING, f"not connected; {what}")
            self._leave()

    def _leave(self) -> None:
        """Drop the connection, and with it everything not acknowledged; connect again after a pause."""
        self._drop_link()
        self._connect_at_s = self._clock_s() + self._pause.next_s()

    def _drop_link(self) -> None:
        link, self._link, self._is_ready = self._link, None, False
        self._unacknowledged.clear()
        self._done.clear()
        if link is not None:
            link.close()

    def _take(self) -> list[Delivery]:
        """Wait for an event, then take what else is there, up to the limits of a batch."""
        deliveries: list[Delivery] = []
        size = 0
        timeout_s: float | None = max(0.0, min(LONGEST_WAIT_S, self._next_deadline_s() - self._clock_s()))
        while len(deliveries) < self._settings.batch_messages and size < self._settings.batch_bytes:
            try:
                event = self._inbox.get(block=bool(timeout_s), timeout=timeout_s)
            except Empty:
                break
            timeout_s = None
            if isinstance(event, Delivery):
                if event.link is self._link:
                    self._unacknowledged.append(event)
                    deliveries.append(event)
                    size += len(event.payload)
            else:
                self._notice(event)
        return deliveries if self._link is not None else []

    def _next_deadline_s(self) -> float:
        return self._sweep_at_s if self._link is not None else self._connect_at_s

    def _notice(self, event: Event) -> None:
        match event:
            case Subscribed(link) if link is self._link:
                self._is_ready = True
                self._pause.reset()
                log(INFO, "collector ready: subscribed to all kiosks")
                notify("READY=1\nSTATUS=subscribed to all kiosks")
            case Disconnected(link, reason) if link is self._link:
                log(WARNING, f"broker: connection lost ({reason})")
                self._leave()

    def _work(self, deliveries: list[Delivery]) -> None:
        if not deliveries:
            return
        batches = [one for one in deliveries if not (_is_status(one.topic) or _is_answer(one.topic))]
        others = [one for one in deliveries if _is_status(one.topic) or _is_answer(one.topic)]
        if batches:
            self._collect(batches)
        for one in others:
            self._read(one)
        self._acknowledge(others)

    def _acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Acknowledge what is done, in the order in which it came (MQTT 5, 4.6), as far as nothing before it waits."""
        self._done.update(one.mid for one in deliveries)
        while self._link is not None and self._unacknowledged and self._unacknowledged[0].mid in self._done:
            first = self._unacknowledged.popleft()
            self._done.discard(first.mid)
            self._link.acknowledge(first)

    def _collect(self, deliveries: list[Delivery]) -> None:
        """Store messages, then acknowledge them, then answer."""
        examined = [self._examine(one) for one in deliveries]
        for taken in self._persist(examined):
            self._tell(taken)
            if self._link is None:
                return
            self._answer(taken)

    def _examine(self, delivery: Delivery) -> Examined:
        try:
            topic = parse_topic(delivery.topic)
            good, bad = self._examiner.examine(topic, delivery.topic, delivery.payload)
        except ContractError as error:
            good, bad = [], [_whole(delivery, error.message)]
        except Exception as error:  # one poisoned message must not come back for ever
            log(ERROR, f"{told(error)}; set a message of {delivery.topic} aside")
            good, bad = [], [_whole(delivery, "fault while it was examined")]
        return Examined(delivery, good, bad)

    def _persist(self, examined: list[Examined]) -> Iterable[Taken]:
        """Commit all messages together, or, where the database refuses something in them, each on its own."""
        try:
            yield self._commit(examined)
            return
        except Exception as error:  # whatever it is, it may lie in one of them
            if _is_away(error):
                raise
            log(ERROR, f"{told(error)}; storing {len(examined)} messages one by one")
        for one in examined:
            try:
                yield self._commit([one])
            except Exception as error:
                if _is_away(error):
                    raise
                log(ERROR, f"{told(error)}; set a message of {one.delivery.topic} aside")
                reason = "database refuses it" if isinstance(error, SQLAlchemyError) else "fault while it was stored"
                yield self._commit([Examined(one.delivery, [], [_whole(one.delivery, reason)])])

    def _commit(self, examined: list[Examined]) -> Taken:
        """Store and acknowledge; try again while the database is busy or away."""
        checked = [record for one in examined for record in one.good]
        refused = [record for one in examined for record in one.bad]
        pause = Pause()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                taken = self._store.take(checked, refused, self._clock())
                break
            except (OperationalError, InterfaceError) as error:
                if attempt == ATTEMPTS or self._stopping.is_set():
                    raise
                log(WARNING, f"{told(error)}; attempt {attempt} of {ATTEMPTS}")
                self._stopping.wait(pause.next_s())
        self._acknowledge(one.delivery for one in examined)
        return taken

    def _answer(self, taken: Taken) -> None:
        at = rfc3339(self._clock())
        for held in taken.held:
            topic = receipt_topic(held.key.kiosk, held.key.stream)
            self._publish(
                topic, sign_receipt(held, taken.generations.of(held.key.kiosk), at, self._signer), is_retained=True
            )

    def _ask(self, asks: list[Ask]) -> None:
        at = rfc3339(self._clock())
        for ask in asks:
            kiosk, stream, epoch = ask.key
            log(NOTICE, f"{kiosk}: asked to send {stream} again from {ask.from_sequence}")
            resend = Resend(kiosk, stream, epoch, ask.from_sequence, ask.generation, at)
            topic = command_topic(kiosk, "resend")
            self._publish(topic, self._signer.sign(encode(resend), RESEND_TYP), is_retained=False)

    def _publish(self, topic: str, payload: str, *, is_retained: bool) -> None:
        if self._link is not None:
            self._link.publish(topic, payload, is_retained=is_retained)

    def _read(self, delivery: Delivery) -> None:
        """Read what is no record; what cannot be read costs itself alone."""
        if not delivery.payload:
            return  # something retained was cleared
        try:
            self._read_status(delivery) if _is_status(delivery.topic) else self._read_answer(delivery)
        except (ContractError, SealError) as error:
            log(WARNING, f"{delivery.topic}: refused: {error.message}")
        except Exception as error:  # one poisoned message must not come back for ever, and a retained one would
            if _is_away(error):
                raise
            log(ERROR, f"{told(error)}; {delivery.topic} is left unread")

    def _read_status(self, delivery: Delivery) -> None:
        status = self._examiner.read_status(parse_topic(delivery.topic), delivery.payload)
        uptake.note_birth(self._store.engine, status, self._clock())
        self._ask(gaps.compare_status(self._store.engine, status, self._clock()))

    def _read_answer(self, delivery: Delivery) -> None:
        """Keep what a kiosk says about a command, or about its settings."""
        answer, engine = self._examiner.read_answer(parse_topic(delivery.topic), delivery.payload), self._store.engine
        if isinstance(answer, Reply):
            is_news = commands.take_reply(engine, answer, self._clock())
        else:
            kiosk_settings.keep(engine, answer, self._clock())
            is_news = commands.take_reported(engine, answer, self._clock())
        if is_news:
            log(NOTICE, f"{answer.kiosk}: command {answer.id} is answered")

    def _send_orders(self) -> None:
        for order in commands.due(self._store.engine, self._clock(), self._signer):
            log(NOTICE, f"sent on {order.topic}")
            self._publish(order.topic, order.payload, is_retained=order.is_retained)

    def _tell(self, taken: Taken) -> None:
        counts = ", ".join(f"{taken.arrivals[kind]} {kind.value}" for kind in Arrival if taken.arrivals[kind])
        log(DEBUG, f"stored {counts or 'nothing'} of {len({held.key for held in taken.held})} streams")
        seen: Counter[tuple[Kind, str, str, str]] = Counter()
        for one in taken.noticed:
            seen[one.kind, one.kiosk, one.stream, one.detail] += one.count
        for (kind, kiosk, stream, detail), count in seen.items():
            log(WARNING, f"{kind}: {kiosk} {stream} {detail} ({count})")


@dataclass(frozen=True, slots=True)
class Examined:
    """A message taken apart."""

    delivery: Delivery
    good: list[Checked]
    bad: list[Rejected]


def _is_answer(topic: str) -> bool:
    return topic.endswith("/reported") or (topic.count("/") == 5 and topic.split("/")[4] == "reply")


def _is_status(topic: str) -> bool:
    return topic.count("/") == 4 and topic.endswith("/status")


def _whole(delivery: Delivery, reason: str) -> Rejected:
    return Rejected(delivery.topic, reason, delivery.payload[:MAX_REJECTED_BYTES])


def _is_away(error: Exception) -> bool:
    """Tell whether the database is busy or gone, so that nothing is said of what was to be stored."""
    is_gone = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_gone or isinstance(error, OperationalError | InterfaceError)
