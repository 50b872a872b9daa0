"""The real broker for tests: `provisioning.local_broker` and an MQTT client that remembers what it was sent."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from provisioning.local_broker import LocalBroker

__all__ = ["Delivered", "LocalBroker", "Participant"]
WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message as it arrived."""

    topic: str
    payload: bytes
    retained: bool = False


class Participant:
    """An MQTT 5 client with the certificate in `folder`; a context manager that is connected inside.

    `will` is the topic on which the broker is to speak once the connection breaks. Raises ConnectionError when the
    broker does not take it.
    """

    def __init__(
        self, broker: LocalBroker, folder: Path, *, client_id: str = "", clean_start: bool = True, will: str = ""
    ) -> None:
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        self._client.tls_set(str(folder / "ca.crt"), str(folder / "client.crt"), str(folder / "client.key"))
        if will:
            self._client.will_set(will, b"gone", qos=1)
        self._broker, self._clean_start = broker, clean_start
        self._changed = threading.Condition()
        self._delivered: list[Delivered] = []
        self._answers: dict[int, paho.ReasonCode] = {}
        self._connected: paho.ReasonCode | None = None
        self._lost = False
        self.max_packet_bytes: int | None = None  # as the broker told when it took the client
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_answer
        self._client.on_subscribe = lambda client, userdata, mid, codes, properties: self._answer(mid, codes[0])

    def __enter__(self) -> Participant:
        self._client.connect(self._broker.host, self._broker.port, clean_start=self._clean_start)
        self._client.loop_start()
        self._wait(lambda: self._connected is not None or self._lost)
        if self._connected is None or self._connected.is_failure:
            self._end()
            raise ConnectionError(f"the broker did not take the client: {self._connected}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def subscribe(self, topic: str) -> None:
        """Subscribe with QoS 1 and wait for the broker's answer."""
        self._answered(self._client.subscribe(topic, qos=1)[1])

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> str:
        """Publish with QoS 1, wait for the PUBACK and return the name of its reason code."""
        return self._answered(self._client.publish(topic, payload, qos=1, retain=retain).mid).getName()

    def delivered(self, count: int) -> list[Delivered]:
        """Return what was delivered, as soon as it is `count` messages; raise TimeoutError when they do not come."""
        if not self._wait(lambda: len(self._delivered) >= count):
            raise TimeoutError(f"{len(self._delivered)} of {count} messages came")
        return list(self._delivered)

    def is_pushed_off(self) -> bool:
        """Tell, after waiting for it, whether the broker has ended the connection."""
        return self._wait(lambda: self._lost)

    def vanish(self) -> None:
        """Let the connection break without a goodbye, and wait until it has."""
        self._client.socket().shutdown(socket.SHUT_RDWR)
        self._wait(lambda: self._lost)

    def _answered(self, mid: int) -> paho.ReasonCode:
        self._wait(lambda: mid in self._answers or self._lost)
        if self._lost:
            raise ConnectionError("the broker ended the connection")
        if mid not in self._answers:
            raise TimeoutError("the broker did not answer")
        return self._answers[mid]

    def _wait(self, happened: object) -> bool:
        with self._changed:
            return self._changed.wait_for(happened, WITHIN_S)

    def _end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: object, userdata: object, flags: object, code: paho.ReasonCode, told: paho.Properties
    ) -> None:
        with self._changed:
            self._connected = code
            self.max_packet_bytes = getattr(told, "MaximumPacketSize", None)
            self._changed.notify_all()

    def _on_disconnect(self, client: object, userdata: object, flags: object, code: object, _: object) -> None:
        with self._changed:
            self._lost = True
            self._changed.notify_all()

    def _on_message(self, client: object, userdata: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            self._delivered.append(Delivered(message.topic, message.payload, message.retain))
            self._changed.notify_all()

    def _on_answer(self, client: object, userdata: object, mid: int, code: paho.ReasonCode, _: object) -> None:
        self._answer(mid, code)

    def _answer(self, mid: int, code: paho.ReasonCode) -> None:
        with self._changed:
            self._answers[mid] = code
            self._changed.notify_all()
