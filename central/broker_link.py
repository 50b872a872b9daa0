"""One connection to the broker. The only file of the centre that imports paho.

Owns TLS, the subscriptions and what is said over one connection; whoever wants another connection makes another link,
so that an acknowledgement can never reach the wrong one. Always true: paho's callbacks only put an event into the
inbox; a message is acknowledged by `acknowledge` alone; there is no connection without TLS 1.2 and a client
certificate.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from secrets import token_hex
from typing import Any, Protocol

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from central.config import BrokerSettings
from edge.errors import SettingError
from edge.identity.tls import client_context
from edge.wire.topics import PREFIX

STREAMS = f"{PREFIX}/+/+/stream/+"
STATUSES = f"{PREFIX}/+/+/status"  # not shared: retained messages do not reach a shared subscription
HEALTHS = f"{PREFIX}/+/+/health"
REPLIES = f"{PREFIX}/+/+/reply/+"
REPORTS = f"{PREFIX}/+/+/reported"

MAX_PACKET_BYTES = 4 * 1024 * 1024
CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of the broker that waits for its acknowledgement."""

    link: Link
    mid: int
    topic: str
    payload: bytes = field(repr=False)
    is_retained: bool = False  # the broker kept it from before the subscription


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The broker took all subscriptions: messages will come."""

    link: Link


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone, or was refused."""

    link: Link
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody asked the collector to end."""


Event = Delivery | Subscribed | Disconnected | Stop


class Link(Protocol):
    """What the collector needs of a connection."""

    def open(self) -> None:
        """Connect; events follow. Raise OSError when the broker cannot be reached."""

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that a message is stored."""

    def publish(self, topic: str, payload: str, *, is_retained: bool) -> None:
        """Publish with QoS 1; a lost message is no loss, since kiosks ask again by sending again."""

    def close(self, timeout_s: float = 2.0) -> None:
        """Disconnect, giving what was published some time to go out."""


def tls_context(settings: BrokerSettings) -> ssl.SSLContext:
    """Return the TLS settings of a collector; raise `SettingError` for files that cannot be used."""
    try:
        context = client_context(settings.ca)
    except (OSError, ssl.SSLError):
        raise SettingError(
            str(settings.ca), "", "must be a readable PEM file with the authority's certificate"
        ) from None
    try:
        context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError):
        pair = f"{settings.certificate} and {settings.key}"
        raise SettingError(pair, "", "must be readable PEM files, a certificate and its key") from None
    return context


class _Client(paho.Client):
    """paho's client, which tells when its thread dies; paho itself is silent then, and looks connected for ever."""

    died: Callable[[str], None] = staticmethod(lambda reason: None)

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:
        """Do the work of paho's thread."""
        try:
            return super().loop_forever(timeout, retry_first_connection)
        except Exception as error:  # the thread's wrapper; its text may quote what came
            self.died(f"the broker sent what is no MQTT: {type(error).__name__}")
            return MQTTErrorCode.MQTT_ERR_PROTOCOL


class BrokerLink:
    """A connection through paho, used once, with the collector's subscriptions or others."""

    def __init__(
        self,
        settings: BrokerSettings,
        context: ssl.SSLContext,
        inbox: SimpleQueue[Event],
        *,
        in_flight: int,
        topics: tuple[str, ...] = (),
        role: str = "collector",
    ) -> None:
        self._settings = settings
        self._inbox = inbox
        self._in_flight = in_flight
        streams = f"$share/{settings.share_group}/{STREAMS}" if settings.share_group else STREAMS
        self._topics = topics or (streams, STATUSES, REPLIES, REPORTS)
        self._last_published: paho.MQTTMessageInfo | None = None
        self._client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id or f"{role}-{socket.gethostname()[:32]}-{token_hex(4)}",
            protocol=paho.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self._client.tls_set_context(context)
        self._client.connect_timeout = CONNECT_TIMEOUT_S
        self._client.died = lambda reason: inbox.put(Disconnected(self, reason))
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    def open(self) -> None:
        """Connect with a clean session: what was not acknowledged, kiosks send again."""
        wishes = Properties(PacketTypes.CONNECT)
        wishes.SessionExpiryInterval = 0
        wishes.ReceiveMaximum = self._in_flight
        wishes.MaximumPacketSize = MAX_PACKET_BYTES
        self._client.connect(
            self._settings.host, self._settings.port, self._settings.keep_alive_s, clean_start=True, properties=wishes
        )
        self._client.loop_start()

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that a message is stored."""
        self._client.ack(delivery.mid, 1)

    def publish(self, topic: str, payload: str, *, is_retained: bool) -> None:
        """Publish with QoS 1."""
        self._last_published = self._client.publish(topic, payload, qos=1, retain=is_retained)

    def close(self, timeout_s: float = 2.0) -> None:
        """Disconnect, giving the last publish up to `timeout_s` to be acknowledged."""
        if self._last_published is not None and self._client.is_connected():
            try:
                self._last_published.wait_for_publish(timeout_s)
            except (RuntimeError, ValueError):
                pass  # it was made while the connection went away
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: paho.Client, userdata: Any, flags: Any, code: Any, properties: Any) -> None:
        if code.is_failure:
            self._inbox.put(Disconnected(self, f"refused: {code.getName()}"))
        else:
            client.subscribe([(topic, paho.SubscribeOptions(qos=1)) for topic in self._topics])

    def _on_subscribe(self, client: paho.Client, userdata: Any, mid: int, codes: Any, properties: Any) -> None:
        refused = [code.getName() for code in codes if code.is_failure]
        if refused:
            self._inbox.put(Disconnected(self, f"subscription refused: {refused[0]}"))
        else:
            self._inbox.put(Subscribed(self))

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        self._inbox.put(Delivery(self, message.mid, message.topic, message.payload, message.retain))

    def _on_disconnect(self, client: paho.Client, userdata: Any, flags: Any, code: Any, properties: Any) -> None:
        self._inbox.put(Disconnected(self, code.getName()))
