"""central.toml -> typed settings.

Owns names, defaults and ranges of everything that the receiving end can be told. Always true: an unknown key is
refused, every error is a `SettingError` that names the file, the key and what would be right, and no password is ever
in one.
"""

from __future__ import annotations

import os
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
import sqlalchemy
from msgspec import Meta
from sqlalchemy.engine import URL

from edge.errors import SettingError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}

Count = Annotated[int, Meta(ge=1, le=100_000)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Url = Annotated[str, Meta(pattern=r"^https?://[!-~]{1,2000}\Z")]
Address = Annotated[str, Meta(pattern=r"^[!-?A-~]{1,64}@[!-?A-~]{1,255}\Z")]
Hours = Annotated[float, Meta(gt=0, le=8784)]


class DatabaseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where records are kept: SQLite for one machine, PostgreSQL for several collectors on several machines."""

    url: str = "sqlite:///central.db"
    lock_timeout_s: Seconds = 30.0  # how long a transaction waits for another collector's

    def __repr__(self) -> str:
        return f"DatabaseSettings(url={sqlalchemy.make_url(self.url).render_as_string(hide_password=True)!r})"


class BrokerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The MQTT 5 broker; always over TLS, always with a client certificate."""

    host: Annotated[str, Meta(min_length=1)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    ca: Path
    certificate: Path
    key: Path
    client_id: Annotated[str, Meta(max_length=64)] = ""  # empty: made anew at each start, so that two never clash
    keep_alive_s: Annotated[int, Meta(ge=5, le=600)] = 30
    # One secret of all collectors of one database, who then share the work; empty where there is one collector.
    # A kiosk that guessed it could join the group and swallow what others send: mosquitto lets anybody join.
    share_group: Annotated[str, Meta(pattern=r"^([A-Za-z0-9-]{16,64})?\Z")] = ""

    def __repr__(self) -> str:
        return f"BrokerSettings(host={self.host!r}, port={self.port})"


class KeySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The centre's own keys: one that signs receipts, and those that open letters (several while they are rotated)."""

    receipt_key: Path
    opening_keys: Annotated[tuple[Path, ...], Meta(min_length=1)]


class CollectorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much one transaction takes, and when a hole in a stream becomes a matter for the kiosk."""

    batch_messages: Annotated[int, Meta(ge=1, le=1000)] = 200
    batch_bytes: Annotated[int, Meta(ge=65_536, le=67_108_864)] = 4_194_304
    gap_patience_s: Seconds = 5.0
    rejected_keep: Count = 1000
    most_epochs: Count = 1000  # of one stream of one kiosk; a kiosk begins a new one when its store was new or put back
    most_branches: Annotated[int, Meta(ge=2, le=10_000)] = 100  # of one epoch: copies of a card


class FleetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From when on something is wrong with a kiosk, how much history is kept, and who watches."""

    silent_after_s: Seconds = 120.0
    room_left_below_h: Hours = 24.0
    queue_older_than_h: Hours = 4.0
    queue_growing_per_h: Count = 100
    clock_off_s: Seconds = 60.0
    certificate_days: Count = 30
    hot_celsius: Annotated[float, Meta(ge=20, le=120)] = 80.0
    card_life_percent: Annotated[int, Meta(ge=10, le=100)] = 80
    receipts_later_than_s: Seconds = 600.0
    database_short_below_mb: Count = 5000
    database_full_below_mb: Count = 500
    database_disk: Path | None = None  # a folder on the database's disk, where that is mounted here; SQLite knows it
    backup_older_than_h: Hours = 26.0
    backup_stamp: Path | None = None  # a file whose age is the backup's, beside what the database itself says
    sample_every_s: Annotated[int, Meta(ge=10, le=300)] = 60
    keep_samples_h: Hours = 24.0
    keep_5_minutes_days: Count = 30
    keep_hours_days: Count = 366
    health_per_minute: Annotated[int, Meta(ge=2, le=600)] = 20  # of one kiosk; more is a flood
    lease_s: Annotated[float, Meta(ge=2, le=600)] = 15.0  # after so long a stand-by takes over
    # Of a watcher whose broker ties certificates to client ids: then it needs a certificate of its own.
    certificate: Path | None = None
    key: Path | None = None


class EnrolmentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where kiosks enrol, and what they are told.

    `authority` is the folder with the issuing authority; `certificate` and `key` are of the server. `receipt_keys` and
    `opening_key` are public and handed to every kiosk: while the centre's keys are rotated, `receipt_keys` has two.
    """

    address: Annotated[str, Meta(pattern=r"^https://[A-Za-z0-9.:\[\]-]{1,253}\Z")]  # as kiosks reach it
    listen: Annotated[str, Meta(min_length=1, max_length=64)] = "0.0.0.0"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8443
    broker_host: Annotated[str, Meta(max_length=253)] = ""  # as kiosks reach it; empty: that of [broker]
    broker_port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    certificate: Path
    key: Path
    authority: Path
    revocation_list: Path
    opening_key: Path
    receipt_keys: Annotated[tuple[Path, ...], Meta(min_length=1, max_length=4)]
    # The server's own at the broker, for kiosks that reach nothing else; without it they renew at `address` alone.
    client_certificate: Path | None = None
    client_key: Path | None = None
    code_valid_h: Annotated[float, Meta(gt=0, le=24 * 30)] = 72.0
    tries_per_minute: Annotated[int, Meta(ge=1, le=10_000)] = 30  # from one address


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the fleet console is served, and how long somebody stays signed in.

    `origin` is what stands in the browser's address bar, scheme and port included. Without a certificate the console
    serves this machine alone, or a reverse proxy on it that speaks TLS.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8470
    origin: Annotated[str, Meta(pattern=r"^(https?://[a-z0-9.:\[\]-]+)?\Z")] = ""
    certificate: Path | None = None
    key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()  # whose X-Forwarded-For is believed
    idle_min: Annotated[int, Meta(ge=5, le=1440)] = 60
    longest_h: Annotated[int, Meta(ge=1, le=168)] = 12

    @property
    def origins(self) -> tuple[str, ...]:
        """Every origin under which browsers see the console."""
        if self.origin:
            return (self.origin,)
        scheme = "https" if self.certificate else "http"
        return tuple(f"{scheme}://{host}:{self.port}" for host in ("127.0.0.1", "localhost", "[::1]"))


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where alerts are posted as JSON, signed with the secret in a file (HMAC-SHA256)."""

    url: Url
    secret: Path
    timeout_s: Annotated[float, Meta(ge=1, le=120)] = 10.0


class MailSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """To whom alerts are mailed, through which server."""

    host: Annotated[str, Meta(min_length=1)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    ca: Path | None = None  # the authority of a server with a certificate of its own
    user: str = ""
    password: Path | None = None
    sender: Address
    to: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=50)]
    timeout_s: Annotated[float, Meta(ge=1, le=120)] = 20.0


class HeartbeatSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A dead man's switch: an address that raises the alarm when nothing is posted to it any more."""

    url: Url
    every_s: Annotated[float, Meta(ge=1, le=86_400)] = 60.0
    timeout_s: Annotated[float, Meta(ge=1, le=120)] = 10.0


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who is told when something is wrong; without a channel alerts are in the console alone."""

    rules: Path | None = None  # a file of your own in place of central/alerts/rules.toml
    webhook: WebhookSettings | None = None
    mail: MailSettings | None = None
    heartbeat: HeartbeatSettings | None = None
    evaluate_every_s: Annotated[float, Meta(ge=0.1, le=300)] = 10.0
    keep_days: Count = 90


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where Prometheus asks the watcher. There is no password: keep it on the loopback, or behind a proxy."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 9753  # 0: nobody can ask


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of central.toml; paths are absolute, relative ones were taken from the file's folder."""

    database: DatabaseSettings = DatabaseSettings()
    collector: CollectorSettings = CollectorSettings()
    fleet: FleetSettings = FleetSettings()
    console: ConsoleSettings = ConsoleSettings()
    alerts: AlertSettings = AlertSettings()
    metrics: MetricsSettings = MetricsSettings()
    broker: BrokerSettings | None = None  # these two are needed to collect, and for nothing else
    keys: KeySettings | None = None
    enrolment: EnrolmentSettings | None = None
    file: str = ""

    def for_collecting(self) -> tuple[BrokerSettings, KeySettings]:
        """Return the sections without which nothing can be collected; raise `SettingError` for a missing one."""
        return self._broker_named(), self.for_taking()

    def for_enrolling(self) -> EnrolmentSettings:
        """Return the section without which nobody can be let in; raise `SettingError` when it is missing."""
        if self.enrolment is None:
            raise SettingError(self.file, "[enrolment]", "must be there; docs/operations.md has an example")
        return self.enrolment

    def for_renewing(self) -> BrokerSettings | None:
        """Return how the enrolment server reaches the broker; None when it does not.

        Raise `SettingError` when half of what it needs is there.
        """
        own = self.for_enrolling()
        if own.client_certificate is None and own.client_key is None:
            return None
        if self.broker is None or own.client_certificate is None or own.client_key is None:
            right = "must be set with enrolment.client_key, and [broker]"
            raise SettingError(self.file, "enrolment.client_certificate", right)
        return msgspec.structs.replace(
            self.broker,
            ca=own.authority / "ca.crt",
            certificate=own.client_certificate,
            key=own.client_key,
            client_id="",
        )

    def for_watching(self) -> BrokerSettings:
        """Return how the watcher reaches the broker; raise `SettingError` when no broker is named."""
        broker = self._broker_named()
        own = {name: path for name in ("certificate", "key") if (path := getattr(self.fleet, name)) is not None}
        return msgspec.structs.replace(broker, **own, **({"client_id": ""} if own else {}))

    def for_taking(self) -> KeySettings:
        """Return the keys without which no record can be opened and no receipt signed; raise `SettingError`."""
        if self.keys is None:
            raise SettingError(self.file, "[keys]", "must name receipt_key and opening_keys")
        return self.keys

    def _broker_named(self) -> BrokerSettings:
        if self.broker is None:
            raise SettingError(self.file, "[broker]", "must name host, ca, certificate and key")
        return self.broker


def load(path: Path) -> Settings:
    """Read and check one settings file; raise `SettingError` for anything that is not right."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingError(str(path), "", f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SettingError(str(path), "", "must be UTF-8 text") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Settings:
    """Check the text of a settings file that stands, or would stand, at `path`."""
    name = str(path)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(name, "", f"is not TOML: {error}") from None
    if "file" in tree:
        raise SettingError(name, "file", "is no setting")
    folder = path.absolute().parent
    try:
        settings = msgspec.convert(
            tree, Settings, dec_hook=lambda kind, value: _path(kind, value, folder), str_keys=True
        )
    except msgspec.ValidationError as error:
        raise explained(name, str(error)) from None
    _check_console(name, settings.console)
    database = msgspec.structs.replace(settings.database, url=_database_url(name, settings.database.url, folder))
    return msgspec.structs.replace(settings, database=database, file=name)


def _check_console(name: str, console: ConsoleSettings) -> None:
    if (console.certificate is None) != (console.key is None):
        raise SettingError(name, "console.certificate", "must be set together with console.key")
    is_local = console.host in LOOPBACK
    if not is_local and console.certificate is None:
        right = "must be 127.0.0.1 or ::1 unless certificate and key are set; passwords cross no network in the clear"
        raise SettingError(name, "console.host", right, got=console.host)
    if not is_local and not console.origin:
        raise SettingError(name, "console.origin", "must be what browsers call it, for example https://console.example")
    if console.certificate is not None and console.origin.startswith("http:"):
        raise SettingError(name, "console.origin", "must start with https:// when there is a certificate")
    if console.origin.startswith("http:") and urlsplit(console.origin).hostname not in LOOPBACK:
        raise SettingError(name, "console.origin", "must start with https://; a reverse proxy can speak TLS")
    for address in console.trusted_proxies:
        try:
            ip_network(address)
        except ValueError:  # uvicorn takes `*` for everybody, and any other word for a name that no peer has
            right = 'must hold addresses or networks, such as "127.0.0.1" or "192.0.2.0/28"'
            raise SettingError(name, "console.trusted_proxies", right, got=address) from None


def _path(kind: type, value: object, folder: Path) -> object:
    """Return a path; `$CREDENTIALS_DIRECTORY/` in front takes the file from systemd, where that runs us."""
    if kind is Path and isinstance(value, str) and value:
        credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
        if credentials and value.startswith("$CREDENTIALS_DIRECTORY/"):
            return Path(credentials) / value.removeprefix("$CREDENTIALS_DIRECTORY/")
        return folder / value
    raise ValueError("must be the path of a file")


def explained(name: str, message: str) -> SettingError:
    """Turn msgspec's sentence (`Expected ... - at `$.broker.port``) into key and what would be right."""
    sentence, _, place = message.partition(" - at `$")
    key = place.rstrip("`").removeprefix(".")
    if "unknown field" in sentence:
        unknown = sentence.rpartition("unknown field ")[2].strip("`")
        return SettingError(
            name, f"{key}.{unknown}" if key else unknown, "is no setting; remove it or check its spelling"
        )
    if "missing required field" in sentence:
        missing = sentence.rpartition("required field ")[2].strip("`")
        return SettingError(name, f"{key}.{missing}" if key else missing, "must be set")
    return SettingError(name, key, f"is not right: {sentence[:1].lower()}{sentence[1:]}")


def _database_url(name: str, text: str, folder: Path) -> str:
    try:
        url: URL = sqlalchemy.make_url(text)
    except sqlalchemy.exc.ArgumentError:
        raise SettingError(name, "database.url", "must be sqlite:///FILE or postgresql://USER@HOST/DATABASE") from None
    kind = url.get_backend_name()
    if kind not in DRIVERS:
        raise SettingError(name, "database.url", "must start with sqlite:// or postgresql://", got=f"{kind}://")
    url = url.set(drivername=DRIVERS[kind])
    if kind == "sqlite":
        if not url.database or url.database == ":memory:":
            raise SettingError(name, "database.url", "must name a file: sqlite:///central.db")
        url = url.set(database=str(folder / url.database))
    return url.render_as_string(hide_password=False)
