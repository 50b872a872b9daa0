"""A journey of a card that somebody copies: specimens are searched for in every block of it, used or free."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import ExitStack
from importlib import resources
from pathlib import Path

import pytest

from edge.control import ask
from hw.simulated.travellers import specimen
from provisioning.local_deployment import wait_until
from tests.journeys.world import PATIENCE_S, World
from tests.powercut import obstacles
from tests.powercut.loop_card import LoopCard

pytestmark = pytest.mark.journey

SEED, EACH = 11, 5  # as many travellers in each part of the journey
LEAST = 8  # letters; shorter words turn up by chance in megabytes of base64
# The card is small.
ROOM = "reserve_mb = 16\nphotos_stop_below_mb = 17"
CAMERA = 'camera = { driver = "simulated", deadline_s = 1 }'
POLICY = 'show_s = 0.02, refer_s = 0.1, collect_s = 2, photo = "wanted"'


def words() -> set[bytes]:
    """Return numbers, names and lines of the zone of all who come."""
    found = set()
    for ordinal in range(1, 3 * EACH + 1):
        traveller = specimen(SEED, ordinal)
        names, numbers = traveller.mrz.split(b"\n")
        found |= {traveller.document_number.encode(), names, numbers, *names[5:].split(b"<")}
    return {word for word in found if len(word) >= LEAST}


def photo() -> set[bytes]:
    """Return a piece of the photo that everybody has, as it is and as base64 has it, wherever it begins."""
    jpeg = (resources.files("hw.simulated") / "specimen.jpg").read_bytes()
    piece = jpeg[len(jpeg) // 2 :][:48]
    return {piece, *(b64encode(piece[start:]).rstrip(b"=")[:-2] for start in range(3))}


def found_in(image: Path) -> set[bytes]:
    """Return what of a traveller is in a block of the image, in the file system's journal and in free blocks too."""
    content = image.read_bytes()
    runs = b" ".join(re.findall(rb"[A-Z0-9<]{8,}", content.upper()))
    return {word for word in words() if word in runs} | {piece for piece in photo() if piece in content}


def test_a_copied_card_shows_no_traveller_in_any_block(
    world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := obstacles.to_random_moments():
        pytest.skip(reason)
    here = world()
    folder = here.folder()
    folder.parent.mkdir(parents=True)
    with ExitStack() as stack:
        card = stack.enter_context(LoopCard(folder))
        (folder / "tmp").mkdir()
        monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
        doors = f'waits_for = "{folder}/doors"'
        kiosk = here.add_kiosk(count=EACH, seed=SEED, policy=POLICY, camera=CAMERA, more=doors)
        stack.callback(kiosk.kill)
        settings = folder / "kiosk.toml"
        settings.write_text(settings.read_text().replace("[store]\n", f"[store]\n{ROOM}\n"))
        kiosk.start(ready="uplink connected")
        ask(folder / "control.sock", "practice", for_s=60)
        (folder / "doors").touch()
        here.have_passed(EACH)
        here.drained()
        kiosk.stop()

        here.deployment.broker.stop()
        here.travellers(folder, seed=SEED, first=1 + EACH, count=EACH)
        kiosk.start(ready="store ready")
        here.have_passed(2 * EACH)
        card.cut()
        kiosk.kill()
        card.unmount()
        card.mount()

        here.deployment.broker.start()
        here.travellers(folder, seed=SEED, first=1 + 2 * EACH, count=EACH)
        kiosk.start(ready="uplink connected")
        # Not the witness on the card, whose last lines went with the power.
        wait_until(lambda: here.stored() == 3 * EACH, PATIENCE_S, "the centre holds all three parts")
        here.deployment.run("edge.cli", "queue", "export", "--config", str(settings), "--all", str(folder / "tmp"))
        here.drained()
        kiosk.stop()
        assert here.bodies("evidence"), "there were photos"
        os.sync()
        card.unmount()
        assert not found_in(card.image)

        card.mount()
        (folder / "list").write_bytes(b"\n".join(words() | photo()))
        os.sync()
        (folder / "list").unlink()
        card.unmount()
        assert found_in(card.image) == words() | photo(), "the search finds what was removed"
