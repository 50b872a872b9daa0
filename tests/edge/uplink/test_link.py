"""One connection, to a broker that does what no broker should: it holds the certificate, and says anything."""

from __future__ import annotations

import os
import queue
import resource
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTErrorCode

from edge.identity.tls import client_context
from edge.uplink.link import (
    MOST_INCOMING_BYTES,
    MOST_UNSENT,
    Acknowledged,
    Arrived,
    Connected,
    Disconnected,
    Endpoint,
    Link,
    LinkEvent,
    Will,
)
from provisioning.authority import Authority

WITHIN_S = 60.0
CONNACK = bytes.fromhex("2003000000")
RECEIPT = "landfall/v1/utopia/lane-1/receipt/crossing"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority.create(folder / "authority")
    authority.issue_broker(folder, ["127.0.0.1"])
    authority.issue_kiosk(folder, "utopia", "lane-1")
    return folder


class Broker:
    """Takes one client with mutual TLS, reads its CONNECT, and sends whatever the test wants."""

    def __init__(self, certificates: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates / "broker.crt", certificates / "broker.key")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = Endpoint(
            "127.0.0.1",
            self._listener.getsockname()[1],
            certificates / "ca.crt",
            certificates / "client.crt",
            certificates / "client.key",
            "utopia/lane-1",
            client_context,
            keepalive_s=60,
        )
        self.connect, self.heard = b"", b""
        self._client: ssl.SSLSocket | None = None
        self._reader: threading.Thread | None = None

    def accept(self) -> None:
        """Take the client in a thread, and read whatever it says until it hangs up."""
        self._is_there = threading.Event()
        self._reader = threading.Thread(target=self._serve)
        self._reader.start()

    def _serve(self) -> None:
        plain, _ = self._listener.accept()
        with plain, self._context.wrap_socket(plain, server_side=True) as self._client:
            self.connect = self._client.recv(4096)
            self._is_there.set()
            while self._read():
                pass

    def _read(self) -> bool:
        assert self._client is not None
        try:
            heard = self._client.recv(65536)
        except OSError:
            return False
        self.heard += heard
        return bool(heard)

    def send(self, *packets: bytes) -> None:
        """Send bytes to the client; it may hang up meanwhile."""
        assert self._is_there.wait(WITHIN_S) and self._client is not None
        try:
            for packet in packets:
                self._client.sendall(packet)
        except OSError:
            pass

    def close(self) -> None:
        self._listener.close()
        if self._reader is not None:
            self._reader.join(WITHIN_S)
            assert not self._reader.is_alive()


