"""The settings that a kiosk begins with: what every kiosk of this centre has, and on top what its post has otherwise.

Owns the defaults of a new `kiosk.toml`, and how a file of the post's goes on top: key by key, so that a post which has
another port says that and nothing else, and the file's comments stay. Always true: the kiosk would take what is
returned; who the kiosk is and where its keys lie is not for the file to say.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from edge import config
from edge.errors import SettingError
from provisioning.bundle import SETTINGS

ETC = Path("/etc/landfall")
UTC = "UTC"
_LOCALTIME = Path("/etc/localtime")
# What the bundle and the kiosk's unit say, and the file can only repeat.
_GIVEN = {"kiosk": ("site", "name"), "keys": ("record", "opening", "receipt"), "uplink": ("ca", "certificate", "key")}
_DEFAULTS = """\
[kiosk]
site = "{site}"
name = "{name}"

[keys]
record = "$CREDENTIALS_DIRECTORY/record.key.json"
opening = "$CREDENTIALS_DIRECTORY/opening.pub.json"
receipt = ["$CREDENTIALS_DIRECTORY/receipt.pub.json"]

[uplink]
host = "{broker_host}"
port = {broker_port}
ca = "$CREDENTIALS_DIRECTORY/ca.crt"
certificate = "$CREDENTIALS_DIRECTORY/client.crt"
key = "$CREDENTIALS_DIRECTORY/client.key"

[store]
path = "/var/lib/landfall/cache.db"
keep_receipted_h = 48

[clock]
time_zone = "{time_zone}"

[control]
socket = "/run/landfall/control.sock"

{documents}[[lanes]]
name = "lane-1"
readers = [{{ name = "reader-1", path = "/dev/serial/by-id/usb-*" }}]
"""


@dataclass(frozen=True, slots=True)
class PostFile:
    """What a post has otherwise, as TOML, and the file's name for errors."""

    text: str
    name: str


def zone_here() -> str:
    """Return the time zone that this machine is set to, by the link that says so (localtime(5)); UTC without one."""
    try:
        _, _, zone = os.readlink(_LOCALTIME).partition("/zoneinfo/")
    except OSError:
        return UTC
    return UTC if zone in ("", "Etc/UTC") else zone


def first_settings(
    kiosk: str,
    broker: tuple[str, int],
    trust_list: str = "",
    post: PostFile | None = None,
    *,
    time_zone: str = UTC,
) -> str:
    """Return the `kiosk.toml` of a new kiosk, whose `broker` is a host and a port; `trust_list` names a file.

    Raises `SettingError` with the post's file and key for what the kiosk would refuse.
    """
    site, _, name = kiosk.partition("/")
    documents = f'[documents]\ntrust_list = "{trust_list}"\n\n' if trust_list else ""
    text = _DEFAULTS.format(
        site=site,
        name=name,
        broker_host=broker[0],
        broker_port=broker[1],
        time_zone=time_zone,
        documents=documents,
    )
    if post is not None:
        text = _put_on_top(text, post)
    config.parse(text, file=post.name if post else SETTINGS, folder=ETC, environment={})
    return text


def _put_on_top(text: str, post: PostFile) -> str:
    settings = tomlkit.parse(text)
    try:
        given = tomlkit.parse(post.text)
    except TOMLKitError as error:
        raise SettingError(post.name, "", f"is not TOML: {error}") from None
    for table, values in given.items():
        own = settings.get(table)
        if isinstance(own, MutableMapping) and isinstance(values, MutableMapping):
            for key in _GIVEN.get(table, ()):
                if key in values and values[key] != own[key]:
                    right = f"must be {own[key]!r}, or left out"
                    raise SettingError(post.name, f"{table}.{key}", right, got=values[key])
            own.update(values)
        else:
            settings[table] = values
    return tomlkit.dumps(settings)
