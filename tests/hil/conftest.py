"""The parts of the machine are built once and kept; each test module boots it for itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hil.machine import Machine, make_card
from tests.hil.post import Post

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def parts() -> Path:
    """Return the folder with kernel and root, building what is missing or older than its recipe."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(cache) / "landfall" / "hil"
    subprocess.run([HERE / "kernel", folder], check=True)
    subprocess.run([HERE / "root", folder, sys.executable], check=True)
    return folder


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty card."""
    card = tmp_path_factory.mktemp("card") / "card.ext4"
    make_card(card)
    return card


@pytest.fixture(scope="module")
def post(parts: Path, card: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """Yield a post whose centre and kiosk run."""
    with Machine(parts, tmp_path_factory.mktemp("machine"), card) as machine:
        machine.ask("plug")
        post = Post(machine)
        post.start_centre()
        post.start_kiosk()
        yield post
