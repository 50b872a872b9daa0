"""The centre's MQTT broker: the text of mosquitto's configuration and access list (mosquitto.conf(5), 2.0).

Owns who may publish and read what, as the contract says, the limits of the broker, and the folder that
`landfall-broker.service` runs it from; it starts no broker. Always true: TLS 1.2 or newer with a client certificate on
every connection; the certificate's subject is the user name, so a kiosk writes and reads its own branch and nothing
else; nothing that is logged holds a payload; a file is replaced whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SettingError
from edge.identity.key_files import replace
from edge.wire.topics import NAME, PREFIX

# Where landfall-broker.service has its files.
FOLDER = Path("/etc/landfall/broker")
CREDENTIALS = Path("/run/credentials/landfall-broker.service")
SESSIONS = Path("/var/lib/landfall-broker")
KIOSK_WRITES = ("stream/+", "status", "health", "reply/+", "reported", "renewal/request")
KIOSK_READS = ("receipt/+", "command/#", "desired", "renewal/answer")
# What every maintained TLS library speaks: forward secrecy and authenticated encryption, nothing else under TLS 1.2.
TLS_1_2_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
_FIRST_LINE = "# Written by `landfall-central broker-config`, which replaces it; do not change it by hand.\n"


@dataclass(frozen=True, slots=True)
class BrokerLimits:
    """What the broker takes and keeps.

    `max_packet_bytes` is told to every client when it connects (MQTT 5, 3.2.2.3.6), and a larger packet ends the
    connection with reason 0x95. Mosquitto's `message_size_limit` is left alone: it answers with 0x95 in a PUBACK, which
    MQTT 5 does not know there, and clients break on it. `max_inflight` and `max_queued_messages` are per client: a
    collector that stays away has its queue cut, and kiosks send again. `max_keepalive_s` is the longest silence that a
    client may ask for; a connection without a client is noticed after one and a half times that.
    """

    max_connections: int = 5000
    max_packet_bytes: int = 2 * 1024 * 1024
    max_inflight: int = 100
    max_queued_messages: int = 10_000
    max_queued_bytes: int = 256 * 1024 * 1024
    max_keepalive_s: int = 3600
    session_days: int = 14


def access_list(centre: Iterable[str]) -> str:
    """Return the access list; `centre` names who holds a certificate `centre/<name>`: collectors and consoles.

    Mosquitto checks what is delivered, not what is asked for: a subscription to somebody else's branch is granted and
    stays silent.
    """
    lines = ["# Kiosks: %u is the subject of the client certificate, <site>/<kiosk>."]
    lines += [f"pattern write {PREFIX}/%u/{branch}" for branch in KIOSK_WRITES]
    lines += [f"pattern read {PREFIX}/%u/{branch}" for branch in KIOSK_READS]
    for name in centre:
        if not NAME.fullmatch(name):
            raise SettingError("broker", "centre", "must be 1-32 lower case letters, digits and dashes", got=repr(name))
        lines += ["", f"user centre/{name}"]
        lines += [f"topic read {PREFIX}/+/+/{branch}" for branch in KIOSK_WRITES]
        lines += [f"topic readwrite {PREFIX}/+/+/{branch}" for branch in KIOSK_READS]
    return "\n".join(lines) + "\n"


def mosquitto_configuration(
    *,
    port: int,
    certificates: Path,
    access_file: Path,
    host: str = "",
    persistence: Path | None = None,
    user: str = "",
    limits: BrokerLimits | None = None,
    binds_client_ids: bool = True,
    revoked: Path | None = None,
) -> str:
    """Return the text of a mosquitto.conf.

    `certificates` is the folder with `broker.crt`, `broker.key` and `ca.crt`; `host` the address to listen on (all when
    empty); `persistence` the folder that keeps sessions over a restart (none: they are forgotten); `user` whom a broker
    started by root becomes (mosquitto's own default when empty). `binds_client_ids` makes the certificate's subject the
    client id too, so that no kiosk can push another off the broker; each certificate then serves one connection.
    `revoked` is a certificate revocation list (PEM, RFC 5280, section 5), read again upon SIGHUP; while it is out of
    date nobody is let in.
    """
    limits = limits or BrokerLimits()
    settings: list[tuple[str, object]] = [
        ("listener", f"{port} {host}".strip()),
        ("cafile", certificates / "ca.crt"),
        ("certfile", certificates / "broker.crt"),
        ("keyfile", certificates / "broker.key"),
        *([("crlfile", revoked)] if revoked is not None else []),
        ("tls_version", "tlsv1.2"),
        ("ciphers", TLS_1_2_CIPHERS),
        ("require_certificate", True),
        ("use_identity_as_username", True),
        ("use_username_as_clientid", binds_client_ids),
        ("allow_anonymous", False),
        ("acl_file", access_file),
        ("max_connections", limits.max_connections),
        ("max_keepalive", limits.max_keepalive_s),
        ("max_packet_size", limits.max_packet_bytes),
        ("max_inflight_messages", limits.max_inflight),
        ("max_queued_messages", limits.max_queued_messages),
        ("max_queued_bytes", limits.max_queued_bytes),
        ("persistent_client_expiration", f"{limits.session_days}d"),
        ("set_tcp_nodelay", True),
        ("persistence", persistence is not None),
    ]
    if persistence is not None:
        # Receipts do not rest on what the broker keeps, so a save now and then is enough.
        settings += [("persistence_location", f"{persistence}/"), ("autosave_interval", 30)]
    settings += [("log_dest", "stderr"), ("log_timestamp_format", "%Y-%m-%dT%H:%M:%S")]
    settings += [("log_type", kind) for kind in ("error", "warning", "notice", "information")]
    if user:
        settings.append(("user", user))
    return "".join(f"{name} {_value(name, value)}\n" for name, value in settings)


def write_broker_folder(folder: Path, centre: Iterable[str], configuration: str) -> None:
    """Write `mosquitto.conf` and `access.acl` into an existing folder, each readable by its owner and its group.

    A folder with the set-group-id bit, as tmpfiles.d makes it, hands both to the broker's group. Raises OSError.
    """
    for name, text in (("access.acl", access_list(centre)), ("mosquitto.conf", configuration)):
        replace(folder / name, (_FIRST_LINE + text).encode(), 0o640)


def _value(name: str, value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\n" in text or "\r" in text:
        raise SettingError("mosquitto.conf", name, "must be one line")
    return text
