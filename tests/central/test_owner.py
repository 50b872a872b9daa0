"""Root opens the database as its owner: what it makes there the collector can use, and PostgreSQL knows who comes."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from central import database, owner
from central.backup import back_up, restore
from central.owner import acting_as, owner_for
from tests.harness.postgres import find_programs, new_database

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user: run as root")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def collector(monkeypatch) -> None:
    """Let `nobody` be the collector's user, whom this machine may lack."""
    monkeypatch.setattr(owner, "COLLECTOR", "nobody")


@pytest.fixture
def peer_url(server, collector) -> Iterator[str]:
    """Return the URL of a database that `nobody` owns and that names no user."""
    with new_database(server()) as made:
        url = make_url(made)
        engine = database.connect(made)
        with database.writing(engine) as connection:
            connection.execute(
                text("DO $$ BEGIN CREATE ROLE nobody LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
            )
            connection.execute(text(f"ALTER DATABASE {url.database} OWNER TO nobody"))
        engine.dispose()
        yield f"postgresql+psycopg:///{url.database}?host={url.query['host']}"


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """Return a folder of nobody's; not below pytest's, which are root's alone."""
    with tempfile.TemporaryDirectory(prefix="landfall-") as folder:
        shutil.chown(folder, "nobody", NOBODY.pw_gid)
        yield Path(folder)


@as_root
def test_root_comes_to_postgresql_as_the_collectors_user_and_is_root_afterwards(peer_url):
    engine = database.connect(peer_url)
    with database.reading(engine) as connection:
        assert connection.scalar(text("SELECT current_user")) == "nobody"
    engine.dispose()
    assert (os.geteuid(), os.getegid()) == (0, 0)


@as_root
def test_root_backs_postgresql_up_to_where_the_owner_cannot_write_and_restores_from_there(
    peer_url, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", f"{find_programs()}:{os.environ['PATH']}")
    engine = database.connect(peer_url)
    database.upgrade(engine)
    tmp_path.chmod(0o700)
    back_up(peer_url, tmp_path / "backup")
    assert (tmp_path / "backup").stat().st_uid == 0
    with database.writing(engine) as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    restore(peer_url, tmp_path / "backup")
    with database.reading(engine) as connection:
        assert connection.scalar(text("SELECT tableowner FROM pg_tables WHERE tablename = 'record'")) == "nobody"
    engine.dispose()


@as_root
def test_an_sqlite_database_that_root_makes_or_restores_is_its_folders_owners(nobodys, tmp_path):
    made, restored = nobodys / "made.db", nobodys / "restored.db"
    engine = database.connect(f"sqlite:///{made}")
    database.upgrade(engine)
    assert {path.name for path in nobodys.iterdir()} == {"made.db", "made.db-wal", "made.db-shm"}
    back_up(f"sqlite:///{made}", tmp_path / "backup")
    restore(f"sqlite:///{restored}", tmp_path / "backup")
    assert restored.exists() and {path.stat().st_uid for path in nobodys.iterdir()} == {NOBODY.pw_uid}
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "is_somebody_else"),
    [
        ("postgresql+psycopg:///landfall", True),
        ("postgresql+psycopg:///landfall?host=/run/postgresql", True),
        ("postgresql+psycopg://nobody@/landfall", True),
        ("postgresql+psycopg://no-such-user@/landfall", False),
        ("postgresql+psycopg://nobody:secret@/landfall", False),
        ("postgresql+psycopg://db.example/landfall", False),
        ("postgresql+psycopg:///landfall?host=db.example", False),
        ("postgresql+psycopg:///landfall?host=a.example&host=b.example", False),
        ("sqlite:////proc/1/central.db", False),
        ("sqlite:////no/such/folder/central.db", False),
        ("sqlite://", False),
    ],
)
def test_root_becomes_somebody_else_only_where_the_kernel_vouches_for_it(url, is_somebody_else, collector, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert (owner_for(make_url(url)) is not None) is is_somebody_else


def test_who_is_not_root_stays_who_they_are(collector, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert owner_for(make_url("postgresql+psycopg:///landfall")) is None
    with acting_as(None):
        pass


@as_root
def test_root_is_root_again_after_a_connection_that_failed(collector):
    engine = database.connect("postgresql+psycopg:///landfall?host=/nowhere")
    with pytest.raises(Exception, match="nowhere"):
        database.upgrade(engine)
    assert (os.geteuid(), os.getegid()) == (0, 0)
