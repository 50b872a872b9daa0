"""What the centre tells the operator and systemd.

Owns the form of a log line (stderr, journald's priority prefix, one line an event), what it tells of an error that
nobody expected, and sd_notify(3). Always true: no line holds a letter, a name or an SQL parameter; callers pass counts,
kiosks, streams and reasons.
"""

from __future__ import annotations

import os
import socket
import sys

from sqlalchemy.exc import SQLAlchemyError

from edge.errors import place_of

ERROR, WARNING, NOTICE, INFO, DEBUG = 3, 4, 5, 6, 7


def log(priority: int, text: str) -> None:
    """Write one line; journald takes the priority from the prefix (sd-daemon(3)), which nobody at a terminal needs."""
    line = " ".join(text.split())
    prefix = "" if sys.stderr.isatty() else f"<{priority}>"
    print(f"{prefix}{line}", file=sys.stderr, flush=True)


def told(error: BaseException) -> str:
    """Return an unexpected error as it may be logged: without its text, which may quote a record.

    `database: UniqueViolation`, without statement and row, or `fault: KeyError at store.py:12`.
    """
    if isinstance(error, SQLAlchemyError):
        return f"database: {database_error(error)}"
    return f"fault: {type(error).__name__} at {place_of(error.__traceback__)}"


def database_error(error: SQLAlchemyError) -> str:
    """Return the name of the driver's error, or of SQLAlchemy's where the driver raised none.

    The text is told of what PostgreSQL's client library says alone, before there is a connection or when it ends: it is
    about servers, roles and files. What the server says has an SQLSTATE, and may quote a row.
    """
    original = getattr(error, "orig", None) or error
    name = getattr(original, "sqlite_errorname", type(original).__name__)
    if name == "OperationalError" and getattr(original, "sqlstate", "") is None:
        return " ".join(str(original).partition("\n")[0].partition(": ")[2].split()) or name
    return name


def notify(state: str) -> None:
    """Tell systemd a state such as `READY=1`; does nothing when systemd did not ask."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    path = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier:
            notifier.connect(path)
            notifier.send(state.encode())
    except OSError as error:
        log(WARNING, f"systemd cannot be told: {error.strerror}")
