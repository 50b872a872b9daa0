"""Airports by their IATA location code: name, state and, where one is known, the UN/LOCODE.

Owns the table (`airports.tsv`, whose head names source and date), which also has the codes of cities with several
airports (`LON`). Railway and bus stations with location codes are not in it, nor are airlines: no table of them with a
licence that permits to ship it was found. Always true: the table is read from the package on first use, and a code that
is not in it is unknown, not wrong.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from importlib.resources import files

import msgspec


class Airport(msgspec.Struct, frozen=True):
    """One IATA location code; `state` is an alpha-3 code, `locode` a UN/LOCODE (`CAYUL`) or empty."""

    code: str
    state: str
    locode: str
    name: str


def airport(code: str) -> Airport | None:
    """Return the airport or city with this IATA location code (three capitals), or None where it is not known."""
    rows = _rows()
    key = f"{code}\t"
    place = bisect_left(rows, key)
    if len(code) != 3 or place == len(rows) or not rows[place].startswith(key):
        return None
    return Airport(*rows[place].split("\t"))


def is_known(code: str) -> bool:
    """Tell whether the code is that of an airport or city in the table."""
    return airport(code) is not None


@cache
def _rows() -> tuple[str, ...]:
    """Return the rows as they are, in the order of their codes: a fraction of the memory of a parsed table."""
    text = files(__package__).joinpath("airports.tsv").read_text("utf-8")
    return tuple(row for row in text.split("\n") if row and not row.startswith("#"))
