"""What each kiosk reports of the settings that it runs with.

Owns the table `kiosk_settings`: one row a kiosk, the last that it said. Always true: whatever a hostile kiosk reports,
what is kept is bounded in number and length and printable; it is what the kiosk says, never what was ordered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select

from central import database
from central.tables import kiosk_settings
from edge.printable import printable
from edge.wire.commands import MOST_SETTINGS, Reported, SettingInForce

MOST_CHARACTERS = 300  # of a value; a host name has 253
_KEY = re.compile(r"[a-z0-9_-]{1,40}(\.[a-z0-9_-]{1,40}){0,7}")
_WORD = 80
_DEPTH = 8


class KioskSetting(msgspec.Struct, frozen=True):
    """One setting as TOML spells it; `default` is None for one that must be given."""

    key: str
    value: str
    default: str | None
    is_from_afar: bool  # the centre put it on top of the kiosk's own file


class KioskSettings(msgspec.Struct, frozen=True):
    """What a kiosk said of its settings. `id` is that of the last desired settings, `state` what came of them."""

    at: str
    taken_at: str
    version: str
    sha256: str
    state: str
    id: str
    detail: str
    settings: tuple[KioskSetting, ...]


_decoder = msgspec.json.Decoder(KioskSettings)


def keep(engine: Engine, reported: Reported, now: datetime) -> None:
    """Keep what a kiosk reported in the place of what it said before; what is here already costs no write."""
    with database.reading(engine) as connection:
        known = find(connection, reported.kiosk)
    said = _as_kept(reported, now)
    if known is not None and msgspec.structs.replace(said, taken_at=known.taken_at) == known:
        return  # the broker keeps the message, and says it to each collector that connects
    row = {"kiosk": reported.kiosk, "settings": msgspec.json.encode(said).decode()}
    with database.writing(engine) as connection:
        connection.execute(database.upsert(connection, kiosk_settings), row)


def find(connection: Connection, kiosk: str) -> KioskSettings | None:
    """Return what a kiosk last said; None where it never did, or another version of Landfall wrote it down."""
    text = connection.scalar(select(kiosk_settings.c.settings).where(kiosk_settings.c.kiosk == kiosk))
    try:
        return None if text is None else _decoder.decode(text)
    except msgspec.DecodeError:
        return None


def leaves(settings: Mapping[str, Any], at: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, Any]]:
    """Yield the settings of nested tables by their keys with dots between."""
    for name, value in settings.items():
        if not isinstance(value, Mapping):
            yield f"{at}{name}", value
        elif depth:
            yield from leaves(value, f"{at}{name}.", depth - 1)


def _as_kept(reported: Reported, now: datetime) -> KioskSettings:
    from_afar = {key for key, _ in leaves(reported.settings)}
    return KioskSettings(
        at=_cut(reported.at, _WORD),
        taken_at=database.rfc3339(now),
        version=_cut(reported.version, _WORD),
        sha256=_cut(reported.settings_sha256, _WORD),
        state=_cut(reported.state, _WORD),
        id=_cut(reported.id, _WORD),
        detail=_cut(reported.detail),
        settings=tuple(
            KioskSetting(one.key, _cut(one.value), _default(one), one.key in from_afar)
            for one in reported.in_force[:MOST_SETTINGS]
            if _KEY.fullmatch(one.key)
        ),
    )


def _default(one: SettingInForce) -> str | None:
    return None if one.default is None else _cut(one.default)


def _cut(text: str, longest: int = MOST_CHARACTERS) -> str:
    return printable(text[:longest])
