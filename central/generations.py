"""The lives of the centre's database: which generation each kiosk's receipts and resend requests are signed with.

Owns the rows that hold them. A generation is a text that grows with time; a kiosk follows no receipt of an older one
than it has followed. Always true: what every kiosk gets changes only by what the centre sees itself, a start of a
collector or a database that went back; what a kiosk claims changes that kiosk's own generation and nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select
from uuid6 import uuid7

from central import database
from central.tables import centre

_EVERYBODYS = "generation"
_SELECT = select(centre.c.key, centre.c.value)


@dataclass(frozen=True, slots=True)
class Generations:
    """The generation of everybody, and those of kiosks that got one of their own since."""

    everybodys: str
    own: Mapping[str, str] = field(default_factory=dict)

    def of(self, kiosk: str) -> str:
        """Return the one to sign with for a kiosk."""
        return max(self.everybodys, self.own.get(kiosk, ""))


def read(connection: Connection, kiosks: Iterable[str] = ()) -> Generations:
    """Return the present generations, as far as they matter to these kiosks."""
    keys = {_own(kiosk): kiosk for kiosk in kiosks}
    query = _SELECT.where(centre.c.key.in_([_EVERYBODYS, *keys]))
    found = {row.key: row.value for row in connection.execute(query)}
    return Generations(str(found.pop(_EVERYBODYS, "")), {keys[key]: value for key, value in found.items()})


def renew(connection: Connection) -> str:
    """Begin a new life of the database for every kiosk and return its name.

    A collector does so when it starts, since nobody can tell whether the database was restored while it was away.
    """
    own = centre.c.key.startswith(_own(""), autoescape=True)
    connection.execute(delete(centre).where(own))  # all of them are older
    return _write(connection, _EVERYBODYS)


def renew_of(connection: Connection, kiosk: str) -> str:
    """Begin a new generation for one kiosk, which shows that its records were lost here, and return its name."""
    return _write(connection, _own(kiosk))


def _own(kiosk: str) -> str:
    return f"{_EVERYBODYS} of {kiosk}"


def _write(connection: Connection, key: str) -> str:
    generation = str(uuid7())
    connection.execute(database.upsert(connection, centre), {"key": key, "value": generation})
    return generation
