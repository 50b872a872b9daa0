"""Who issued a licence: the issuer identification number that every bar code and magnetic stripe of AAMVA begins with.

Owns the table (`issuers.tsv`). Always true: it is read from the package on first use and never changes after that.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


class Issuer(msgspec.Struct, frozen=True):
    """One issuing authority; `state` is an alpha-3 code, `jurisdiction` the two letters of state or province."""

    number: str
    state: str
    jurisdiction: str
    name: str


def issuer(number: str) -> Issuer | None:
    """Return the authority with this issuer identification number (six digits), or None where it is not known."""
    return issuers().get(number)


@cache
def issuers() -> dict[str, Issuer]:
    """Return the whole table by number."""
    text = files(__package__).joinpath("issuers.tsv").read_text("utf-8")
    rows = (row.split("\t") for row in text.splitlines() if not row.startswith("#"))
    return {row[0]: Issuer(*row) for row in rows}
