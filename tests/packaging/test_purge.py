"""Purging the kiosk's package: what its script looks at, refuses and removes, in a folder that stands for the root."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from edge.cache import Cache
from tests.edge.cache.specimens import append, open_new, release_all

POSTRM = Path(__file__).parents[2] / "debian" / "landfall-kiosk.postrm"


class Kiosk:
    """The files that a removed package leaves."""

    def __init__(self, root: Path) -> None:
        self.root, self.etc, self.var = root, root / "etc/landfall", root / "var/lib/landfall"
        self.store = self.var / "cache.db"
        (self.etc / "keys").mkdir(parents=True)
        (self.etc / "keys" / "record.key.json").write_text("{}")
        (self.etc / "kiosk.toml").write_text('[kiosk]\nname = "ferry-01"\n')
        self.var.mkdir(parents=True)

    def filled(self, store: Path | None = None) -> Cache:
        cache = open_new(store or self.store)
        append(cache, "crossing", 4)
        return cache

    def purge(self, action: str = "purge") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"DPKG_ROOT": str(self.root)}
        return subprocess.run(["sh", POSTRM, action], env=environment, capture_output=True, text=True, timeout=60)

    def keeps_everything(self) -> bool:
        return all(path.exists() for path in (self.etc / "keys/record.key.json", self.etc / "kiosk.toml", self.var))


@pytest.fixture
def kiosk(tmp_path) -> Kiosk:
    return Kiosk(tmp_path / "root")


def test_records_without_a_receipt_are_counted_and_kept(kiosk):
    kiosk.filled().close()
    said = kiosk.purge()
    assert said.returncode == 1
    assert "Records that the centre does not have: 7\n" in said.stderr
    assert "landfall queue export" in said.stderr
    assert kiosk.store.exists() and kiosk.keeps_everything()


def test_records_that_only_the_log_of_a_killed_daemon_holds_count_too(kiosk, tmp_path):
    with kiosk.filled(tmp_path / "running.db"):
        for suffix in ("", "-wal"):
            Path(f"{kiosk.store}{suffix}").write_bytes(Path(f"{tmp_path}/running.db{suffix}").read_bytes())
    assert "does not have: 7\n" in kiosk.purge().stderr


def test_what_the_centre_has_is_removed_with_settings_and_keys(kiosk):
    with kiosk.filled() as cache:
        release_all(cache)
    assert kiosk.purge().returncode == 0
    assert not kiosk.var.exists() and not kiosk.etc.exists()


def test_a_file_that_the_package_knows_nothing_of_stays(kiosk):
    (kiosk.etc / "notes.txt").write_text("the gate opens inwards")
    assert kiosk.purge().returncode == 0
    assert [path.name for path in kiosk.etc.iterdir()] == ["notes.txt"]


def test_a_store_in_another_folder_is_found_by_the_settings(kiosk, tmp_path):
    elsewhere = tmp_path / "data" / "crossings.db"
    elsewhere.parent.mkdir()
    (kiosk.etc / "kiosk.toml").write_text(f'[store]\npath = "{elsewhere}"\n')
    with kiosk.filled(elsewhere) as cache:
        assert kiosk.purge().returncode == 1
        assert kiosk.keeps_everything()
        release_all(cache)
    assert kiosk.purge().returncode == 0
    assert list(elsewhere.parent.iterdir()) == []


def test_a_store_that_the_settings_no_longer_name_is_looked_at_before_its_folder_goes(kiosk, tmp_path):
    (kiosk.etc / "kiosk.toml").write_text(f'[store]\npath = "{tmp_path}/new.db"\n')
    with kiosk.filled(tmp_path / "new.db") as cache:
        release_all(cache)
    kiosk.filled().close()
    said = kiosk.purge()
    assert said.returncode == 1 and f"does not have: 7\nThey are in {kiosk.var}" in said.stderr
    assert kiosk.store.exists() and kiosk.keeps_everything()


@pytest.mark.parametrize("beside", [".damage-seen", ".damaged-1", ".salvaged"])
def test_a_store_that_was_damaged_is_for_people_to_look_at(kiosk, beside):
    with kiosk.filled() as cache:
        release_all(cache)
    Path(f"{kiosk.store}{beside}").touch()
    said = kiosk.purge()
    assert said.returncode == 1 and "some, in or beside a store that was damaged" in said.stderr
    assert kiosk.keeps_everything()


def test_a_store_that_cannot_be_read_is_kept(kiosk):
    kiosk.store.write_bytes(b"\0" * 8192)
    said = kiosk.purge()
    assert said.returncode == 1 and "an unknown number" in said.stderr
    assert kiosk.keeps_everything()


def test_settings_that_cannot_be_read_may_name_another_store_so_nothing_is_removed(kiosk):
    (kiosk.etc / "kiosk.toml").write_text("[store\n")
    said = kiosk.purge()
    assert said.returncode == 1 and "an unknown number" in said.stderr
    assert kiosk.keeps_everything()


def test_without_python_nothing_is_removed(kiosk):
    with kiosk.filled() as cache:
        release_all(cache)
    text = POSTRM.read_text("utf-8").replace("python3 -I", "python-that-is-gone -I")
    said = subprocess.run(
        ["sh", "-s", "purge"],
        input=text,
        env=os.environ | {"DPKG_ROOT": str(kiosk.root)},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 1 and kiosk.keeps_everything()


def test_purging_a_machine_that_was_never_provisioned_says_nothing(tmp_path):
    environment = os.environ | {"DPKG_ROOT": str(tmp_path)}
    said = subprocess.run(["sh", POSTRM, "purge"], env=environment, capture_output=True, text=True)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


@pytest.mark.parametrize("action", ["remove", "upgrade", "abort-install", "disappear"])
def test_only_purging_looks_at_the_store_and_only_purging_removes(kiosk, action):
    kiosk.filled().close()
    assert kiosk.purge(action).returncode == 0
    assert kiosk.store.exists() and kiosk.keeps_everything()
