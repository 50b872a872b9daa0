"""Settings in words: what a setting may be, and what is wrong with one.

Owns the sentences that a technician reads, made from the types of the settings; the table in README.md uses the same
words. Always true: a sentence shows a wrong value shortened, and of a list or table only that it is one.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

import msgspec
from msgspec import inspect

from edge.errors import SettingError

_LONGEST_SHOWN = 60


def words_for(kind: inspect.Type) -> str:
    """Return what a value of this type may be: `1-65535`, `one of entry, exit`, `a number above 0, at most 3600`."""
    match kind:
        case inspect.Metadata(extra={"right": right}):
            return right
        case inspect.Metadata():
            return words_for(kind.type)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType(ge=int(least), le=int(most)):
            return f"{least}-{most}"
        case inspect.IntType(ge=int(least)):
            return f"{least} or more"
        case inspect.FloatType():
            return _range(kind)
        case inspect.LiteralType():
            return f"one of {', '.join(map(str, kind.values))}"
        case inspect.EnumType():
            return f"one of {', '.join(member.value for member in kind.cls)}"
        case inspect.ListType() | inspect.VarTupleType():
            return _list(kind)
        case inspect.UnionType():
            return ", or ".join(words_for(one) for one in kind.types if not isinstance(one, inspect.NoneType))
        case inspect.StructType():
            return "a table"
        case _:
            return "text"


def _range(kind: inspect.FloatType) -> str:
    least = "" if kind.gt is None else f" above {kind.gt:g}"
    least = least if kind.ge is None else f" from {kind.ge:g}"
    most = "" if kind.le is None else f" to {kind.le:g}" if kind.ge is not None else f", at most {kind.le:g}"
    return f"a number{least}{most}"


def _list(kind: inspect.ListType | inspect.VarTupleType) -> str:
    item = kind.item_type
    of = "tables" if isinstance(bare(item), inspect.StructType) else f"values, each {words_for(item)}"
    match kind.min_length, kind.max_length:
        case int(least), int(most):
            return f"a list of {least} to {most} {of}"
        case int(least), None:
            return f"a list of {least} or more {of}"
        case _:
            return f"a list of {of}"


def bare(kind: inspect.Type) -> inspect.Type:
    """Return a type without what was said about it."""
    return bare(kind.type) if isinstance(kind, inspect.Metadata) else kind


def explain(file: str, settings: type, raw: dict[str, Any], message: str) -> SettingError:
    """Turn the validator's message into file, key, what would be right, and what is there."""
    what, _, path = message.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    kind = _type_at(inspect.type_info(settings), key)
    if missing := re.fullmatch(r"Object missing required field `(.+)`", what):
        words = words_for(_type_at(kind, missing[1]))
        return SettingError(file, _join(key, missing[1]), f"is missing; it must be {words}")
    if unknown := re.fullmatch(r"Object contains unknown field `(.+)`", what):
        known = [field.encode_name for field in bare(kind).fields]  # type: ignore[attr-defined]
        near = difflib.get_close_matches(unknown[1], known, n=1)
        hint = f"did you mean {near[0]}?" if near else "README.md lists every setting"
        return SettingError(file, _join(key, unknown[1]), f"is not a setting; {hint}")
    return SettingError(file, key, f"must be {words_for(kind)}", got=shown(_value_at(raw, key)))


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _steps(key: str) -> list[str | int]:
    return [int(part[1:-1]) if part.startswith("[") else part for part in re.findall(r"[^.\[\]]+|\[\d+\]", key)]


def _type_at(kind: inspect.Type, key: str) -> inspect.Type:
    """Return the type of what stands at `a.b[0].c` below a type."""
    for step in _steps(key):
        whole = bare(kind)
        if isinstance(whole, inspect.StructType):
            kind = next(field.type for field in whole.fields if field.encode_name == step)
        elif isinstance(whole, inspect.ListType | inspect.VarTupleType):
            kind = whole.item_type
    return kind


def _value_at(raw: Any, key: str) -> Any:
    for step in _steps(key):
        raw = raw[step]
    return raw


def shown(value: object) -> str:
    """Return a value as TOML spells it, shortened."""
    match value:
        case dict():
            return "a table"
        case list() | tuple():
            return f"a list of {len(value)}"
        case bool() | str():
            text = json.dumps(value, ensure_ascii=False)
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def meaning_of(field: inspect.Field) -> str:
    """Return what a setting is for, as its type says it."""
    schema = field.type.extra_json_schema if isinstance(field.type, inspect.Metadata) else None
    return str((schema or {}).get("description", ""))


def default_of(field: inspect.Field) -> str | None:
    """Return a setting's default as TOML spells it, or None when it must be given."""
    if field.required:
        return None
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return json.dumps(msgspec.to_builtins(default), ensure_ascii=False)