class Told:
    """What a link told."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()

    def next(self) -> LinkEvent:
        """Return the next event."""
        return self.events.get(timeout=WITHIN_S)


@pytest.fixture
def broker(certificates) -> Iterator[Broker]:
    broker = Broker(certificates)
    yield broker
    broker.close()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def link(broker, told) -> Iterator[Link]:
    link = Link(7, broker.endpoint, Will("landfall/v1/utopia/lane-1/status", b"gone"), told.events.put)
    yield link
    link.close()


@pytest.fixture
def died(monkeypatch) -> list[str]:
    """Return the threads that ended with an error."""
    died: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: died.append(arguments.thread.name))
    return died


def publish(topic: bytes, payload: bytes, *, properties: bytes = b"", qos: int = 0, mid: int = 1) -> bytes:
    """Return a PUBLISH."""
    named = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if qos else b"")
    body = named + bytes([len(properties)]) + properties + payload
    return bytes([0x30 | qos << 1]) + _length(len(body)) + body


def _length(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def connect(broker: Broker, link: Link, told: Told) -> None:
    """Connect the link to the broker."""
    broker.accept()
    link.open()
    broker.send(CONNACK)
    assert told.next() == Connected(7, None, 65535)


def wait_to_hear(broker: Broker, packet: bytes) -> None:
    """Wait until the broker has heard something."""
    until_s = time.monotonic() + WITHIN_S
    while packet not in broker.heard:
        assert time.monotonic() < until_s
        time.sleep(0.002)


def test_no_more_is_on_its_way_at_once_than_the_broker_takes(broker, link, told) -> None:
    broker.accept()
    link.open()
    broker.send(bytes.fromhex("2006000003210001"))  # Receive Maximum 1
    assert told.next() == Connected(7, None, 1)
    first = link.publish("landfall/first", b"1")
    link.publish("landfall/second", b"2")
    link.subscribe(["landfall/third"])
    wait_to_hear(broker, b"landfall/third")
    assert b"landfall/first" in broker.heard and b"landfall/second" not in broker.heard
    assert first is not None
    broker.send(b"\x40\x02" + first.to_bytes(2, "big"))
    assert told.next() == Acknowledged(7, first, 0)
    wait_to_hear(broker, b"landfall/second")


def test_what_arrives_is_told_with_its_topic(broker, link, told) -> None:
    connect(broker, link, told)
    broker.send(publish(RECEIPT.encode(), b"token"))
    assert told.next() == Arrived(7, RECEIPT, b"token")


def test_the_broker_is_told_how_large_a_message_may_be(broker, link, told) -> None:
    connect(broker, link, told)
    assert b"\x27" + MOST_INCOMING_BYTES.to_bytes(4, "big") in broker.connect  # MQTT 5, 3.1.2.11.4


@pytest.mark.parametrize(
    "packet",
    [
        publish(RECEIPT.encode(), b"x", properties=b"\xff\xff\xff"),
        publish(RECEIPT.encode(), b"x", properties=b"\x26\x00\x02\xff\xfe\x00\x01a"),
        publish(b"landfall/\xff\xfe", b"x"),
        b"\x30\x02\x00\xff",
        b"\x40\x01\x00",
        b"\xf0\x00",
        b"\x90\x02\x00\x01",
        b"\x30\xff\xff\xff\xff\xff",
        publish(RECEIPT.encode(), b"x", qos=2),
        CONNACK * 3,
    ],
    ids=["property", "text", "topic", "cut", "puback", "auth", "suback", "length", "qos 2", "connack"],
)
def test_a_packet_that_is_none_ends_the_connection_and_is_told_once(broker, link, told, died, packet) -> None:
    connect(broker, link, told)
    broker.send(packet)
    event = told.next()
    assert isinstance(event, Disconnected) and event.link == 7
    assert died == [] and told.events.empty()


def test_a_message_without_measure_ends_the_connection_before_it_fills_the_memory(broker, link, told, died) -> None:
    connect(broker, link, told)
    broker.send(b"\x30" + _length(268_435_455), *[bytes(65536)] * 64)
    assert isinstance(told.next(), Disconnected)
    assert died == []


def test_a_broker_that_sends_and_never_reads_does_not_fill_the_memory(broker, link, told, died, monkeypatch) -> None:
    connect(broker, link, told)
    monkeypatch.setattr(link._client, "_packet_write", lambda: MQTTErrorCode.MQTT_ERR_SUCCESS)  # its socket is full
    broker.send(b"".join(publish(RECEIPT.encode(), b"x", qos=1, mid=mid) for mid in range(1, MOST_UNSENT + 100)))
    taken = 0
    while isinstance(event := told.next(), Arrived):
        taken += 1
    assert isinstance(event, Disconnected) and taken <= MOST_UNSENT + 1
    assert died == []


def test_a_connection_that_paho_gives_up_in_silence_is_told(broker, link, told, died) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with ExitStack() as held:
        for _ in range(1024):  # select(2) takes no descriptor above
            held.callback(os.close, os.dup(0))
        broker.accept()
        link.open()
        assert isinstance(told.next(), Disconnected)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert died == [] and told.events.empty()


def test_a_broker_that_cannot_be_reached_is_told_and_raises_nothing(broker, link, told) -> None:
    broker.close()
    link.open()
    event = told.next()
    assert isinstance(event, Disconnected) and event.reason == "Connection refused"


def test_after_closing_nothing_is_told_any_more(broker, link, told) -> None:
    connect(broker, link, told)
    link.close()
    link.close()
    assert told.events.empty()
