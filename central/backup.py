"""The centre's database in one file, and back: SQLite by its own VACUUM INTO, PostgreSQL by pg_dump and pg_restore.

Owns how a copy is taken while collectors work, and how it comes back. Always true: a backup is there whole or not at
all, readable by its owner alone, and is of one moment; a restore never writes over a database that holds something.
No key is in it. What the copy does not know, kiosks send again: collectors notice that it ends earlier, and a kiosk
keeps what was receipted for a backup interval (`store.keep_receipted_h`).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import sqlalchemy
from sqlalchemy import text
from sqlalchemy.engine import URL

from central import database
from central.fleet.centre import BACKUP_AT
from central.owner import COLLECTOR, owner_for
from central.tables import centre
from edge.errors import LandfallError


def back_up(url: str, path: Path) -> int:
    """Write a copy of the database to a new file and return its size in bytes.

    Raises `LandfallError` when the file exists, when the database does not, or when pg_dump is missing or fails.
    """
    _refuse_existing(path)
    chosen = sqlalchemy.make_url(url)
    with _draft_of(path) as draft:
        if chosen.get_backend_name() == "sqlite":
            _copy_sqlite(chosen, draft)
        else:
            with draft.open("wb") as to:  # written by us: the database's owner may not reach this folder
                _run_postgres(chosen, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", to=to)
    return path.stat().st_size


def note_backup(url: str, at: datetime) -> None:
    """Leave in the database when it was backed up, so that the watcher can tell that nobody does it any more."""
    engine = database.connect(url)
    try:
        with database.writing(engine) as connection:
            row = {"key": BACKUP_AT, "value": database.rfc3339(at)}
            connection.execute(database.upsert(connection, centre), row)
    finally:
        engine.dispose()


def restore(url: str, path: Path) -> None:
    """Fill an empty database from a backup and bring its tables up to date; collectors must not run.

    Raises `LandfallError` when the database holds tables already, when the file is damaged or no backup of this kind of
    database, or when pg_restore is missing or fails; the database is then as it was.
    """
    chosen = sqlalchemy.make_url(url)
    if not path.is_file():
        raise LandfallError(f"{path}: there is no such file")
    engine = database.connect(url)
    try:
        if chosen.get_backend_name() == "sqlite":
            _restore_sqlite(chosen, path)
        else:
            if sqlalchemy.inspect(engine).get_table_names():
                raise LandfallError(
                    "the database is not empty",
                    remedy=f"make a new one: sudo -u postgres createdb --owner {COLLECTOR} NAME",
                )
            with path.open("rb") as from_:
                options = ("--no-owner", "--no-privileges", "--single-transaction")
                _run_postgres(chosen, "pg_restore", *options, from_=from_)
        database.upgrade(engine)
    finally:
        engine.dispose()


def _copy_sqlite(url: URL, draft: Path) -> None:
    if not Path(str(url.database)).exists():
        raise LandfallError(f"{url.database}: there is no such database", remedy="see database.url in the settings")
    engine = database.connect(url.render_as_string(hide_password=False))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.connection.cursor().execute("VACUUM INTO ?", (str(draft),))
    finally:
        engine.dispose()


def _restore_sqlite(url: URL, path: Path) -> None:
    target = Path(str(url.database))
    for there in (target, target.with_name(f"{target.name}-wal")):
        if there.exists():
            raise LandfallError(f"{there}: is there already", remedy="move it away; nothing is written over")
    with _draft_of(target) as draft:
        shutil.copyfile(path, draft)
        _check_sqlite(draft, path)
        if owner := owner_for(url):  # or no collector could open what root brought back
            os.chown(draft, owner.uid, owner.gid)


@contextmanager
def _draft_of(path: Path) -> Iterator[Path]:
    """Give a file to write, for its owner alone, which is `path` once it is whole; never in the place of another.

    Whoever writes a draft in the same folder at this moment is waited for: it may be the same one.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    draft = path.with_name(f".{path.name}.part")
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        draft.unlink(missing_ok=True)
        try:
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            yield draft
            _sync(draft)
            os.link(draft, path)  # fails where a file is, as a rename would not
        except FileExistsError:
            _refuse_existing(path)
            raise
        finally:
            draft.unlink(missing_ok=True)
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_sqlite(draft: Path, path: Path) -> None:
    """Raise `LandfallError` unless the file is a whole database of the centre."""
    engine = sqlalchemy.create_engine(f"sqlite:///file:{draft}?mode=ro&immutable=1&uri=true", hide_parameters=True)
    try:
        with engine.connect() as connection:
            is_whole = connection.scalar(text("PRAGMA integrity_check")) == "ok"
            is_ours = sqlalchemy.inspect(connection).has_table("record")
    except sqlalchemy.exc.DatabaseError:
        is_whole = is_ours = False
    finally:
        engine.dispose()
    if not (is_whole and is_ours):
        raise LandfallError(f"{path}: is damaged, or no backup of an SQLite database", remedy="take an older backup")


def _run_postgres(
    url: URL, program: str, *options: str, from_: BinaryIO | None = None, to: BinaryIO | None = None
) -> None:
    """Run a program of PostgreSQL on the database; the password goes by the environment, where nobody reads it."""
    place = without_password(url)
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    owner = owner_for(url)
    try:
        done = subprocess.run(
            [program, f"--dbname={place}", *options],
            cwd="/",
            env=environment,
            stdin=from_ or subprocess.DEVNULL,
            stdout=to or subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            user=owner and owner.uid,
            group=owner and owner.gid,
            extra_groups=[] if owner else None,
        )
    except FileNotFoundError:
        raise LandfallError(f"{program} is not installed", remedy="apt-get install postgresql-client") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise LandfallError(f"{program}: {said[0] if said else f'ended with {done.returncode}'}")


def without_password(url: URL) -> str:
    """Return the address of a database as libpq reads it; `URL.set` would keep a password, and show it as stars."""
    address = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return address.render_as_string(hide_password=False)


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise LandfallError(f"{path}: exists already", remedy="choose another name; a backup is never written over")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
