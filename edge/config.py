"""kiosk.toml -> typed settings.

Owns every setting of a kiosk: its default, range and meaning, from which the table in README.md is made. Always true: a
wrong setting is refused at the start with a `SettingError` that names file, key and what would be right; an unknown key
is wrong too; relative paths are taken from the file's own folder.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import rfc8785
from msgspec import UNSET, Meta, UnsetType

from edge.errors import SettingError
from edge.overlay import put_on_top
from edge.setting_words import explain, shown
from hw.settings import (
    PANEL_PARTS,
    CameraSettings,
    Name,
    PanelSettings,
    PowerSettings,
    ReaderSettings,
    Seconds,
    same_pin,
)

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
    kind: Annotated[
        Literal["desk", "self_service"], Meta(description="whether an officer sits there, or the traveller scans alone")
    ] = "self_service"
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


def load(path: Path, environment: dict[str, str] | None = None, overlay: Mapping[str, Any] | None = None) -> Settings:
    """Read and check a settings file; raise `SettingError` with file, key and what would be right.

    `overlay` are settings that the centre has put on top of it (`edge.overlay`).
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise SettingError(str(path), "", f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SettingError(str(path), "", "must be UTF-8 text") from None
    return parse(text, file=path.name, folder=path.resolve().parent, environment=environment or {}, overlay=overlay)


def parse(
    text: str,
    *,
    file: str,
    folder: Path,
    environment: dict[str, str],
    overlay: Mapping[str, Any] | None = None,
) -> Settings:
    """Check the text of a settings file; `file` and `folder` are used in errors and for relative paths."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(file, "", f"is not TOML: {error}") from None
    if "folder" in raw:
        raise SettingError(file, "folder", "is not a setting")
    raw = put_on_top(raw, overlay or {})
    try:
        settings = msgspec.convert(raw, Settings, strict=True)
    except msgspec.ValidationError as error:
        raise explain(file, Settings, raw, str(error)) from None
    _check(settings, file)
    credentials = environment.get("CREDENTIALS_DIRECTORY", "")
    keys = settings.keys
    keys = msgspec.structs.replace(
        keys,
        record=_credential(keys.record, credentials),
        opening=_credential(keys.opening, credentials),
        receipt=[_credential(key, credentials) for key in keys.receipt],
    )
    uplink = settings.uplink
    uplink = msgspec.structs.replace(
        uplink,
        ca=_credential(uplink.ca, credentials),
        certificate=_credential(uplink.certificate, credentials),
        key=_credential(uplink.key, credentials),
    )
    return msgspec.structs.replace(settings, folder=str(folder), keys=keys, uplink=uplink)


def digest(settings: Settings) -> str:
    """Return the SHA-256 of the settings in force, as canonical JSON (RFC 8785), without the folder they lie in."""
    content = msgspec.to_builtins(msgspec.structs.replace(settings, folder=UNSET))
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def _credential(path: str, directory: str) -> str:
    return path.replace("$CREDENTIALS_DIRECTORY", directory) if directory else path


def _check(settings: Settings, file: str) -> None:
    """Refuse what each key alone cannot show."""
    _check_names(settings, file)
    _check_pins(settings, file)
    for index, lane in enumerate(settings.lanes):
        _check_lane(lane, f"lanes[{index}]", file)
    keys, uplink = settings.keys, settings.uplink
    paths = {"keys.record": keys.record, "keys.opening": keys.opening, "uplink.ca": uplink.ca}
    paths |= {"uplink.certificate": uplink.certificate, "uplink.key": uplink.key}
    paths |= {"documents.trust_list": settings.documents.trust_list}
    paths |= {f"keys.receipt[{index}]": path for index, path in enumerate(keys.receipt)}
    for key, path in paths.items():
        if "\n" in path or path.lstrip().startswith(("{", "-----")):  # and what it is stays out of the sentence
            raise SettingError(file, key, "must be the path of a file, and not what stands in it")
    store = settings.store
    if store.photos_stop_below_mb <= store.reserve_mb:
        raise SettingError(
            file, "store.photos_stop_below_mb", "must be above store.reserve_mb", got=f"{store.photos_stop_below_mb}"
        )
    if uplink.retry_least_s > uplink.retry_most_s:
        raise SettingError(
            file, "uplink.retry_least_s", "must not be above uplink.retry_most_s", got=f"{uplink.retry_least_s:g}"
        )
    try:
        date.fromisoformat(settings.clock.not_before)
    except ValueError:
        raise SettingError(
            file, "clock.not_before", 'must be a day such as "2026-01-01"', got=shown(settings.clock.not_before)
        ) from None
    try:
        _ = settings.clock.zone
    except (KeyError, ValueError, OSError):
        right = 'must be a time zone that this machine knows (package tzdata), such as "Pacific/Auckland"'
        raise SettingError(file, "clock.time_zone", right, got=shown(settings.clock.time_zone)) from None


def _check_names(settings: Settings, file: str) -> None:
    seen: dict[str, str] = {}
    for index, lane in enumerate(settings.lanes):
        for name, key in _device_names(lane, f"lanes[{index}]"):
            if name in seen:
                raise SettingError(
                    file, key, f"must differ from {seen[name]}: each device and lane has a name of its own"
                )
            seen[name] = key


def _check_pins(settings: Settings, file: str) -> None:
    """Refuse a pin that two parts share; simulated panels have pins of their own, lane by lane."""
    board = {same_pin(settings.power.lost): "power.lost"}
    for index, lane in enumerate(settings.lanes):
        if lane.panel.driver == "none":
            continue
        taken = board if lane.panel.driver == "gpiozero" else {}
        for part in PANEL_PARTS:
            key, pin = f"lanes[{index}].panel.{part}", getattr(lane.panel, part)
            if pin and (known := taken.get(same_pin(pin))):
                raise SettingError(file, key, f"must not be {pin}, which {known} has")
            taken[same_pin(pin)] = key


def _check_lane(lane: LaneSettings, at: str, file: str) -> None:
    """Refuse a policy that the lane's devices cannot follow."""
    policy, panel = lane.policy, lane.panel
    if policy.photo == "wanted" and lane.camera.driver == "none":
        raise SettingError(file, f"{at}.camera.driver", "must name a camera, because policy.photo is wanted")
    if policy.decision == "officer" and (panel.driver == "none" or not (panel.accept and panel.refer)):
        raise SettingError(
            file, f"{at}.panel", "must have the buttons accept and refer, because policy.decision is officer"
        )
    if policy.direction == "button" and (panel.driver == "none" or not panel.direction):
        raise SettingError(file, f"{at}.panel", "must have the button direction, because policy.direction is button")
    if twice := set(policy.required) & set(policy.optional):
        raise SettingError(file, f"{at}.policy.optional", f"must not repeat what is required: {min(twice)}")
    for index, reader in enumerate(lane.readers):
        if reader.driver in ("serial", "hid") and not reader.path:
            folder = "input" if reader.driver == "hid" else "serial"
            right = f"is missing; it must be a device such as /dev/{folder}/by-id/usb-..."
            raise SettingError(file, f"{at}.readers[{index}].path", right)


def _device_names(lane: LaneSettings, at: str) -> Iterator[tuple[str, str]]:
    yield lane.name, f"{at}.name"
    for index, reader in enumerate(lane.readers):
        yield reader.name, f"{at}.readers[{index}].name"
    if lane.camera.driver != "none":
        yield lane.camera.name, f"{at}.camera.name"
    if lane.panel.driver != "none":
        yield lane.panel.name, f"{at}.panel.name"
