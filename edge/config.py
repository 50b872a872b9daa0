"""kiosk.toml -> typed settings.

Owns every setting of a kiosk, its default and its range. Always true: a wrong setting is refused at the start with a
`SettingError` that names file, key and what would be right; an unknown key is wrong too; relative paths are taken from
the file's own folder.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from edge.errors import SettingError
from hw.settings import CameraSettings, Name, PanelSettings, ReaderSettings, Seconds

DocumentClass = Literal["travel_document", "visa", "boarding_pass", "driving_licence", "seal"]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of kiosk.toml."""


class IdentitySettings(_Section, kw_only=True):
    """Who this kiosk is; the client certificate's name is `<site>/<name>`."""

    site: Name
    name: Name


class PolicySettings(_Section, kw_only=True):
    """What a lane wants of a crossing, and how long it waits for it."""

    direction: Literal["entry", "exit", "transit", "button"] = (
        "entry"  # button: the direction button toggles entry/exit
    )
    required: tuple[DocumentClass, ...] = ("travel_document",)
    optional: tuple[DocumentClass, ...] = ()
    photo: Literal["wanted", "off"] = "off"
    decision: Literal["rules", "officer"] = "rules"
    specimens: Literal["refer", "accept"] = "refer"  # documents of specimen states such as UTO
    training: bool = False  # practice: every crossing is marked and never counted
    collect_s: Seconds = 12.0  # for what is required, from the first read
    optional_s: Seconds = 4.0  # for what is optional, from the last read
    officer_s: Seconds = 60.0  # for the officer's decision; then the traveller is referred
    record_s: Seconds = 5.0  # for the disk; then the lane closes
    show_s: Seconds = 2.0  # how long the green lamp is shown
    refer_s: Seconds = 10.0  # how long the officer is called
    repeat_s: Seconds = 3.0  # the same document again within this time is the reader repeating itself


class LaneSettings(_Section, kw_only=True):
    """One lane with its own devices."""

    name: Name
    kind: Literal["desk", "self_service"] = "self_service"
    policy: PolicySettings = PolicySettings()
    readers: list[ReaderSettings] = []
    camera: CameraSettings = CameraSettings()
    panel: PanelSettings = PanelSettings()
    scenario: str = ""  # what the simulated devices of this lane do


class StoreSettings(_Section, kw_only=True):
    """Where crossings are kept until the centre has them."""

    path: str = "cache.db"
    keep_receipted_h: Annotated[
        float, Meta(ge=0, le=24 * 366)
    ]  # the centre's backup interval; there is no safe default


class KeySettings(_Section, kw_only=True):
    """Key files (JWK, RFC 7517); `$CREDENTIALS_DIRECTORY/` in front takes them from systemd."""

    record: str  # private Ed25519: signs records
    opening: str  # public X25519 of the centre: records are sealed to it
    receipt: list[str]  # public Ed25519 of the centre: signs receipts; two during a rotation


class UplinkSettings(_Section, kw_only=True):
    """The broker. There is no way to speak to it without TLS."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    ca: str  # PEM: the authority that signed the broker's certificate
    certificate: str  # PEM: this kiosk's own
    key: str  # PEM, mode 0600
    keepalive_s: Annotated[int, Meta(ge=5, le=3600)] = 30
    connect_timeout_s: Seconds = 10.0
    retry_least_s: Seconds = 1.0  # decorrelated jitter between these two
    retry_most_s: Seconds = 120.0
    receipt_timeout_s: Seconds = 10.0  # then the window is sent again, and the time doubles
    health_s: Seconds = 30.0


class ClockSettings(_Section, kw_only=True):
    """What the kiosk may believe of its clock."""

    rtc: bool = False  # a battery-backed clock is fitted
    not_before: str = "2026-01-01"  # an earlier date is certainly wrong


class ControlSettings(_Section, kw_only=True):
    """The local socket through which the command line reaches the daemon."""

    socket: str = "control.sock"


class Settings(_Section, kw_only=True):
    """The whole of kiosk.toml."""

    kiosk: IdentitySettings
    lanes: Annotated[list[LaneSettings], Meta(min_length=1, max_length=2)]
    store: StoreSettings
    keys: KeySettings
    uplink: UplinkSettings
    clock: ClockSettings = ClockSettings()
    control: ControlSettings = ControlSettings()
    folder: str | UnsetType = UNSET

    def resolve(self, path: str) -> Path:
        """Return a path of the settings as absolute, taken from the folder of the file."""
        return Path("" if self.folder is UNSET else self.folder, path)


def load(path: Path, environment: dict[str, str] | None = None) -> Settings:
    """Read and check a settings file; raise `SettingError` with file, key and what would be right."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise SettingError(str(path), "", f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SettingError(str(path), "", "must be UTF-8 text") from None
    return parse(text, file=path.name, folder=path.resolve().parent, environment=environment or {})


