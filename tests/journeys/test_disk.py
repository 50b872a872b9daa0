"""Journeys on a card that runs full: photos go first, then the lane closes, and no crossing is lost on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from central.tables import record
from edge.control import ask
from edge.disk import MB, free_bytes
from edge.wire.record import CROSSING
from hw.devices import Signal
from provisioning.demo.count import sightings
from provisioning.local_deployment import Process, wait_until
from tests.journeys.world import KIOSK, PATIENCE_S, World
from tests.powercut.loop_card import LoopCard
from tests.powercut.obstacles import to_random_moments

pytestmark = pytest.mark.journey

LIMITS = "photos_stop_below_mb = 18\nreserve_mb = 16"
PHOTO_BYTES = 300_000


class SmallCard:
    """A real ext4 file system of 96 MiB in a kiosk's folder, which something else fills up as the test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def leave(self, megabytes: float) -> None:
        """Fill the card, or empty it, so that so much is left."""
        size = self._ballast.stat().st_size if self._ballast.exists() else 0
        wanted = size + free_bytes(self.folder) - int(megabytes * MB)
        with self._ballast.open("ab") as ballast:
            os.truncate(ballast.fileno(), min(size, max(wanted, 0)))
            while wanted > 0:
                try:
                    os.posix_fallocate(ballast.fileno(), 0, wanted)
                    return
                except OSError:  # the file system needs some blocks for itself
                    wanted -= 64 * 1024


@pytest.fixture
def post(world: Callable[..., World]) -> Iterator[tuple[World, Process, SmallCard]]:
    """Yield a world with a kiosk whose store lies on a small card, the kiosk not started and the broker away."""
    if why := to_random_moments():
        pytest.skip(why)
    here = world()
    kiosk = here.add_kiosk(
        policy='show_s = 0.02, refer_s = 0.1, collect_s = 2, repeat_s = 0.5, photo = "wanted"',
        camera='camera = { driver = "simulated", deadline_s = 5 }',
        count=0,
        more=f"camera = {{ size_bytes = {PHOTO_BYTES}, delay_s = 0 }}",
    )
    here.deployment.broker.stop()
    toml = here.folder() / "kiosk.toml"
    toml.write_text(toml.read_text().replace("[store]\n", f'[store]\npath = "card/cache.db"\n{LIMITS}\n'))
    with LoopCard(here.folder() / "card") as card:
        (here.folder() / "cache.db").symlink_to(card.folder / "cache.db")
        try:
            yield here, kiosk, SmallCard(card.folder)
        finally:
            kiosk.stop()


def store(here: World) -> dict[str, Any]:
    return here.status().get("store", {})


def is_store(here: World, state: str) -> Callable[[], bool]:
    return lambda: store(here).get("state") == state


def signal(here: World) -> str:
    return here.status().get("devices", {}).get("lane-1", {}).get("signal", "")


def passed(here: World) -> int:
    return len(sightings(here.folder()))


def passes_more(here: World, number: int) -> None:
    here.have_passed(passed(here) + number)


def void_last_crossing(here: World) -> None:
    """Void the last crossing, as an officer does, and wait until that is on disk and the lane has heard of it."""
    control = here.folder() / "control.sock"
    (last,) = here.status()["crossings"]
    asked = ask(control, "void", crossing=last["id"], reason="test", officer="A-1042")
    wait_until(
        lambda: ask(control, "outcome", id=asked["id"])["state"] == "recorded", PATIENCE_S, "the void is on disk"
    )


def close_for_good(here: World, kiosk: Process) -> None:
    """Let nobody come any more, and wait until the centre has everything."""
    kiosk.stop()
    here.travellers(here.folder(), count=passed(here), more=f"camera = {{ size_bytes = {PHOTO_BYTES}, delay_s = 0 }}")
    kiosk.start(ready="uplink connected")
    here.drained()
    wait_until(lambda: here.stored() >= passed(here), PATIENCE_S, "the centre holds a crossing of each who left")


def photos_at_centre(here: World) -> list[dict[str, Any]]:
    assert here.engine is not None
    query = select(record.c.plaintext).where(record.c.kiosk == KIOSK, record.c.type == CROSSING)
    with here.engine.connect() as connection:
        return [msgspec.json.decode(plaintext)["photo"] for plaintext in connection.scalars(query)]


def test_photos_stop_then_the_lane_closes_and_receipts_open_it_again(post: tuple[World, Process, SmallCard]) -> None:
    here, kiosk, card = post
    kiosk.start(ready="store ready")
    here.have_passed(20)
    assert store(here)["state"] == "ready"
    card.leave(17)
    wait_until(is_store(here, "no_photos"), PATIENCE_S, "photos stop")
    passes_more(here, 3)
    card.leave(15.5)
    wait_until(lambda: is_store(here, "full")() and signal(here) == Signal.CLOSED, PATIENCE_S, "the lane closes")
    before = passed(here)
    assert here.head().held_up_to == 0, "nothing was released"
    void_last_crossing(here)
    assert (signal(here), passed(here)) == (Signal.CLOSED, before), "a void uses the reserve, and lets nobody in"
    here.deployment.broker.start()
    wait_until(is_store(here, "ready"), PATIENCE_S, "receipts make room")
    passes_more(here, 3)
    assert passed(here) > before
    close_for_good(here, kiosk)
    assert here.reconciles()
    photos = photos_at_centre(here)
    assert {"absent": "disk"} in photos
    assert "sha256" in photos[0]
    assert "sha256" in photos[-1]


def test_a_disk_that_is_full_to_the_last_byte_while_draining_loses_nothing(
    post: tuple[World, Process, SmallCard],
) -> None:
    here, kiosk, card = post
    kiosk.start(ready="store ready")
    here.have_passed(15)
    card.leave(0)
    wait_until(lambda: is_store(here, "full")() and signal(here) == Signal.CLOSED, PATIENCE_S, "the lane closes")
    here.deployment.broker.start()
    wait_until(lambda: here.stored() >= passed(here), PATIENCE_S, "the centre gets everything from a full disk")
    card.leave(24)
    wait_until(lambda: is_store(here, "ready")() and signal(here) != Signal.CLOSED, PATIENCE_S, "the lane opens")
    here.deployment.broker.stop()
    passes_more(here, 5)
    here.deployment.broker.start()
    card.leave(0)
    wait_until(lambda: "connected" in here.status().get("uplink", {}).get("state", ""), PATIENCE_S, "it drains again")
    card.leave(40)
    passes_more(here, 3)
    close_for_good(here, kiosk)
    assert here.reconciles()
