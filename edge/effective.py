"""PURE. The settings in force, as far as the centre may see them.

Owns what is told and under which key. Always true: a setting is told for its type, so that a new one cannot be
forgotten: numbers, truth values, words of a list, and texts that a pattern bounds (names, pins, hosts). Every other
text (paths of keys, ports, the store) stays on the kiosk.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from edge.setting_words import bare, default_of
from edge.settings import Settings
from edge.wire.commands import MOST_SETTINGS, SettingInForce

_NAMED = ("lanes", "readers")  # lists of tables that have a name of their own, which stands in the key


def in_force(settings: Settings) -> tuple[SettingInForce, ...]:
    """Return the settings by their keys; of more than `MOST_SETTINGS` those first that differ from their defaults."""
    told = list(_told("", inspect.type_info(Settings), settings))
    if len(told) > MOST_SETTINGS:
        told.sort(key=lambda one: one.value == one.default)
    return tuple(told[:MOST_SETTINGS])


def _told(at: str, kind: inspect.Type, value: Any) -> Iterator[SettingInForce]:
    """Yield what may be told of a table."""
    for field in bare(kind).fields:  # type: ignore[attr-defined]
        key, own = f"{at}{field.encode_name}", getattr(value, field.name)
        whole = bare(field.type)
        if isinstance(whole, inspect.StructType):
            yield from _told(f"{key}.", whole, own)
        elif field.encode_name in _NAMED:
            for one in own:
                yield from _told(f"{key}.{one.name}.", whole.item_type, one)  # type: ignore[union-attr]
        elif _may_be_told(whole):
            yield SettingInForce(key, _as_toml(own), default_of(field))


def _may_be_told(kind: inspect.Type) -> bool:
    match bare(kind):
        case inspect.BoolType() | inspect.IntType() | inspect.FloatType() | inspect.LiteralType() | inspect.EnumType():
            return True
        case inspect.StrType(pattern=str()):
            return True
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return _may_be_told(item)
        case _:
            return False


def _as_toml(value: Any) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
