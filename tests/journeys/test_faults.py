"""Journeys in which anything may die at any moment, and papers run out: stored = captured, none twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from provisioning.authority import DEFAULT_VALIDITY, Authority
from provisioning.local_deployment import wait_until
from tests.journeys.world import KIOSK, PATIENCE_S, World, crossings_on_disk

pytestmark = pytest.mark.journey

ROUNDS = 20


def test_kiosk_collectors_and_broker_killed_at_random_lose_nothing(world: Callable[..., World]) -> None:
    here = world(collectors=2)
    kiosk = here.add_kiosk(count=0)
    kiosk.start(ready="store ready")
    fate = random.Random(20)
    victims = [kiosk, *here.deployment.collectors, here.deployment.broker]
    for _ in range(ROUNDS):
        aim = crossings_on_disk(here.folder()) + fate.randrange(1, 8)
        wait_until(lambda: crossings_on_disk(here.folder()) >= aim, PATIENCE_S, "crossings between two kills")  # noqa: B023
        victim = fate.choice(victims)
        victim.kill()
        victim.start()
    here.deployment.start_collectors()
    kiosk.stop()
    here.travellers(here.folder(), count=1)
    kiosk.start(ready="uplink connected")
    here.drained(within_s=120)
    assert here.ends().is_clean
    assert here.ends().captured >= ROUNDS


def test_a_certificate_that_expires_during_an_outage_is_said_and_a_new_one_is_taken_without_a_restart(
    world: Callable[..., World],
) -> None:
    here = world()
    folder = here.folder()
    kiosk = here.add_kiosk(count=30)
    soon = timedelta(seconds=6)
    short = replace(DEFAULT_VALIDITY, leaf=soon)
    for name in ("client.crt", "client.key"):
        (folder / name).unlink()
    (folder / "ca.crt").unlink()
    Authority.load(here.deployment.folder / "authority", validity=short).issue_kiosk(folder, *KIOSK.split("/"))
    expires = datetime.now(UTC) + soon
    kiosk.start(ready="uplink connected")
    here.have_passed(10)
    here.deployment.broker.stop()
    here.have_passed(30)
    time.sleep(max(0.0, (expires - datetime.now(UTC)).total_seconds() + 1))  # a certificate knows whole seconds
    here.deployment.broker.start()
    wait_until(lambda: "certificate" in kiosk.log_text().lower(), PATIENCE_S, "the kiosk says what is wrong")
    assert here.head().held_up_to < here.head().next_sequence - 1
    for name in ("client.crt", "client.key", "ca.crt"):
        (folder / name).unlink()
    here.deployment.authority.issue_kiosk(folder, *KIOSK.split("/"))
    here.drained()
    assert here.ends().is_clean