def parse(text: str, *, file: str, folder: Path, environment: dict[str, str]) -> Settings:
    """Check the text of a settings file; `file` and `folder` are used in errors and for relative paths."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(file, "", f"is not TOML: {error}") from None
    if "folder" in raw:
        raise SettingError(file, "folder", "is not a setting")
    try:
        settings = msgspec.convert(raw, Settings, strict=True)
    except msgspec.ValidationError as error:
        raise _explain(file, raw, str(error)) from None
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


def _credential(path: str, directory: str) -> str:
    return path.replace("$CREDENTIALS_DIRECTORY", directory) if directory else path


def _check(settings: Settings, file: str) -> None:
    """Refuse what each key alone cannot show."""
    seen: dict[str, str] = {}
    for index, lane in enumerate(settings.lanes):
        for name, key in _device_names(lane, f"lanes[{index}]"):
            if name in seen:
                raise SettingError(
                    file, key, f"must differ from {seen[name]}: each device and lane has a name of its own"
                )
            seen[name] = key
        if lane.policy.photo == "wanted" and lane.camera.driver == "none":
            raise SettingError(
                file, f"lanes[{index}].camera.driver", "must name a camera, because policy.photo is wanted"
            )
        if not lane.policy.required:
            raise SettingError(file, f"lanes[{index}].policy.required", "must name at least one class of document")
        twice = set(lane.policy.required) & set(lane.policy.optional)
        if twice:
            raise SettingError(
                file, f"lanes[{index}].policy.optional", f"must not repeat what is required: {min(twice)}"
            )
        pins = {}
        for part in ("green", "amber", "red", "buzzer", "gate", "accept", "refer", "direction", "tamper"):
            pin = getattr(lane.panel, part)
            if pin and lane.panel.driver != "none" and pin in pins:
                raise SettingError(file, f"lanes[{index}].panel.{part}", f"must not be {pin}, which {pins[pin]} has")
            pins[pin] = part
    if not settings.keys.receipt:
        raise SettingError(file, "keys.receipt", "must name at least one key file of the centre")
    if settings.uplink.retry_least_s > settings.uplink.retry_most_s:
        raise SettingError(file, "uplink.retry_least_s", "must not be above uplink.retry_most_s")


def _device_names(lane: LaneSettings, at: str) -> Iterator[tuple[str, str]]:
    yield lane.name, f"{at}.name"
    for index, reader in enumerate(lane.readers):
        yield reader.name, f"{at}.readers[{index}].name"
    if lane.camera.driver != "none":
        yield lane.camera.name, f"{at}.camera.name"
    if lane.panel.driver != "none":
        yield lane.panel.name, f"{at}.panel.name"


def _explain(file: str, raw: dict[str, Any], message: str) -> SettingError:
    """Turn the validator's message into file, key, what would be right, and what is there."""
    what, _, path = message.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", what):
        return SettingError(file, ".".join(filter(None, (key, missing[1]))), "is missing")
    if unknown := re.fullmatch(r"Object contains unknown field `(.+)`", what):
        return SettingError(
            file, ".".join(filter(None, (key, unknown[1]))), "is not a setting; see the table in README"
        )
    right = what.replace("Expected ", "must be ", 1).partition(", got ")[0].replace("`", "")
    right = right.replace("Invalid enum value", "must be one of the values that README lists for it")
    right = right.replace("must be str matching regex", "must match")
    return SettingError(file, key, right, got=_value_at(raw, key))


def _value_at(raw: Any, key: str) -> object:
    """Return what stands at `a.b[0].c`, shortened, or None."""
    for part in re.findall(r"\w+|\[\d+\]", key):
        try:
            raw = raw[int(part[1:-1])] if part.startswith("[") else raw[part]
        except (KeyError, IndexError, TypeError):
            return None
    text = repr(raw)
    return text if len(text) <= 60 else f"{text[:57]}..."
