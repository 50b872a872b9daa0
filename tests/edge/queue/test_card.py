"""A dead kiosk's card in another machine: its own settings, key and store are used, and no other's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cache import CacheReader
from edge.cli import main
from edge.errors import LandfallError
from edge.queue.card import settings_on
from provisioning.authority import make_kiosk_keys
from tests.edge.queue.sealed_store import KIOSK, SealedStore
from tests.edge.test_config import LEAST

SETTINGS = LEAST.replace("record.jwk", "$CREDENTIALS_DIRECTORY/record.key.json").replace(
    "[store]", '[store]\npath = "/var/lib/landfall/cache.db"'
)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system: run as root")


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """The root of a card with five crossings that were never sent."""
    root = tmp_path / "card"
    make_kiosk_keys(root / "etc/landfall/keys")
    (root / "etc/landfall/kiosk.toml").write_text(SETTINGS, encoding="utf-8")
    (root / "var/lib/landfall").mkdir(parents=True)
    store = SealedStore(root / "var/lib/landfall/cache.db")
    store.crossings(5)
    store.cache.close()
    return root


@pytest.fixture
def read_only(card: Path, tmp_path: Path) -> Iterator[Path]:
    """The same card as a file system that cannot be written."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    subprocess.run(["mount", "--bind", card, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_its_records_are_exported_under_its_own_name(card: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "stick").mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "of-this-machine"))
    assert main(["queue", "export", "--root", str(card), "--json", str(tmp_path / "stick")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [Path(file).name for file in said["files"]] == ["records_utopia_lane-1_001.jsonl"]
    assert main(["queue", "stats", "--root", str(card), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kiosk"] == KIOSK


def test_paths_of_the_settings_are_paths_of_the_card(card: Path) -> None:
    found = settings_on(card)
    assert found.store.path == str(card / "var/lib/landfall/cache.db")
    assert found.keys.record == str(card / "etc/landfall/keys/record.key.json")


def test_a_path_beside_the_settings_is_on_the_card_too(card: Path) -> None:
    shutil.move(card / "var/lib/landfall/cache.db", card / "etc/landfall/cache.db")
    settings = card / "etc/landfall/kiosk.toml"
    settings.write_text(SETTINGS.replace("/var/lib/landfall/", ""), encoding="utf-8")
    assert settings_on(card).store.path == str(card / "etc/landfall/cache.db")


def test_another_partition_of_the_card_is_refused_with_what_to_mount(tmp_path: Path) -> None:
    with pytest.raises(LandfallError, match=r"there is no etc/landfall/kiosk\.toml; mount the card's larger partition"):
        settings_on(tmp_path)


def test_a_store_on_a_partition_that_is_not_mounted_is_refused_with_what_to_mount(card: Path) -> None:
    (card / "var/lib/landfall/cache.db").unlink()
    with pytest.raises(LandfallError, match=r"there is no store on this card; mount the partition with /"):
        settings_on(card)


@as_root
def test_a_store_that_was_closed_in_order_is_read_from_a_card_that_cannot_be_written(read_only: Path) -> None:
    path = read_only / "var/lib/landfall/cache.db"
    assert not path.with_name("cache.db-wal").exists()
    with CacheReader.open(path) as reader:
        assert reader.heads()["crossing"].next_sequence == 7


@as_root
def test_the_log_of_a_kiosk_that_was_cut_off_is_read_from_a_card_that_cannot_be_written(
    card: Path, read_only: Path, tmp_path: Path
) -> None:
    store = SealedStore(tmp_path / "running.db")
    store.crossings(9)
    for suffix in ("", "-wal", "-shm"):
        shutil.copy(f"{store.path}{suffix}", card / f"var/lib/landfall/cache.db{suffix}")
    store.cache.close()
    with CacheReader.open(read_only / "var/lib/landfall/cache.db") as reader:
        assert reader.heads()["crossing"].next_sequence == 11


@as_root
def test_a_log_without_its_index_is_refused_with_a_remedy(card: Path, read_only: Path, tmp_path: Path) -> None:
    store = SealedStore(tmp_path / "running.db")
    store.crossings(9)
    for suffix in ("", "-wal"):
        shutil.copy(f"{store.path}{suffix}", card / f"var/lib/landfall/cache.db{suffix}")
    store.cache.close()
    with pytest.raises(LandfallError, match="copy the card into a file and mount that"):
        CacheReader.open(read_only / "var/lib/landfall/cache.db")
