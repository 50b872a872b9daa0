"""A journey of a kiosk that died by a power cut, the one that takes its place, and the records on the old card."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hw.simulated.witness import sightings_in
from provisioning.local_deployment import Process, wait_until
from tests.journeys.test_enrolment import NAMED, OWN_FOLDER, open_desk
from tests.journeys.world import KIOSK, LANE, PATIENCE_S, QUICK, SCENARIO, World
from tests.powercut import obstacles
from tests.powercut.loop_card import LoopCard

pytestmark = pytest.mark.journey
# The card is small, and what the centre holds is to be there for the count.
ROOM = "keep_receipted_h = 24\nreserve_mb = 16\nphotos_stop_below_mb = 17"
SENT, KEPT, AFTER = 6, 8, 5  # crossings: with the network, without it, at the new kiosk


class Post:
    """The place of one kiosk, at which machines come and go; witnesses stand beside the machines."""

    def __init__(self, here: World, folder: Path) -> None:
        self.here, self._folder = here, folder
        self._settings, _ = open_desk(here)
        self._lanes = folder / "lanes.toml"
        self._lanes.write_text(LANE.format(policy=QUICK, camera="") + OWN_FOLDER.replace("keep_receipted_h = 24", ROOM))

    def set_up(self, root: Path, *more: str) -> Process:
        """Install a new bundle on the card that is mounted at `root`, and return the kiosk's process."""
        files = self._folder / f"files-{root.name}"
        words = ["kiosk", "new", *NAMED, "--config", str(self._settings), "--lanes", str(self._lanes), *more]
        told = self.here.deployment.run("provisioning.cli", *words, "--out", str(files))
        pin = told.split("   pin ")[1].split()[0]
        install = ["install", "--root", str(root), "--yes", "--pin", pin, str(next(files.glob("*.landfall")))]
        assert "is set up" in self.here.deployment.run("provisioning.cli", *install)
        folder = root / "etc/landfall"
        return self.here.deployment.process_of(KIOSK, folder, {"CREDENTIALS_DIRECTORY": str(folder / "keys")})

    def expect(self, root: Path, first: int, count: int) -> Callable[[], bool]:
        """Write who comes to a kiosk when it starts next, and return whether they have all left."""
        witness = self._folder / f"{root.name}.witness"
        before = len(sightings_in(witness)) if witness.exists() else 0
        text = SCENARIO.format(seed=1, first=first, count=count, interval_s=0.0, more="", witness=witness)
        (root / "etc/landfall/scenario.toml").write_text(text)
        return lambda: witness.exists() and len(sightings_in(witness)) >= before + count


@contextmanager
def mounted(image: Path, folder: Path, options: str) -> Iterator[Path]:
    """Mount the card in another machine, as a device that can be written: the journal is replayed even for `ro`."""
    folder.mkdir()
    losetup = ["losetup", "--find", "--show", str(image)]
    device = subprocess.run(losetup, check=True, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run(["mount", "-o", options, device, str(folder)], check=True)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=False)
        subprocess.run(["losetup", "--detach", device], check=True)


def export(here: World, root: Path, stick: Path) -> int:
    """Export what awaits its receipt on a card and return how many crossings' places that are."""
    stick.mkdir()
    said = json.loads(here.deployment.run("edge.cli", "queue", "export", "--root", str(root), "--json", str(stick)))
    return next(one["records"] for one in said["sections"] if one["stream"] == "crossing")


def import_from(here: World, stick: Path) -> dict:
    """Import a stick at the centre and return what it says of the crossings."""
    words = ("import", "--config", str(here.deployment.central_config), "--json", str(stick))
    said = json.loads(here.deployment.run("central.cli", *words))
    return next(one for one in said["streams"] if one["stream"] == "crossing")


def test_what_the_card_of_a_dead_kiosk_holds_reaches_the_centre_once_though_another_has_its_name(
    world: Callable[..., World], tmp_path: Path
) -> None:
    if reason := obstacles.to_random_moments():
        pytest.skip(reason)
    here = world()
    post = Post(here, tmp_path)
    with LoopCard(tmp_path / "old") as card:
        folder = card.folder / "etc/landfall"
        old = post.set_up(card.folder)
        have_left = post.expect(card.folder, 1, SENT)
        old.start(ready="uplink connected")
        wait_until(have_left, PATIENCE_S, "the first have left")
        here.drained(folder)
        old.stop()
        here.deployment.broker.stop()
        have_left = post.expect(card.folder, 1 + SENT, KEPT)
        old.start(ready="store ready")
        wait_until(have_left, PATIENCE_S, "the last have left")
        card.cut()
        old.kill()
        card.unmount()

    new_card = tmp_path / "new"
    new_card.mkdir()
    here.deployment.broker.start()
    new = post.set_up(new_card, "--replace")
    have_left = post.expect(new_card, 1 + SENT + KEPT, AFTER)
    new.start(ready="uplink connected")
    wait_until(have_left, PATIENCE_S, "those at the new kiosk have left")
    here.drained(new_card / "etc/landfall")
    assert here.stored() == SENT + AFTER

    image = tmp_path / "old.ext4"
    with mounted(image, tmp_path / "read-only", "ro") as root:
        assert export(here, root, tmp_path / "stick-1") >= KEPT
    first = import_from(here, tmp_path / "stick-1")
    assert (first["new"], first["duplicates"], first["missing"]) == (KEPT, 0, []), first
    with mounted(image, tmp_path / "read-write", "rw") as root:
        export(here, root, tmp_path / "stick-2")
        second = import_from(here, tmp_path / "stick-2")
        assert (second["new"], second["duplicates"]) == (0, KEPT), second
        ends = here.ends(KIOSK, root / "etc/landfall", new_card / "etc/landfall")
    assert ends.is_clean and ends.stored == SENT + KEPT + AFTER, ends
    assert here.incidents() <= {"new_epoch"}
