"""Connections to the centre's database, and its schema brought up to date.

Owns what differs between SQLite and PostgreSQL. Always true: a commit is on disk when it returns; errors carry no SQL
parameters, since these would be travellers; writers on SQLite stand in line from the first statement (BEGIN IMMEDIATE),
those on PostgreSQL lock the rows that they mean; root opens it as its owner (`central.owner`).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Dialect, Engine, Table, event, func, select
from sqlalchemy.dialects import postgresql, sqlite

from central.owner import Owner, acting_as, owner_for

CHUNK = 128  # terms in one WHERE; SQLite takes an expression 1000 deep
UPGRADE_LOCK = 0x4C414E44  # "LAND": the advisory lock of PostgreSQL that upgrades stand in line for

T = TypeVar("T")

_READ_ONLY = "landfall_read_only"
_WAL_RETRY_S = 0.01


def connect(url: str, *, lock_timeout_s: float = 30.0) -> Engine:
    """Return an engine for an `sqlite:///` or `postgresql+psycopg://` URL; nothing is opened yet."""
    chosen = sqlalchemy.make_url(url)
    if chosen.get_backend_name() == "sqlite":
        engine = sqlalchemy.create_engine(chosen, hide_parameters=True, connect_args={"timeout": lock_timeout_s})
        event.listen(engine, "connect", partial(_prepare_sqlite, lock_timeout_s=lock_timeout_s))
        event.listen(engine, "begin", _begin_sqlite)
        return _opened_by_its_owner(engine)
    options = f"-c lock_timeout={int(lock_timeout_s * 1000)} -c timezone=UTC"
    engine = sqlalchemy.create_engine(
        chosen, hide_parameters=True, pool_pre_ping=True, connect_args={"options": options, "connect_timeout": 10}
    )
    return _opened_by_its_owner(engine)


def _opened_by_its_owner(engine: Engine) -> Engine:
    owner = owner_for(engine.url)
    if owner is not None:
        event.listen(engine, "do_connect", partial(_connect_as, owner))
    return engine


def _connect_as(owner: Owner, dialect: Dialect, _: object, arguments: list[Any], parameters: dict[str, Any]) -> Any:
    with acting_as(owner):
        return dialect.connect(*arguments, **parameters)


def _prepare_sqlite(connection: Any, _: object, *, lock_timeout_s: float) -> None:
    connection.isolation_level = None  # the driver must not begin transactions on its own
    _turn_to_wal(connection, time.monotonic() + lock_timeout_s)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _turn_to_wal(connection: sqlite3.Connection, deadline_s: float) -> None:
    # SQLite does not wait for another connection that does the same at this moment: it says SQLITE_BUSY at once.
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
        time.sleep(_WAL_RETRY_S)


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give one transaction that is committed at the end, or rolled back by an exception."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give one transaction that sees a single state, changes nothing and blocks no writer."""
    with engine.connect() as connection:
        options: dict[str, Any] = {_READ_ONLY: True}
        if engine.dialect.name == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        connection = connection.execution_options(**options)
        with connection.begin():
            yield connection


def stand_in_line(connection: Connection, lock: int, name: str = "") -> None:
    """Let one transaction after the other go on that stands in line for the same thing; each holds it until it ends.

    Unlike `FOR UPDATE` it needs no right on any row. SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(lock, func.hashtext(name))))


def insert(connection: Connection, table: Table) -> Any:
    """Return an INSERT that knows ON CONFLICT, which both databases spell alike but SQLAlchemy keeps apart."""
    return _insert(connection.dialect.name, table)


def upsert(connection: Connection, table: Table) -> Any:
    """Return an INSERT of whole rows, each of which takes the place of the one with its primary key."""
    return _upsert(connection.dialect.name, table)


def _insert(dialect: str, table: Table) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


@cache  # to build it takes longer than to run it
def _upsert(dialect: str, table: Table) -> Any:
    statement = _insert(dialect, table)
    changed = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=changed)


def pieces(rows: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces of at most `size`, so that one statement does not name too many."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def upgrade(engine: Engine) -> None:
    """Bring the schema up to date; several processes may do so at once, one does it and the others find it done."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with writing(engine) as connection:
        stand_in_line(connection, UPGRADE_LOCK)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def rfc3339(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def moment(text: str) -> datetime:
    """Return what `rfc3339` wrote as a moment again."""
    return datetime.fromisoformat(text)
