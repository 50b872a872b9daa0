"""Journeys with a clock that somebody sets: two weeks back, twenty years ahead, and right again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from central.tables import record
from edge.wire.record import CROSSING
from provisioning.demo.count import sightings
from provisioning.local_deployment import Process, wait_until
from tests.journeys.world import KIOSK, LANE, PATIENCE_S, World

pytestmark = pytest.mark.journey

# Twenty years ahead every document has expired: the officer is called, long enough to be seen.
POLICY = "show_s = 0.02, refer_s = 1, collect_s = 2, repeat_s = 0.5"


def libfaketime() -> Path:
    """Return the library that shows a process another time, or skip."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("libfaketime is missing: apt-get install faketime")
    return found[0]


class Wrong:
    """The time of day that one kiosk's process sees; CLOCK_BOOTTIME and the dates of files stay what they are."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "faketime"
        self.environment = {
            "LD_PRELOAD": str(libfaketime()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": str(Path(__file__).parent / "faketime"),
        }
        self.by("+0")

    def by(self, offset: str) -> None:
        """Set the clock off by so much, such as `-14d`."""
        new = self._file.with_name("faketime.new")
        new.write_text(f"{offset}\n")
        new.rename(self._file)


def a_kiosk(here: World, wrong: Wrong) -> Process:
    kiosk = here.deployment.add_kiosk(
        *KIOSK.split("/"), lane=LANE.format(policy=POLICY, camera=""), environment=wrong.environment
    )
    here.travellers(here.folder(), count=0, interval_s=0.02)
    return kiosk


def passes_more(here: World, number: int) -> None:
    here.have_passed(len(sightings(here.folder())) + number)


def clock_states(here: World) -> list[str]:
    """Return what the crossings at the centre say of their clock, in order, without repetition."""
    assert here.engine is not None
    query = (
        select(record.c.plaintext).where(record.c.kiosk == KIOSK, record.c.type == CROSSING).order_by(record.c.sequence)
    )
    with here.engine.connect() as connection:
        states = [msgspec.json.decode(plaintext)["clock"]["state"] for plaintext in connection.scalars(query)]
    return [state for index, state in enumerate(states) if index == 0 or state != states[index - 1]]


def test_a_clock_that_is_set_back_and_ahead_loses_nothing_and_releases_nothing_too_early(
    world: Callable[..., World], tmp_path: Path
) -> None:
    here, wrong = world(), Wrong(tmp_path)
    kiosk = a_kiosk(here, wrong)
    kiosk.start(ready="uplink connected")
    here.have_passed(5)
    wait_until(lambda: here.head().held_up_to > 3, PATIENCE_S, "the first crossings have their receipt")
    for offset in ("-14d", "+7300d", "-7300d", "+0"):
        wrong.by(offset)
        passes_more(here, 4)
    kiosk.stop()
    here.travellers(here.folder(), count=len(sightings(here.folder())))
    kiosk.start(ready="uplink connected")
    here.drained()
    ends = here.ends()
    assert ends.is_clean, "and nothing was purged, although some crossings seem to be twenty years old"
    assert "unset" in clock_states(here)


@pytest.mark.parametrize(("offset", "why"), [("-7300d", "not yet valid"), ("+7300d", "expired")])
def test_a_kiosk_that_starts_at_a_wrong_time_says_why_it_cannot_connect_and_drains_once_it_is_right(
    world: Callable[..., World], tmp_path: Path, offset: str, why: str
) -> None:
    here, wrong = world(), Wrong(tmp_path)
    wrong.by(offset)
    kiosk = a_kiosk(here, wrong)
    kiosk.start(ready="store ready")
    wait_until(lambda: why in here.status().get("uplink", {}).get("reason", ""), PATIENCE_S, "the reason is said")
    assert "or this kiosk's clock is wrong" in here.status()["uplink"]["reason"]
    here.have_passed(5)
    wrong.by("+0")
    kiosk.wait_for("uplink connected")
    kiosk.stop()
    here.travellers(here.folder(), count=len(sightings(here.folder())))
    kiosk.start(ready="uplink connected")
    here.drained()
    assert here.ends().is_clean
