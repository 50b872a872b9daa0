"""The settings of a kiosk on its page: what it runs with, beside what was ordered and what is usual.

Owns the comparison of the two. Always true: what runs is what the kiosk itself reported; what was ordered is what
stands in the table of commands, whatever the kiosk says of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from central import commands, database, kiosk_settings
from central.commands import SETTINGS
from central.console.kiosk_commands import Order, order_of
from central.console.visit import Visit
from central.fleet.view import KioskView
from central.kiosk_settings import KioskSetting, KioskSettings


@dataclass(frozen=True, slots=True)
class Row:
    """One setting that is not at its default, or was ordered; `ordered` is as TOML spells it, empty where it was not.

    `setting` is None for what was ordered and the kiosk does not tell.
    """

    key: str
    setting: KioskSetting | None
    ordered: str
    is_as_ordered: bool


@dataclass(frozen=True, slots=True)
class SettingsShown:
    """What the page says of a kiosk's settings; `is_old` when its health names others than it reported."""

    said: KioskSettings | None
    is_old: bool
    order: Order | None
    rows: tuple[Row, ...]
    usual: tuple[KioskSetting, ...]


def shown(visit: Visit, one: KioskView) -> SettingsShown:
    """Return the settings of a kiosk, those first that are not at their defaults."""
    engine = visit.console.engine
    with database.reading(engine) as connection:
        said = kiosk_settings.find(connection, one.kiosk)
    newest = commands.list_commands(engine, kiosk=one.kiosk, name=SETTINGS, limit=1)
    order = order_of(newest[0], visit.now) if newest else None
    ordered = dict(kiosk_settings.leaves(order.issued.arguments.get("settings", {}))) if order else {}
    told = {setting.key: setting for setting in said.settings} if said else {}
    changed = [key for key, setting in told.items() if setting.value != setting.default and key not in ordered]
    return SettingsShown(
        said=said,
        is_old=bool(said and one.report and one.report.settings_sha256 not in ("", said.sha256)),
        order=order,
        rows=tuple(_row(key, told.get(key), ordered) for key in [*ordered, *changed]),
        usual=tuple(
            setting for key, setting in told.items() if setting.value == setting.default and key not in ordered
        ),
    )


def _row(key: str, setting: KioskSetting | None, ordered: dict[str, Any]) -> Row:
    if key not in ordered:
        return Row(key, setting, "", True)
    text = msgspec.json.encode(ordered[key]).decode()
    return Row(key, setting, text, setting is not None and _same(setting.value, ordered[key]))


def _same(value: str, ordered: Any) -> bool:
    """Tell whether a value that a kiosk told is the ordered one: 3 and 3.0 are."""
    try:
        return bool(msgspec.json.decode(value) == ordered)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
