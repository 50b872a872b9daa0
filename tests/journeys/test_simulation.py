"""A journey of everything that can go wrong at a lane, at once: what travellers saw is what the centre counts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from central.tables import record
from edge.wire.record import CROSSING
from hw.simulated.scenario import Scenario
from hw.simulated.turns import turn
from provisioning.demo.count import sightings
from tests.journeys.world import QUICK, World

pytestmark = pytest.mark.journey

TRAVELLERS = 25
CAMERA = 'camera = { driver = "simulated", capture_s = 0.5, deadline_s = 1 }'
# Different strides, so that faults meet alone and together; the camera fails in every way that it has.
EVERYTHING = """
documents = ["TD3", "TD1", "TD2"]
expired_every = 9
refer_every = 18
faults = [
  { kind = "flip", every = 5 },
  { kind = "half", every = 11 },
  { kind = "noise", every = 4 },
  { kind = "unplug", every = 6, for_s = 0.1 },
  { kind = "early", every = 7, for_s = 0.2 },
  { kind = "repeat", every = 3 },
  { kind = "together", every = 1 },
  { kind = "bounce", every = 1 },
]
camera = { delay_s = 0.05, hang_every = 6, fail_every = 4, crash_every = 9, garbage_every = 7, flood_every = 8 }
"""


def test_whatever_goes_wrong_at_a_lane_the_centre_counts_whom_the_lamps_let_go(world: Callable[..., World]) -> None:
    here = world()
    policy = QUICK.replace("refer_s = 0.1", "refer_s = 2").replace("repeat_s = 0.5", "repeat_s = 3")
    kiosk = here.add_kiosk(
        policy=f'photo = "wanted", {policy}', camera=CAMERA, seed=35, count=TRAVELLERS, more=EVERYTHING
    )
    kiosk.start(ready="store ready")
    here.have_passed(TRAVELLERS)
    here.drained()
    left = sightings(here.folder())
    assert [one.traveller for one in left] == list(range(1, TRAVELLERS + 1))
    assert here.ends().is_clean
    assert here.ends().stored == TRAVELLERS
    assert here.reconciles()
    assert [numbers_of(letter) for letter in letters(here)] == [
        [turn(Scenario(seed=35), one).traveller.document_number] for one in range(1, TRAVELLERS + 1)
    ]


def numbers_of(letter: dict) -> list[str]:
    """Return the document numbers of one crossing."""
    return [document["fields"].get("document_number", "") for document in letter["documents"]]


def letters(here: World) -> list[dict]:
    """Return the crossings that the centre has opened, in the order of the kiosk."""
    assert here.engine is not None
    query = select(record.c.plaintext).where(record.c.type == CROSSING).order_by(record.c.sequence)
    with here.engine.connect() as connection:
        return [json.loads(text) for text in connection.scalars(query)]
