"""TinyDB queries as SQL, where both mean exactly the same.

Owns the translation; what it does not know it leaves to TinyDB's own test, row by row. The only tree that TinyDB keeps
of a query is the tuple by which it hashes (`_hash`), so that is what is read here, and a test fails should TinyDB ever
change it. Always true: the SQL matches a document exactly when calling the query would, and it is used only where
calling the query could not raise.

A comparison is translated when its path is one column and its operand has that column's type: `1`, `True` and `1.0` are
equal in Python and so are left to Python. Columns are never null, so `not` needs no third value; texts compare by code
point in both. A path that leads nowhere (`where('carrier')`, `where('type').x`) is false for every test in TinyDB.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tinydb.queries import QueryInstance

COLUMN_TYPES: dict[str, type] = {
    "epoch": str,
    "sequence": int,
    "id": str,
    "type": str,
    "time": str,
    "direction": str,
    "outcome": str,
    "training": bool,
    "hash": str,
}
FIELDS = frozenset((*COLUMN_TYPES, "record"))

_OPERATORS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_PATH_TESTS = frozenset((*_OPERATORS, "exists", "matches", "search", "test", "any", "all", "one_of"))
_MAX_DEPTH = 50
_MAX_INTEGER = 2**63


class Condition(NamedTuple):
    """A condition of SQL and its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()


TRUE = Condition("1")
FALSE = Condition("0")


def condition(query: object) -> Condition | None:
    """Return the SQL that means the same as a TinyDB query, None when there is none."""
    if type(query) is not QueryInstance or not query.is_cacheable():
        return None
    return _translate(query._hash, 0)


def _translate(tree: Any, depth: int) -> Condition | None:
    if depth > _MAX_DEPTH:
        return None
    match tree:
        case ():
            return TRUE  # Query().noop()
        case ("and" | "or" as word, frozenset() as parts):
            conditions = [_translate(part, depth + 1) for part in parts]
            if None in conditions:
                return None
            return Condition(
                "(" + f" {word.upper()} ".join(part.sql for part in conditions) + ")",
                tuple(value for part in conditions for value in part.parameters),
            )
        case ("not", part):
            inner = _translate(part, depth + 1)
            return inner and Condition(f"(NOT {inner.sql})", inner.parameters)
        case (str() as test, tuple() as path, *operands) if test in _PATH_TESTS and path:
            return _comparison(test, path, operands)
    return None


def _comparison(test: str, path: tuple, operands: list) -> Condition | None:
    if type(path[0]) is not str:
        return None
    if path[0] not in FIELDS or (len(path) > 1 and all(type(part) is str for part in path)):
        return FALSE
    if len(path) > 1:
        return None
    if test == "exists":
        return TRUE
    kind = COLUMN_TYPES.get(path[0])
    if test not in _OPERATORS or len(operands) != 1 or kind is None or type(operands[0]) is not kind:
        return None
    if not _fits(operands[0]):
        return None
    return Condition(f"{path[0]} {_OPERATORS[test]} ?", (operands[0],))


def _fits(operand: str | int | bool) -> bool:
    """Tell whether SQLite can hold the operand: 64 bits, or text that is Unicode."""
    if isinstance(operand, int):
        return -_MAX_INTEGER <= operand < _MAX_INTEGER
    try:
        operand.encode()
    except UnicodeEncodeError:
        return False
    return True
