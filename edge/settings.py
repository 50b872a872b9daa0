"""The settings of a kiosk, as kiosk.toml spells them.

Owns the default, range and meaning of each, from which the table in README.md is made; those of devices are
`hw.settings`, and how the file is read is `edge.config`. Always true: a type shows what one setting may be; what two of
them cannot be together `edge.config` refuses, so that nobody holds settings that contradict each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
import rfc8785
from msgspec import UNSET, Meta, UnsetType

from edge.wire.crossing import LaneKind
from hw.settings import CameraSettings, Name, PanelSettings, PowerSettings, ReaderSettings, Seconds

DocumentClass = Literal["travel_document", "visa", "boarding_pass", "driving_licence", "seal"]
FilePath = Annotated[str, Meta(min_length=1, extra={"right": "the path of a file"})]
MaybePath = Annotated[str, Meta(extra={"right": "the path of a file, or empty"})]
Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,253}\Z", extra={"right": "a host name or an address"})]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of kiosk.toml."""


class IdentitySettings(_Section, kw_only=True):
    """Who this kiosk is. The client certificate's name is `<site>/<name>`."""

    site: Annotated[Name, Meta(description="name of the border post")]
    name: Annotated[Name, Meta(description="name of the kiosk, once at its post")]
    tamper: Annotated[
        Literal["report", "drop_key"],
        Meta(
            description="what an opened case does: the centre is told; with `drop_key` the kiosk also signs nothing "
            "any more and closes its lanes until `landfall rearm` (docs/technician.md says what that is worth)"
        ),
    ] = "report"


class PolicySettings(_Section, kw_only=True):
    """What a lane wants of a crossing, and how long it waits for it."""

    direction: Annotated[
        Literal["entry", "exit", "transit", "button"],
        Meta(description="which way people cross; with `button` the direction button toggles entry and exit"),
    ] = "entry"
    required: Annotated[
        tuple[DocumentClass, ...], Meta(min_length=1, description="what a traveller must show, or is referred")
    ] = ("travel_document",)
    optional: Annotated[
        tuple[DocumentClass, ...], Meta(description="what is waited for besides, and may be missing")
    ] = ()
    photo: Annotated[
        Literal["wanted", "off"], Meta(description="whether the camera takes a photo of each crossing")
    ] = "off"
    decision: Annotated[
        Literal["rules", "officer"], Meta(description="who has the word: the rules alone, or an officer at the buttons")
    ] = "rules"
    specimens: Annotated[
        Literal["refer", "accept"],
        Meta(description="documents of specimen states such as UTO; accept only in practice"),
    ] = "refer"
    training: Annotated[bool, Meta(description="practice: every crossing is marked and never counted")] = False
    collect_s: Annotated[Seconds, Meta(description="how long what is required is awaited, from the first read")] = 12.0
    optional_s: Annotated[
        Seconds, Meta(description="how long what is optional is awaited, once what is required is there")
    ] = 4.0
    officer_s: Annotated[
        Seconds, Meta(description="how long the officer may decide; then the traveller is referred")
    ] = 60.0
    record_s: Annotated[Seconds, Meta(description="how long the disk may take; then the lane closes")] = 5.0
    show_s: Annotated[Seconds, Meta(description="how long the green lamp is shown")] = 2.0
    refer_s: Annotated[Seconds, Meta(description="how long the officer is called")] = 10.0
    manual_s: Annotated[Seconds, Meta(description="how long an officer may take to key a document in")] = 300.0
    amend_s: Annotated[
        Seconds, Meta(description="how long the last crossing may be voided, or decided after a referral")
    ] = 900.0
    group_idle_s: Annotated[
        Annotated[float, Meta(gt=0, le=86400)], Meta(description="a group that nobody joins for so long is closed")
    ] = 1800.0
    repeat_s: Annotated[
        Seconds, Meta(description="the same document again within this time is the reader repeating itself")
    ] = 3.0


class LaneSettings(_Section, kw_only=True):
    """One lane with its own devices. A kiosk has one or two."""

    name: Annotated[Name, Meta(description="name of the lane, different from that of every device")]
    kind: Annotated[LaneKind, Meta(description="whether an officer sits there, or the traveller scans alone")] = (
        "self_service"
    )
    policy: PolicySettings = PolicySettings()
    readers: Annotated[list[ReaderSettings], Meta(description="the readers of the lane")] = []
    camera: CameraSettings = CameraSettings()
    panel: PanelSettings = PanelSettings()
    scenario: Annotated[
        str, Meta(description="what simulated devices do: a file, or the name of a scenario that ships with Landfall")
    ] = ""


class DocumentSettings(_Section, kw_only=True):
    """What is believed and read of sealed documents (VDS, VDS-NC, EU certificates)."""

    trust_list: Annotated[
        MaybePath,
        Meta(description="signers whose seals count (docs/documents.md); without it no signature is checked"),
    ] = ""
    health: Annotated[
        bool, Meta(description="read vaccinations, tests and recoveries too; only where the post's law lets it")
    ] = False


