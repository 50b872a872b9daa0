"""The enrolment desk over the broker, with a link in the test's hands."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread

import msgspec
import pytest

from central.broker_link import Delivery, Subscribed
from central.enrolment.by_broker import BrokerDesk
from central.enrolment.server import Pace
from edge.identity import enrolment
from edge.wire.topics import renewal_answer_topic, renewal_request_topic
from tests.central.enrolment.conftest import KIOSK, Visitor

OTHER = "dm-roseau/ferry-02"


class FakeLink:
    """A connection on which the test publishes as a kiosk."""

    def __init__(self, inbox):
        self.inbox = inbox
        self.acknowledged = []
        self.published: SimpleQueue = SimpleQueue()

    def open(self):
        self.inbox.put(Subscribed(self))

    def acknowledge(self, delivery):
        self.acknowledged.append(delivery.mid)

    def publish(self, topic, payload, *, is_retained):
        assert not is_retained
        self.published.put((topic, payload))

    def close(self, timeout_s=2.0):
        pass

    def asks(self, topic, payload):
        self.inbox.put(Delivery(self, 7, topic, payload))

    def answer(self):
        return self.published.get(timeout=10)


@pytest.fixture
def at_broker(desk):
    """Return what runs the desk at a broker and gives the link."""
    running = []

    def run(per_minute=100):
        links = []
        broker_desk = BrokerDesk(
            desk, Pace(per_minute, lambda: 0.0), lambda inbox: links.append(FakeLink(inbox)) or links[-1]
        )
        thread = Thread(target=broker_desk.run)
        thread.start()
        running.append((broker_desk, thread))
        while not links:
            thread.join(0.01)
        return links[0]

    yield run
    for broker_desk, thread in running:
        broker_desk.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def known(desk):
    """A kiosk that is enrolled."""
    from datetime import timedelta

    visitor = Visitor()
    code, _ = desk.invite(KIOSK, timedelta(hours=1))
    desk.enrol(visitor.request(), code)
    return visitor


def test_a_kiosk_whose_certificate_ends_soon_gets_a_new_one(at_broker, known, clock, answer_of):
    clock.passes(days=700)
    link = at_broker()
    link.asks(renewal_request_topic(KIOSK), enrolment.encode(known.request()))
    topic, answer = link.answer()
    assert topic == renewal_answer_topic(KIOSK)
    assert answer_of(answer).kiosk == KIOSK
    assert link.acknowledged == [7]


def test_nobody_renews_in_the_name_of_another(at_broker, known):
    link = at_broker()
    link.asks(renewal_request_topic(OTHER), enrolment.encode(known.request()))
    topic, answer = link.answer()
    assert topic == renewal_answer_topic(OTHER)
    assert msgspec.json.decode(answer)["error"] == "the request has another name than its topic"


def test_a_stranger_is_told_why_not(at_broker, known):
    link = at_broker()
    link.asks(renewal_request_topic(KIOSK), enrolment.encode(Visitor().request()))
    assert "not known with these keys" in msgspec.json.decode(link.answer()[1])["error"]


@pytest.mark.parametrize("payload", [b"", b"\xff", b"{}", b"[" * 10_000, b"x" * 100_000])
def test_noise_is_refused_and_the_next_is_served(at_broker, known, payload):
    link = at_broker()
    link.asks("landfall/v1/no-topic", payload)
    link.asks(renewal_request_topic(KIOSK), payload)
    assert "error" in msgspec.json.decode(link.answer()[1])
    link.asks(renewal_request_topic(KIOSK), enrolment.encode(known.request()))
    assert link.answer()[1].count(".") == 2


def test_one_kiosk_that_asks_without_end_is_not_answered_and_the_others_are(at_broker, known):
    link = at_broker(per_minute=1)
    for _ in range(3):
        link.asks(renewal_request_topic(KIOSK), b"")
    link.asks(renewal_request_topic(OTHER), b"")
    assert [link.answer()[0] for _ in range(2)] == [renewal_answer_topic(KIOSK), renewal_answer_topic(OTHER)]
