"""A real PostgreSQL for tests: a cluster in a folder of its own, on a Unix socket, gone afterwards.

Always true: nothing listens on a network port, and the machine's own clusters are not touched. Data is not synced to
disk here, so this server shows transactions and locks, but nothing about power cuts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

INITDB = ("--locale=C", "--no-sync")
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=50")


class PostgresMissing(Exception):
    """No PostgreSQL server is installed on this machine."""


def find_programs() -> Path:
    """Return the folder of the newest PostgreSQL's programs, where Debian puts it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise PostgresMissing("no PostgreSQL server is installed: apt-get install postgresql")
    return found[-1].parent


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server and yield its SQLAlchemy URL (`postgresql+psycopg://...`); the database is empty.

    Ready in about a second, so a run shares one, and each test has a `new_database` of its own.
    """
    programs = find_programs()
    # Not below pytest's folder: that is root's alone, and a socket's path has 107 bytes at the most.
    folder = Path(tempfile.mkdtemp(prefix="landfall-pg-"))
    cluster = folder / "cluster"
    options = " ".join(["-c listen_addresses=", f"-k {folder}", *(f"-c {setting}" for setting in FAST)])
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
    folder.chmod(0o755)  # root comes to its socket as somebody else
    try:
        _run(folder, programs / "initdb", "-D", cluster, "-U", "landfall", "-A", "trust", "-E", "UTF8", *INITDB)
        _run(folder, programs / "pg_ctl", "-D", cluster, "-l", folder / "log", "-o", options, "-w", "start")
        try:
            yield f"postgresql+psycopg://landfall@/postgres?host={folder}"
        finally:
            _run(folder, programs / "pg_ctl", "-D", cluster, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Make an empty database on the server and yield its URL; it is dropped afterwards, open connections or not."""
    name = f"test_{uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        engine.dispose()


def _run(folder: Path, *command: str | Path) -> None:
    owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # Into a file: a server that inherits a pipe would keep it open, and the call would never return.
    with (folder / "commands").open("a+b") as output:
        ended = subprocess.run([*owner, *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        if ended.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")
            log = (folder / "log").read_text(errors="replace") if (folder / "log").exists() else ""
            raise RuntimeError(f"{Path(command[0]).name} failed with {ended.returncode}:\n{said}{log}")
