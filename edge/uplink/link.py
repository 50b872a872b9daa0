"""One MQTT 5 connection with mutual TLS, by paho-mqtt.

Owns the client of one attempt to connect: a new attempt is a new `Link`, so that nothing of an old session is sent
again behind our back. Always true: there is no connection without TLS and a checked host name; callbacks only put an
event in the queue, because paho holds a mutex while it calls them and an exception there would end its thread;
whatever ends that thread is told as `Disconnected`.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

_ABOUT_TIME = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
MOST_QUEUED = 64  # messages inside paho; the window keeps far fewer on their way
MOST_UNSENT = 1000  # packets that wait for the socket; there are as many PUBACKs as the broker likes
QOS_2 = 0x04  # in the first byte of a PUBLISH (MQTT 5, 3.3.1.2)
MOST_INCOMING_BYTES = 64 * 1024  # receipts and commands have some hundred


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker accepted us; the limits are the broker's own (MQTT 5, 3.2.2.3)."""

    link: int
    maximum_packet: int | None
    receive_maximum: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone, or was never there."""

    link: int
    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A PUBACK with its reason code (MQTT 5, 3.4.2.1)."""

    link: int
    mid: int
    reason_code: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message for this kiosk."""

    link: int
    topic: str
    payload: bytes = field(repr=False)


LinkEvent = Connected | Disconnected | Acknowledged | Arrived


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker is, and the files that prove who we are and who it is.

    `context_of` makes of `ca` how TLS is spoken with whom that file trusts.
    """

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path
    client_id: str
    context_of: Callable[[Path], ssl.SSLContext]
    keepalive_s: int = 30
    connect_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Will:
    """The retained message that the broker publishes when we are gone."""

    topic: str
    payload: bytes = field(repr=False)


class _Client(Client):
    """paho's client for a broker that may send anything: it tells when its thread ends, and bounds what it takes in.

    paho itself is silent when an exception ends it (a topic that is not UTF-8 is enough) and when select(2) refuses the
    socket: it would look connected for ever.
    """

    died: Callable[[str], None] = staticmethod(lambda reason: None)

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:
        """Do the work of paho's thread."""
        try:
            result = super().loop_forever(timeout, retry_first_connection)
            self.died("the connection ended")  # no news where paho has said so itself
            return result
        except Exception as error:  # the thread's wrapper; its text may quote what came
            self.died(f"the broker sent what is no MQTT: {type(error).__name__}")
            return MQTTErrorCode.MQTT_ERR_PROTOCOL

    def keep_to(self, receive_maximum: int) -> None:
        """Have no more on its way than the broker takes (MQTT 5, 3.3.4): paho lets nobody set that once connected."""
        self._max_inflight_messages = min(MOST_QUEUED, receive_maximum)

    def _handle_publish(self) -> MQTTErrorCode:
        """Take a message. paho keeps one with QoS 2, for which nobody asked, until the broker lets it go, if ever."""
        if self._in_packet["command"] & QOS_2 or len(self._out_packet) > MOST_UNSENT:
            raise ConnectionAbortedError("the broker sends with QoS 2, or does not read what is answered")
        return super()._handle_publish()

    def _sock_recv(self, bufsize: int) -> bytes:  # asked for the whole of a packet as soon as its length is known
        if bufsize > MOST_INCOMING_BYTES:
            raise ConnectionAbortedError("the broker sends more than it was told to")
        return super()._sock_recv(bufsize)


class Link:
    """One connection; `number` marks its events, so that those of an older one can be told apart."""

    def __init__(self, number: int, endpoint: Endpoint, will: Will | None, put: Callable[[LinkEvent], None]) -> None:
        self.number = number
        self._endpoint = endpoint
        self._put = put
        self._is_gone = False
        self._was_connected = False
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=endpoint.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(MOST_QUEUED)
        client.max_queued_messages_set(MOST_QUEUED)
        client.connect_timeout = endpoint.connect_timeout_s
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.died = self._gone
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        self._client = client

    def open(self) -> None:
        """Connect and start paho's thread; failure comes as `Disconnected`, never as an exception.

        Blocks for at most the connect timeout, so it is called from the uplink's own thread.
        """
        endpoint = self._endpoint
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0
        properties.MaximumPacketSize = MOST_INCOMING_BYTES
        try:
            self._client.tls_set_context(tls_context(endpoint))
            self._client.connect(
                endpoint.host, endpoint.port, endpoint.keepalive_s, clean_start=True, properties=properties
            )
            self._client.loop_start()
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            self._gone(why_not(error))

    def close(self) -> None:
        """Say goodbye and end paho's thread; may be called twice."""
        self._is_gone = True
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, topics: list[str]) -> None:
        """Subscribe with QoS 1."""
        self._client.subscribe([(topic, 1) for topic in topics])

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, content_type: str = "") -> int | None:
        """Send one message with QoS 1; return its packet identifier, or None when the connection takes none."""
        properties = Properties(PacketTypes.PUBLISH)
        if content_type:
            properties.ContentType = content_type
        try:
            info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        except ValueError:  # larger than MQTT or the broker allows
            return None
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def _on_connect(self, client, userdata, flags, reason_code, properties) -> None:  # type: ignore[no-untyped-def]
        if reason_code.is_failure:
            self._gone(f"broker refused: {reason_code}")
            return
        if self._was_connected:  # each would be announced anew
            self._gone("the broker accepted one connection twice")
            return
        self._was_connected = True
        receive_maximum = getattr(properties, "ReceiveMaximum", 65535)
        self._client.keep_to(receive_maximum)
        self._put(Connected(self.number, getattr(properties, "MaximumPacketSize", None), receive_maximum))

    def _on_disconnect(self, client, userdata, flags, reason_code, properties) -> None:  # type: ignore[no-untyped-def]
        why = str(reason_code)
        if not self._was_connected:  # with TLS 1.3 the broker hangs up on a bad certificate after the handshake
            why = certificate_trouble(self._endpoint.certificate, datetime.now(UTC)) or f"broker hung up: {why}"
        self._gone(why)

    def _on_publish(self, client, userdata, mid, reason_code, properties) -> None:  # type: ignore[no-untyped-def]
        self._put(Acknowledged(self.number, mid, reason_code.value))

    def _on_message(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        self._put(Arrived(self.number, message.topic, message.payload))

    def _gone(self, reason: str) -> None:
        if not self._is_gone:
            self._is_gone = True
            self._put(Disconnected(self.number, reason))


def tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    """Return how TLS is spoken here; raise OSError for files that cannot be used."""
    context = endpoint.context_of(endpoint.ca)
    context.load_cert_chain(endpoint.certificate, endpoint.key)
    return context


def certificate_trouble(path: Path, now: datetime) -> str:
    """Return what is wrong with the dates of this kiosk's own certificate, or nothing; it may be the clock."""
    from cryptography.x509 import load_pem_x509_certificate  # needed in trouble only

    try:
        certificate = load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return f"{path.name} is not a certificate"
    if now > certificate.not_valid_after_utc:
        return f"this kiosk's certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}; renew it"
    if now < certificate.not_valid_before_utc:
        return f"this kiosk's certificate is valid from {certificate.not_valid_before_utc:%Y-%m-%d}; check the clock"
    return ""


def why_not(error: Exception) -> str:
    """Return one line without the address, which the settings hold already."""
    if isinstance(error, ssl.SSLCertVerificationError):
        doubt = ", or this kiosk's clock is wrong" if error.verify_code in _ABOUT_TIME else ""
        return f"the broker's certificate is not valid: {error.verify_message}{doubt}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason}"
    return str(getattr(error, "strerror", None) or error)
