"""The uplink's thread: connect, announce, take what the centre says, try again.

Owns the connection and every message that is no record; the records' way is `edge.uplink.drain`. It decides nothing
about the store, but tells the daemon what the centre said. Always true: it reads the cache through a connection of its
own and writes nothing; what the centre has not signed moves nothing; the time between two attempts to connect is
jittered (decorrelated), and starts small again only after a connection that lasted.
"""

from __future__ import annotations

import contextlib
import queue
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from edge.errors import ContractError, SealError, StoreError
from edge.events import (
    CommandArrived,
    Moment,
    RenewalAnswered,
    SettingsDesired,
    StoreFailed,
    UplinkChanged,
)
from edge.uplink.answers import Answers
from edge.uplink.drain import PACKET_TOO_LARGE, REFUSED, Drain
from edge.uplink.link import Acknowledged, Arrived, Connected, Disconnected, Endpoint, Link, LinkEvent, Will
from edge.uplink.receipts import NOT_VALID, Reader, Verifies
from edge.uplink.troubles import Troubles
from edge.wire import messages
from edge.wire.commands import COMMAND_TYP, DESIRED_TYP, Command, Desired
from edge.wire.topics import (
    command_topic,
    desired_topic,
    health_topic,
    parse_topic,
    receipt_topic,
    renewal_answer_topic,
    status_topic,
)

STABLE_S = 60.0
PUBACK_S = 180.0  # a broker that answers pings and no PUBLISH for so long is left
REFUSALS = {  # reason codes of a PUBACK (MQTT 5, 3.4.2.1)
    0x83: "implementation_specific_error",
    0x87: "not_authorized",
    0x90: "topic_name_invalid",
    0x91: "packet_identifier_in_use",
    PACKET_TOO_LARGE: "packet_too_large",
    0x97: "quota_exceeded",
    0x99: "payload_format_invalid",
}
MOST_EVENTS = 256  # that are taken before it is time to send again
MOST_WAITING = 1000  # a flood beyond this is not kept: what mattered in it comes again


def refusal(reason_code: int) -> str:
    """Return under which name health counts a PUBLISH that the broker acknowledged and did not take."""
    return f"broker_refused_{REFUSALS.get(reason_code, 'unspecified_error')}"


