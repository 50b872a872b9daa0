"""State codes of travel documents: who may issue one, and whose holder it names.

Owns the table (`states.tsv`: ISO 3166-1 alpha-3 and the codes that ICAO Doc 9303-3 section 5 adds) and the question
whether a code is in it. It owns no policy: a stateless person's or a refugee's document is a document. Always true: the
table is read from the package on first use and never changes after that.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec


class StateKind(StrEnum):
    """What a code stands for, which decides where in a document it may stand."""

    STATE = "state"  # a state or territory of ISO 3166-1, and D and RKS
    ORGANISATION = "organisation"  # issues documents of its own: UNO, EUE, XCC
    STATUS = "status"  # a kind of nationality that also stands as issuer: GBD, GBN, UNK
    PERSON = "person"  # tells of the holder alone: stateless, refugee, unspecified
    SPECIMEN = "specimen"  # issues nothing: Utopia
    WITHDRAWN = "withdrawn"  # older documents may still carry it
    SIGNER = "signer"  # signs lists of certificates, issues no document


class State(msgspec.Struct, frozen=True):
    """One code of Doc 9303-3 section 5, without fillers: `D`, `UTO`, `XXB`."""

    code: str
    kind: StateKind
    name: str

    @property
    def is_specimen(self) -> bool:
        """Tell whether documents with this code are specimens."""
        return self.kind is StateKind.SPECIMEN


def state(code: str) -> State | None:
    """Return the state, organisation or status with this code, or None.

    `code` is upper case; trailing fillers are allowed (`D<<`).
    """
    return states().get(code.rstrip("<"))


@cache
def specimens() -> frozenset[str]:
    """Return the codes that only specimens carry."""
    return frozenset(code for code, found in states().items() if found.is_specimen)


@cache
def states() -> dict[str, State]:
    """Return the whole table by code."""
    text = files(__package__).joinpath("states.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {code: State(code, StateKind(kind), name) for code, kind, name in rows}
