"""The enrolment desk over the broker: renewals of kiosks that reach nothing else.

Owns a connection of its own to the broker and a thread; `desk` decides, as over HTTPS. Always true: who asks is who the
broker let publish on that kiosk's topic, and the request's own proofs are asked for besides; one kiosk has so many
tries a minute; nobody enrols this way, since a kiosk without a certificate has no connection; what was asked is in no
log; an answer that is lost is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event as Flag
from time import monotonic
from typing import Protocol

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from central.broker_link import Delivery, Disconnected, Event, Link, Stop, Subscribed
from central.clock import Pause
from central.enrolment.desk import Desk
from central.journal import ERROR, INFO, NOTICE, WARNING, log, told
from edge.errors import ContractError, LandfallError
from edge.identity.enrolment import decode_request
from edge.wire.topics import PREFIX, parse_topic, renewal_answer_topic

# Not shared, since a kiosk could join the group and swallow the requests of others; each of several desks answers, and
# the second gives the certificate of the first.
REQUESTS = f"{PREFIX}/+/+/renewal/request"
IN_FLIGHT = 20


class Paces(Protocol):
    """`central.enrolment.server.Pace`, of a kiosk's name."""

    def allows(self, address: str) -> bool: ...


class BrokerDesk:
    """Runs in a thread of its own through `run`; `open_link` makes a connection that subscribes to `REQUESTS`."""

    def __init__(
        self,
        desk: Desk,
        pace: Paces,
        open_link: Callable[[SimpleQueue[Event]], Link],
        *,
        clock_s: Callable[[], float] = monotonic,
    ) -> None:
        self._desk, self._pace, self._open_link, self._clock_s = desk, pace, open_link, clock_s
        self._inbox: SimpleQueue[Event] = SimpleQueue()
        self._stopping = Flag()
        self._link: Link | None = None
        self._retry = Pause()
        self._connect_at_s = 0.0

    def stop(self) -> None:
        """Ask it to end; may be called from any thread."""
        self._stopping.set()
        self._inbox.put(Stop())

    def run(self) -> None:
        """Answer until `stop` is called."""
        while not self._stopping.is_set():
            try:
                self._step()
            except Exception as error:  # its text may quote a request, so only its kind and place are told
                log(ERROR, told(error))
                self._leave()
        self._leave()

    def _step(self) -> None:
        if self._link is None and self._clock_s() >= self._connect_at_s:
            self._connect()
        try:
            event = self._inbox.get(
                timeout=max(0.0, self._connect_at_s - self._clock_s()) if self._link is None else None
            )
        except Empty:
            return
        match event:
            case Delivery(link, _, topic, payload) if link is self._link:
                link.acknowledge(event)
                self._answer(link, topic, payload)
            case Subscribed(link) if link is self._link:
                self._retry.reset()
                log(INFO, "kiosks renew through the broker")
            case Disconnected(link, reason) if link is self._link:
                log(WARNING, f"broker: connection lost ({reason})")
                self._leave()

    def _connect(self) -> None:
        link = self._open_link(self._inbox)
        self._link = link
        try:
            link.open()
        except OSError as error:
            log(WARNING, f"broker: not connected: {error}")
            self._leave()

    def _leave(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
        self._connect_at_s = self._clock_s() + self._retry.next_s()

    def _answer(self, link: Link, topic: str, payload: bytes) -> None:
        try:
            kiosk = parse_topic(topic).kiosk
            if not self._pace.allows(kiosk):
                return
            answer = self._judged(kiosk, payload)
        except ContractError as error:
            log(WARNING, f"a request on no topic of a kiosk: {error.message}")
        except SQLAlchemyError as error:
            log(ERROR, f"{told(error)}; a kiosk is not answered")
        else:
            link.publish(renewal_answer_topic(kiosk), answer, is_retained=False)

    def _judged(self, kiosk: str, payload: bytes) -> str:
        """Return the desk's answer, or why it refuses, as it would stand in a body."""
        try:
            request = decode_request(payload)
            if request.kiosk != kiosk:
                raise ContractError("the request has another name than its topic")
            answer = self._desk.renew(request)
        except LandfallError as error:
            log(NOTICE, f"{kiosk}: renewal refused: {error.message}")
            return msgspec.json.encode({"error": error.message, "remedy": error.remedy}).decode()
        log(NOTICE, f"{kiosk}: renewal answered")
        return answer