class Signs(Protocol):
    """`edge.seal.Signer`."""

    def sign(self, payload: bytes, typ: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Who publishes: `<site>/<kiosk>`, which version in which boot, and with which keys of the centre (their ids)."""

    kiosk: str
    version: str
    boot_id: str
    opening_key: str = ""
    receipt_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """The uplink's times, in seconds."""

    retry_least_s: float = 1.0
    retry_most_s: float = 120.0
    receipt_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the kiosk that is no record, to be signed as `typ`; without one it goes out as it is.

    One that is owed goes out again and again until the broker took it.
    """

    topic: str
    payload: bytes = field(repr=False)
    typ: str = ""
    is_retained: bool = False
    is_owed: bool = False


@dataclass(frozen=True, slots=True)
class _Wake:
    """Look again: the store changed, or something shall be published."""

    rewound: tuple[str, ...] = ()
    said: Said | None = None
    stop: bool = False


class Uplink:
    """Runs in a thread of its own through `run`; every other method may be called from any thread."""

    def __init__(
        self,
        identity: Identity,
        endpoint: Endpoint,
        *,
        open_reader: Callable[[], Reader],
        signer: Signs,
        centre: Verifies,
        put: Callable[[object], None],
        now: Callable[[], Moment],
        pace: Pace,
        jitter: random.Random,
        new_link: Callable[[int, Endpoint, Will, Callable[[LinkEvent], None]], Link] = Link,
    ) -> None:
        self._identity, self._endpoint, self._pace = identity, endpoint, pace
        self._open_reader, self._signer, self._centre = open_reader, signer, centre
        self._tell, self._now, self._jitter, self._new_link = put, now, jitter, new_link
        self._queue: queue.SimpleQueue[LinkEvent | _Wake] = queue.SimpleQueue()
        self._opened: Drain | None = None
        self._link: Link | None = None
        self._is_connected = False
        self._links = 0
        self._connection = ""  # named in its birth and in its death, so that the centre can tell whose death it is
        self._connected_at_s = 0.0
        self._retry_s = pace.retry_least_s
        self._retry_at_s = 0.0
        self._answers = Answers()
        self._troubles = Troubles(put)
        self._is_stopping = False

    # --- called from other threads -----------------------------------------------------------------------------------

    def store_changed(self, rewound: tuple[str, ...] = ()) -> None:
        """Look at the heads again: records were appended, released, set aside, or an epoch began."""
        self._queue.put(_Wake(rewound=rewound))

    def publish_health(self, health: bytes) -> None:
        """Publish signed figures now, if there is a connection; they are not kept for later."""
        self.say(Said(health_topic(self._identity.kiosk), health, messages.HEALTH_TYP))

    def say(self, said: Said) -> None:
        """Sign and publish a message, past all records; without a connection it is forgotten unless it is owed."""
        self._queue.put(_Wake(said=said))

    def stop(self) -> None:
        """Say goodbye to the broker and end the thread."""
        self._queue.put(_Wake(stop=True))

    # --- the thread --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until `stop`; errors of the store end it with `StoreFailed`, everything else is tried again."""
        reader: Reader | None = None
        try:
            reader = self._open_reader()
            timeout_s = self._pace.receipt_timeout_s
            self._opened = Drain(
                self._identity.kiosk, reader, receipt_timeout_s=timeout_s, tell=self._tell, trouble=self._trouble
            )
            self._drain.look_at_heads(self._clock_s())
            while not self._is_stopping:
                self._step()
        except StoreError as error:
            self._tell(StoreFailed(error.message))
        finally:
            self._say_goodbye()
            if reader is not None:
                reader.close()

    def _step(self) -> None:
        """Wait for the next event or deadline, then send what may go."""
        now_s = self._clock_s()
        wake_at_s = self._wake_at_s(now_s)
        timeout_s = None if wake_at_s is None else max(0.0, wake_at_s - now_s)
        with contextlib.suppress(queue.Empty):
            self._take(self._queue.get(timeout=timeout_s))
            for _ in range(MOST_EVENTS):  # what is there goes before sending, unless it never ends
                self._take(self._queue.get_nowait())
        if self._is_stopping:
            return
        now_s = self._clock_s()
        self._troubles.tell_due(now_s)
        self._leave_mute_broker(now_s)
        if self._link is None and now_s >= self._retry_at_s:
            self._connect()
        self._drain.send(now_s)

    def _wake_at_s(self, now_s: float) -> float | None:
        times = [self._troubles.wake_at_s(), self._drain.wake_at_s(now_s)]
        if self._link is None:
            times.append(self._retry_at_s)
        return min((time for time in times if time is not None), default=None)

    def _take(self, event: LinkEvent | _Wake) -> None:
        if isinstance(event, _Wake):
            self._is_stopping |= event.stop
            if event.said is None:
                self._drain.look_at_heads(self._clock_s(), event.rewound)
            else:
                self._say(event.said)
            return
        if self._link is None or event.link != self._link.number:
            return  # of a connection that is gone
        match event:
            case Connected():
                self._announce(event)
            case Disconnected():
                self._lost(event)
            case Acknowledged():
                self._acknowledged(event)
            case Arrived():
                self._arrived(event)

    def _say(self, said: Said) -> None:
        if not said.is_owed and not self._is_connected:
            return
        token = self._signer.sign(said.payload, said.typ).encode("ascii") if said.typ else said.payload
        if said.is_owed:
            self._answers.owe(said.topic, token)
        if self._link is not None and self._is_connected:
            self._answers.sent(self._link.publish(said.topic, token, retain=said.is_retained), said.topic)

    def _hear(self, event: LinkEvent) -> None:
        """Take an event from a link's own thread."""
        if not isinstance(event, Arrived) or self._queue.qsize() < MOST_WAITING:
            self._queue.put(event)

    # --- connection --------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._links += 1
        self._connection = str(uuid.UUID(int=self._jitter.getrandbits(128)))
        will = Will(status_topic(self._identity.kiosk), self._status("offline"))
        self._link = self._new_link(self._links, self._endpoint, will, self._hear)
        self._link.open()

    def _announce(self, event: Connected) -> None:
        """Subscribe, publish the birth, and begin again after the last receipt."""
        assert self._link is not None
        kiosk = self._identity.kiosk
        self._is_connected, self._connected_at_s = True, self._clock_s()
        topics = [receipt_topic(kiosk, "+"), command_topic(kiosk, "+"), desired_topic(kiosk)]
        self._link.subscribe([*topics, renewal_answer_topic(kiosk)])
        self._link.publish(status_topic(kiosk), self._status("online"), retain=True)
        for topic, token in self._answers.reconnected():
            self._answers.sent(self._link.publish(topic, token), topic)
        self._drain.connected(self._link, event)
        self._tell(UplinkChanged(True, "connected"))

    def _lost(self, event: Disconnected) -> None:
        now_s = self._clock_s()
        assert self._link is not None
        self._link.close()
        if self._is_connected and now_s - self._connected_at_s >= STABLE_S:
            self._retry_s = self._pace.retry_least_s
        self._link, self._is_connected = None, False
        self._drain.disconnected(event.reason)
        self._retry_s = min(self._pace.retry_most_s, self._jitter.uniform(self._pace.retry_least_s, self._retry_s * 3))
        self._retry_at_s = now_s + self._retry_s
        self._tell(UplinkChanged(False, event.reason))

    def _leave_mute_broker(self, now_s: float) -> None:
        since_s = self._drain.waits_since_s()
        if self._link is not None and since_s is not None and now_s - since_s >= PUBACK_S:
            self._lost(Disconnected(self._link.number, "the broker acknowledges nothing"))

    def _say_goodbye(self) -> None:
        if self._link is not None:
            if self._is_connected:
                self._link.publish(status_topic(self._identity.kiosk), self._status("offline"), retain=True)
            self._link.close()
            self._link = None

    def _status(self, state: str) -> bytes:
        identity = self._identity
        status = messages.Status(
            kiosk=identity.kiosk,
            state=state,
            connection=self._connection,
            boot_id=identity.boot_id,
            version=identity.version,
            at=self._now().text,
            streams={} if state == "offline" else self._drain.heads(),
            opening_key=identity.opening_key,
            receipt_keys=identity.receipt_keys,
        )
        return self._signer.sign(messages.encode(status), messages.STATUS_TYP).encode("ascii")

    def _acknowledged(self, event: Acknowledged) -> None:
        if event.reason_code >= REFUSED:
            self._trouble(self._drain.stream_of(event.mid), refusal(event.reason_code))
        if not self._answers.acknowledged(event.mid):
            self._drain.acknowledged(event, self._clock_s())

    # --- what the centre says ----------------------------------------------------------------------------------------

    def _arrived(self, event: Arrived) -> None:
        """Take a receipt or a command; whatever is not well signed or not for us is counted and changes nothing."""
        try:
            topic = parse_topic(event.topic)
            token = event.payload.decode("ascii")
            if topic.kind == "receipt":
                payload = self._centre.verify(token, messages.RECEIPT_TYP)
                self._drain.follow_receipt(topic.leaf, messages.decode(messages.Receipt, payload), self._clock_s())
            elif (topic.kind, topic.leaf) == ("command", "resend"):
                payload = self._centre.verify(token, messages.RESEND_TYP)
                self._drain.follow_resend(messages.decode(messages.Resend, payload))
            elif topic.kind == "command":
                payload = self._centre.verify(token, COMMAND_TYP)
                self._tell(CommandArrived(messages.decode(Command, payload)))
            elif topic.kind == "desired":
                payload = self._centre.verify(token, DESIRED_TYP)
                self._tell(SettingsDesired(messages.decode(Desired, payload)))
            elif (topic.kind, topic.leaf) == ("renewal", "answer"):
                self._tell(RenewalAnswered(token))
            else:
                self._trouble(topic.leaf, "unknown_topic")
        except (SealError, ContractError, UnicodeDecodeError):
            self._trouble(event.topic.rpartition("/")[2], NOT_VALID)

    def _trouble(self, stream: str, what: str) -> bool:
        return self._troubles.add(stream, what, self._clock_s())

    def _clock_s(self) -> float:
        return self._now().clock.boottime_s

    @property
    def _drain(self) -> Drain:
        assert self._opened is not None, "the store is open before anything else happens"
        return self._opened
