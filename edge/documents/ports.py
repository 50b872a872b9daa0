"""Sea ports by UN/LOCODE: name and state, for a post that has no network to ask.

Owns the table (`ports.tsv`, whose head names source and date). Inland places and road or rail border crossings are not
in it: no copy of the whole UNECE list with a licence that permits to ship it was found. Always true: the table is read
from the package on first use, and a code that is not in it is unknown, not wrong.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from importlib.resources import files

import msgspec


class Port(msgspec.Struct, frozen=True):
    """One port; `state` is an alpha-3 code."""

    locode: str
    state: str
    name: str


def port(locode: str) -> Port | None:
    """Return the port with this UN/LOCODE (five characters, a space after the second allowed), or None."""
    rows = _rows()
    code = locode.replace(" ", "")
    key = f"{code}\t"
    place = bisect_left(rows, key)
    if len(code) != 5 or place == len(rows) or not rows[place].startswith(key):
        return None
    return Port(*rows[place].split("\t"))


@cache
def _rows() -> tuple[str, ...]:
    """Return the rows as they are, in the order of their codes: a fraction of the memory of a parsed table."""
    text = files(__package__).joinpath("ports.tsv").read_text("utf-8")
    return tuple(row for row in text.split("\n") if row and not row.startswith("#"))
