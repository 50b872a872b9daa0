"""kiosk.toml -> typed settings.

Owns how the file is read, and what one setting alone cannot show: names and pins that are taken twice, a policy that
the lane's devices cannot follow. Always true: a wrong setting is refused at the start with a `SettingError` that names
file, key and what would be right; an unknown key is wrong too; relative paths are taken from the file's own folder.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from edge.errors import SettingError
from edge.overlay import put_on_top
from edge.setting_words import explain, shown
from edge.settings import LaneSettings, Settings
from hw.settings import PANEL_PARTS, same_pin


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
