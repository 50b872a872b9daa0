"""Journeys with a store that is damaged: what can be read goes on, what cannot becomes a tombstone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from edge.cache.schema import stream_table
from tests.journeys.world import World

pytestmark = pytest.mark.journey


def offline_crossings(here: World, number: int) -> None:
    """Let travellers pass while the broker is away, and stop the kiosk."""
    here.deployment.broker.stop()
    kiosk = here.add_kiosk(count=number)
    kiosk.start(ready="store ready")
    here.have_passed(number)
    kiosk.stop()


def test_a_record_made_unreadable_becomes_a_tombstone_and_the_stream_goes_on(world: Callable[..., World]) -> None:
    here = world()
    offline_crossings(here, 12)
    with sqlite3.connect(here.folder() / "cache.db") as store:
        for sequence in (5, 9, 10):
            altered = store.execute(
                f"UPDATE {stream_table('crossing')} SET body = zeroblob(length(body)) WHERE sequence = ?", (sequence,)
            )
            assert altered.rowcount == 1
    store.close()
    here.travellers(here.folder(), count=20)
    here.deployment.broker.start()
    here.deployment.kiosks["dm-roseau/ferry-01"].start(ready="uplink connected")
    here.have_passed(20)
    here.drained()
    ends = here.ends()
    assert ends.chain_breaks == ends.duplicated == 0
    assert ends.stored == 17
    assert here.status()["store"]["tombstones"] == 3
    assert "tombstone" in here.incidents()


def test_a_store_with_a_page_of_zeros_is_salvaged_and_every_other_crossing_arrives(
    world: Callable[..., World],
) -> None:
    here = world()
    offline_crossings(here, 30)
    path = here.folder() / "cache.db"
    with sqlite3.connect(path) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = store.execute("PRAGMA page_size").fetchone()[0]
    store.close()
    pages = path.stat().st_size // size
    with path.open("r+b") as file:
        file.seek((pages // 2) * size)
        file.write(bytes(size))
    here.travellers(here.folder(), count=40)
    here.deployment.broker.start()
    kiosk = here.deployment.kiosks["dm-roseau/ferry-01"]
    kiosk.start(ready="uplink connected")
    here.have_passed(40)
    here.drained()
    ends = here.ends()
    assert ends.chain_breaks == ends.duplicated == 0
    assert ends.stored >= 35
    assert ends.stored == ends.captured
