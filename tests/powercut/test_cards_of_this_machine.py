"""The two cards that are cut forget what was not synced, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.powercut import obstacles
from tests.powercut.card import Card, Survival, Sync
from tests.powercut.loop_card import LoopCard

# A process of its own, as a kiosk is: one file synced, one not.
WRITES = """
import os, sys
for name, is_synced in (("synced", True), ("unsynced", False)):
    file = os.open(os.path.join(sys.argv[1], name), os.O_RDWR | os.O_CREAT)
    os.write(file, b"first")
    if is_synced:
        os.fsync(file)
        folder = os.open(sys.argv[1], os.O_RDONLY)
        os.fsync(folder)
    os.write(file, b"second")
"""


def write_to(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", WRITES, str(folder)], check=True)


def test_a_card_on_ext4_keeps_what_was_synced_and_loses_the_rest(tmp_path):
    if reason := obstacles.to_random_moments():
        pytest.skip(reason)
    with LoopCard(tmp_path / "card") as card:
        write_to(card.folder)
        card.cut()
        with pytest.raises(OSError, match="Input/output error"):
            os.fsync(os.open(card.folder / "synced", os.O_RDWR))
        card.unmount()
        card.mount()
        left = {file.name: file.read_bytes() for file in card.folder.iterdir() if file.is_file()}
    assert left == {"synced": b"first"}


def test_a_card_on_fuse_notes_every_operation_with_what_the_witnesses_had_seen(tmp_path):
    if reason := obstacles.to_every_write():
        pytest.skip(reason)
    from tests.powercut.fuse_card import FuseCard

    witness = tmp_path / "witness"
    witness.touch()
    with FuseCard(tmp_path / "card", {"old": b"content"}, lambda: (witness.stat().st_size,)) as fuse:
        assert (tmp_path / "card" / "old").read_bytes() == b"content"
        write_to(tmp_path / "card")
        witness.write_text("seen")
        os.sync()
    life = fuse.life
    card = Card(life.before)
    for noted in life.noted:
        card.apply(noted.operation)
    assert card.after_cut(Survival.NOTHING, Random(1)) == {"old": b"content", "synced": b"first"}
    assert card.after_cut(Survival.EVERYTHING, Random(1))["unsynced"] == b"firstsecond"
    assert sum(isinstance(noted.operation, Sync) for noted in life.noted) == 1
    assert {noted.marks for noted in life.noted} == {(0,)}
    assert life.marks_at_end == (4,)