class StoreSettings(_Section, kw_only=True):
    """Where crossings are kept until the centre has them."""

    path: Annotated[FilePath, Meta(description="the local cache; its folder must be on the kiosk's own disk")] = (
        "cache.db"
    )
    keep_receipted_h: Annotated[
        float,
        Meta(
            ge=0,
            le=24 * 366,
            description="how long released records stay: the centre's backup interval, so that it can ask again",
        ),
    ]
    photos_stop_below_mb: Annotated[
        int,
        Meta(
            ge=17,
            le=10_000_000,
            description="with less room than this, in MB, no new photos are kept, and released records go early",
        ),
    ] = 512
    reserve_mb: Annotated[
        int,
        Meta(
            ge=16,
            le=1_000_000,
            description="with less room than this, in MB, lanes close; receipts and the purging that they allow use it",
        ),
    ] = 64


class KeySettings(_Section, kw_only=True):
    """Key files (JWK, RFC 7517). `$CREDENTIALS_DIRECTORY/` in front takes them from systemd."""

    record: Annotated[FilePath, Meta(description="private Ed25519 key, mode 0600: signs records")]
    opening: Annotated[FilePath, Meta(description="public X25519 key of the centre: records are sealed to it")]
    receipt: Annotated[
        list[FilePath],
        Meta(
            min_length=1,
            description="public Ed25519 keys of the centre, which sign receipts: JWK, or JWK Set during a rotation",
        ),
    ]


class UplinkSettings(_Section, kw_only=True):
    """The broker. There is no way to speak to it without TLS."""

    host: Annotated[Host, Meta(description="the broker, by the name that its certificate has")]
    port: Annotated[int, Meta(ge=1, le=65535, description="its port for MQTT over TLS")] = 8883
    ca: Annotated[FilePath, Meta(description="PEM: the authority that signed the broker's certificate")]
    certificate: Annotated[FilePath, Meta(description="PEM: this kiosk's own certificate")]
    key: Annotated[FilePath, Meta(description="PEM, mode 0600: its private key")]
    keepalive_s: Annotated[
        int, Meta(ge=5, le=3600, description="silence after which MQTT asks whether anybody is there")
    ] = 30
    connect_timeout_s: Annotated[Seconds, Meta(description="how long one attempt to connect may take")] = 10.0
    retry_least_s: Annotated[Seconds, Meta(description="shortest pause between two attempts")] = 1.0
    retry_most_s: Annotated[Seconds, Meta(description="longest pause between two attempts")] = 120.0
    receipt_timeout_s: Annotated[
        Seconds, Meta(description="without a receipt for so long, records are sent again, and the time doubles")
    ] = 10.0
    health_s: Annotated[Seconds, Meta(description="how often figures go to the centre")] = 30.0


class ClockSettings(_Section, kw_only=True):
    """What the kiosk may believe of its clock."""

    rtc: Annotated[bool, Meta(description="a battery-backed clock is fitted")] = False
    not_before: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z",
            description="an earlier date is certainly wrong",
            extra={"right": 'a day such as "2026-01-01"'},
        ),
    ] = "2026-01-01"
    time_zone: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_+/-]{0,63}\Z",
            description="the zone of the post: by its date, which changes at midnight there, a document has expired",
            extra={"right": 'a time zone such as "Pacific/Auckland"'},
        ),
    ] = "UTC"

    @property
    def zone(self) -> tzinfo:
        """Return the time zone; raises ValueError or OSError when the machine does not know it."""
        return UTC if self.time_zone == "UTC" else ZoneInfo(self.time_zone)


class ControlSettings(_Section, kw_only=True):
    """The local socket through which the command line reaches the daemon."""

    socket: Annotated[FilePath, Meta(description="the socket's path")] = "control.sock"


class Settings(_Section, kw_only=True):
    """The whole of kiosk.toml. Relative paths are taken from the folder of the file."""

    kiosk: IdentitySettings
    lanes: Annotated[list[LaneSettings], Meta(min_length=1, max_length=2)]
    documents: DocumentSettings = DocumentSettings()
    store: StoreSettings
    keys: KeySettings
    uplink: UplinkSettings
    clock: ClockSettings = ClockSettings()
    control: ControlSettings = ControlSettings()
    power: PowerSettings = PowerSettings()
    folder: str | UnsetType = UNSET

    def resolve(self, path: str) -> Path:
        """Return a path of the settings as absolute, taken from the folder of the file."""
        return Path("" if self.folder is UNSET else self.folder, path)


def digest(settings: Settings) -> str:
    """Return the SHA-256 of the settings in force, as canonical JSON (RFC 8785), without the folder they lie in."""
    content = msgspec.to_builtins(msgspec.structs.replace(settings, folder=UNSET))
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def wanted(lanes: Iterable[LaneSettings]) -> set[DocumentClass]:
    """Return the classes of documents that any of the lanes asks for."""
    return {name for lane in lanes for name in (*lane.policy.required, *lane.policy.optional)}
