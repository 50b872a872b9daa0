"""A copy of the centre's database, taken while it works, brings everything back: SQLite and PostgreSQL."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from central import database
from central.backup import back_up, restore, without_password
from central.cli import main
from central.clock import utc_now
from central.config import FleetSettings
from central.fleet.centre import measure
from edge.errors import LandfallError
from tests.central.centre import Centre
from tests.harness.kiosk_records import FakeKiosk
from tests.harness.postgres import find_programs, new_database


@pytest.fixture(autouse=True)
def _programs_of_the_server(monkeypatch):
    monkeypatch.setenv("PATH", f"{find_programs()}:{os.environ['PATH']}")


@pytest.fixture
def empty(url, tmp_path, server):
    """Return the URL of a second database of the same kind, with nothing in it."""
    with ExitStack() as stack:
        if make_url(url).get_backend_name() == "sqlite":
            yield f"sqlite:///{tmp_path / 'restored.db'}"
        else:
            yield stack.enter_context(new_database(server()))


@pytest.fixture
def kiosk():
    return FakeKiosk()


@pytest.fixture
def centre(engine, kiosk):
    centre = Centre(engine)
    centre.register(kiosk)
    return centre


def test_what_was_received_before_the_backup_comes_back_and_the_rest_is_sent_again(centre, kiosk, url, empty, tmp_path):
    kept = [kiosk.start_epoch(), *kiosk.crossings(4)]
    centre.receive(kiosk, *kept)
    assert back_up(url, tmp_path / "backup") > 0
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    later = kiosk.crossings(3)
    before = centre.receive(kiosk, *later)

    restore(empty, tmp_path / "backup")
    engine = database.connect(empty)
    try:
        restored = Centre(engine)
        again = restored.receive(kiosk, *later)
        assert again.held == before.held
        assert again.generations.everybodys > before.generations.everybodys
        assert restored.states(kiosk) == centre.states(kiosk)
    finally:
        engine.dispose()


def test_a_backup_is_never_written_over(engine, url, tmp_path):
    back_up(url, tmp_path / "backup")
    before = (tmp_path / "backup").read_bytes()
    with pytest.raises(LandfallError, match="backup: exists already"):
        back_up(url, tmp_path / "backup")
    assert (tmp_path / "backup").read_bytes() == before
    assert not list(tmp_path.glob(".*.part"))


def test_of_several_backups_to_one_file_at_once_one_is_kept_and_it_is_whole(centre, kiosk, url, empty, tmp_path):
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(20))

    def try_it(_: int) -> str:
        try:
            return "kept" if back_up(url, tmp_path / "backup") else ""
        except LandfallError as error:
            return error.message

    with ThreadPoolExecutor(4) as several:
        came = sorted(several.map(try_it, range(4)))
    assert came == [f"{tmp_path / 'backup'}: exists already"] * 3 + ["kept"]
    assert not list(tmp_path.glob(".*.part"))
    restore(empty, tmp_path / "backup")


def test_a_database_that_holds_something_is_never_written_over(centre, kiosk, url, tmp_path):
    centre.receive(kiosk, kiosk.start_epoch())
    back_up(url, tmp_path / "backup")
    with pytest.raises(LandfallError, match=r"is there already|is not empty"):
        restore(url, tmp_path / "backup")
    assert len(centre.states(kiosk)) == 1


def test_a_backup_that_was_cut_or_is_none_is_refused_and_the_database_stays_empty(centre, kiosk, url, empty, tmp_path):
    centre.receive(kiosk, kiosk.start_epoch(), *kiosk.crossings(50))
    back_up(url, tmp_path / "backup")
    whole = (tmp_path / "backup").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no backup"):
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(LandfallError, match=r"is damaged, or no backup|pg_restore: "):
            restore(empty, tmp_path / "damaged")
    restore(empty, tmp_path / "backup")


def test_a_place_that_cannot_be_written_leaves_nothing(engine, url, tmp_path):
    with pytest.raises((LandfallError, OSError)):
        back_up(url, tmp_path / "nothing" / "backup")


def test_the_age_of_the_last_backup_is_known_from_the_database_alone(engine, url, tmp_path):
    (tmp_path / "central.toml").write_text(f"[database]\nurl = '{url.replace('+psycopg', '')}'\n")
    for name in ("monday", "tuesday"):
        begun_at = utc_now()
        assert main(["backup", str(tmp_path / name), "--config", str(tmp_path / "central.toml")]) == 0
        with database.reading(engine) as connection:
            noted_at = measure(connection, {}, utc_now(), FleetSettings()).backup_at
        assert begun_at - timedelta(milliseconds=1) <= noted_at <= utc_now()


def test_the_commands_say_what_they_did(tmp_path, capsys):
    for name in ("central", "other"):
        (tmp_path / f"{name}.toml").write_text(f'[database]\nurl = "sqlite:///{name}.db"\n')
    assert main(["backup", str(tmp_path / "backup"), "--config", str(tmp_path / "central.toml")]) == 1
    assert "there is no such database" in capsys.readouterr().err
    assert main(["database", "upgrade", "--config", str(tmp_path / "central.toml")]) == 0
    assert main(["backup", str(tmp_path / "backup"), "--config", str(tmp_path / "central.toml")]) == 0
    assert main(["restore", str(tmp_path / "backup"), "--config", str(tmp_path / "other.toml")]) == 0
    assert "kiosks send again what the backup does not know" in capsys.readouterr().out
    assert Path(tmp_path / "other.db").exists()


def test_the_address_for_postgres_has_no_password_and_no_stars_in_its_place():
    url = make_url("postgresql+psycopg://landfall:secret@db.example.org:5433/centre?sslmode=verify-full")
    assert without_password(url) == "postgresql://landfall@db.example.org:5433/centre?sslmode=verify-full"
