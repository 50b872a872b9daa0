"""What an operator can do about a database that cannot be used.

Owns these words alone; what happened is told by `journal.database_error`, which says nothing that a row holds.
"""

from __future__ import annotations

import re

from sqlalchemy.exc import SQLAlchemyError

from central.journal import database_error
from central.owner import COLLECTOR

_SERVER = "check [database] url, and that it runs: systemctl status postgresql"
_NO_RIGHT = "run it as root, with sudo"
# By the name of the driver's error, since the driver of PostgreSQL is not there where only SQLite is used.
_REMEDIES = {
    "InsufficientPrivilege": "the role may not do this: see `landfall-central database grants`",
    "SQLITE_CANTOPEN": f"{_NO_RIGHT}, and see whether the folder in [database] url is there",
    "SQLITE_READONLY": _NO_RIGHT,
    "SQLITE_FULL": "make room on its disk",
}


def remedy(error: SQLAlchemyError) -> str:
    """Return what to do about it, as far as possible the line to type."""
    what = database_error(error)
    if found := re.search(r'role "(.+)" does not exist', what):
        return f"make it: sudo -u postgres createuser {found[1]}" if found[1].startswith("landfall-") else _NO_RIGHT
    if found := re.search(r'database "(.+)" does not exist', what):
        return f"make it: sudo -u postgres createdb --owner {COLLECTOR} {found[1]}"
    if "Peer authentication failed" in what:
        return _NO_RIGHT
    return _REMEDIES.get(what, _SERVER)
