"""Journeys over a network that fails: whatever goes away and comes back, each crossing is at the centre once."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable

import pytest

from provisioning.local_deployment import wait_until
from tests.harness.proxy import Proxy, Way
from tests.harness.stingy_broker import StingyBroker
from tests.journeys.world import PATIENCE_S, World, crossings_on_disk

pytestmark = pytest.mark.journey


def test_online_travellers_are_at_the_centre_with_their_photos(world: Callable[..., World]) -> None:
    here = world()
    camera = 'camera = { driver = "simulated", deadline_s = 2 }'
    policy = 'photo = "wanted", show_s = 0.02, refer_s = 0.1, collect_s = 3'
    kiosk = here.add_kiosk(count=10, camera=camera, policy=policy)
    kiosk.start(ready="uplink connected")
    here.have_passed(10)
    here.drained()
    assert here.ends().is_clean
    assert here.reconciles()
    assert here.incidents() == set()
    assert here.head("evidence").held_up_to >= 8  # the camera may still have been starting for the first


def test_a_lane_goes_on_through_an_outage_and_a_sigkill(world: Callable[..., World]) -> None:
    here = world()
    kiosk = here.add_kiosk(count=50)
    here.deployment.broker.stop()
    kiosk.start(ready="store ready")
    here.have_passed(25)
    kiosk.kill()
    kiosk.start(ready="store ready")
    here.have_passed(50)
    assert here.stored() == 0
    here.deployment.broker.start()
    here.drained()
    assert here.ends().is_clean


def test_a_kiosk_killed_at_50_random_moments_loses_nothing_and_sends_nothing_twice(world: Callable[..., World]) -> None:
    here = world()
    kiosk = here.add_kiosk(count=0)
    moments = random.Random(50)
    for _ in range(50):
        kiosk.start(ready="store ready")
        before = crossings_on_disk(here.folder())
        aim = before + moments.randrange(1, 6)
        wait_until(lambda: crossings_on_disk(here.folder()) >= aim, PATIENCE_S, "crossings between two kills")  # noqa: B023
        kiosk.kill()
    here.travellers(here.folder(), count=1)
    kiosk.start(ready="uplink connected")
    here.drained()
    assert here.ends().is_clean
    assert here.ends().captured >= 50


def test_a_broker_that_forgets_everything_costs_nothing(world: Callable[..., World]) -> None:
    here = world(keeps_sessions=False)
    kiosk = here.add_kiosk(count=60, interval_s=0.02)
    kiosk.start(ready="uplink connected")
    for passed in (15, 30, 45):
        here.have_passed(passed)
        here.deployment.broker.kill()
        here.deployment.broker.restart(forgets_sessions=True)
    here.have_passed(60)
    here.drained()
    assert here.ends().is_clean


def test_a_frozen_broker_that_thaws_costs_nothing(world: Callable[..., World]) -> None:
    here = world()
    kiosk = here.add_kiosk(count=40)
    kiosk.start(ready="uplink connected")
    here.have_passed(10)
    here.deployment.broker.freeze()
    here.have_passed(40)
    here.deployment.broker.thaw()
    here.drained()
    assert here.ends().is_clean


def test_records_wait_when_nobody_listens_at_the_centre(world: Callable[..., World]) -> None:
    here = world()
    kiosk = here.add_kiosk(count=30)
    here.collector.stop()
    kiosk.start(ready="uplink connected")
    here.have_passed(30)
    assert here.head().held_up_to == 0
    assert here.stored() == 0
    here.deployment.start_collectors()
    here.drained()
    assert here.ends().is_clean


def test_two_collectors_share_the_work_and_store_everything_once(world: Callable[..., World]) -> None:
    here = world(collectors=2)
    for kiosk in ("dm-roseau/ferry-01", "dm-portsmouth/pier-01"):
        here.add_kiosk(kiosk, count=40, seed=len(kiosk)).start(ready="uplink connected")
    for kiosk in ("dm-roseau/ferry-01", "dm-portsmouth/pier-01"):
        here.have_passed(40, here.folder(kiosk))
        here.drained(here.folder(kiosk))
        assert here.ends(kiosk).is_clean
    worked = [collector.log_text().count("stored") for collector in here.deployment.collectors]
    assert all(worked), "one collector did all the work"


def test_a_collector_killed_between_commit_and_receipt_stores_nothing_twice(world: Callable[..., World]) -> None:
    here = world()
    with Proxy(here.deployment.broker.port) as network:
        here.collector.stop()
        text = here.deployment.central_config.read_text()
        here.deployment.central_config.write_text(
            text.replace(f"port = {here.deployment.broker.port}", f"port = {network.port}")
        )
        here.deployment.start_collectors()
        kiosk = here.add_kiosk(count=20)
        network.hold(Way.UP)  # the collector's PUBACKs and receipts go nowhere
        kiosk.start(ready="uplink connected")
        wait_until(lambda: here.stored() > 0, PATIENCE_S, "the centre has committed")
        assert here.head().held_up_to == 0
        here.collector.kill()
        network.release(Way.UP)
        here.deployment.start_collectors()
        here.have_passed(20)
        here.drained()
        assert here.ends().is_clean


def test_a_network_that_cuts_and_swallows_receipts_costs_nothing(world: Callable[..., World]) -> None:
    here = world()
    with Proxy(here.deployment.broker.port) as network:
        kiosk = here.add_kiosk(count=60, port=network.port, interval_s=0.02)
        kiosk.start(ready="uplink connected")
        for passed in (10, 20, 30, 40):
            here.have_passed(passed)
            network.hold(Way.DOWN)  # PUBACKs and receipts are on their way, and will never arrive
            here.have_passed(passed + 5)
            network.cut()
            network.release(Way.DOWN)
        here.have_passed(60)
        here.drained()
        assert here.ends().is_clean


def test_a_link_of_64_kbit_with_two_seconds_delay_drains_and_health_is_not_stuck(world: Callable[..., World]) -> None:
    here = world()
    here.deployment.broker.stop()
    with Proxy(here.deployment.broker.port) as network:
        kiosk = here.add_kiosk(count=60, port=network.port)
        kiosk.start(ready="store ready")
        here.have_passed(60)
        here.deployment.broker.start()
        network.rate, network.delay_s = 8000.0, 1.0
        here.drained(within_s=120)
        assert here.ends().is_clean


def test_a_kiosk_ends_politely_on_sigterm_within_seconds(world: Callable[..., World]) -> None:
    here = world()
    kiosk = here.add_kiosk(count=5)
    kiosk.start(ready="uplink connected")
    here.have_passed(5)
    kiosk.send(signal.SIGTERM)
    assert kiosk.wait() == 0
    assert "kiosk stopped" in kiosk.log_text()


def test_a_broker_that_says_quota_exceeded_is_asked_slowly_and_costs_nothing(world: Callable[..., World]) -> None:
    here = world()
    kiosk = here.add_kiosk(count=30)
    here.deployment.broker.stop()
    with StingyBroker(here.deployment.folder / "broker", here.deployment.broker.port) as stingy:
        kiosk.start(ready="uplink connected")
        here.have_passed(30)
        wait_until(lambda: stingy.refused >= 4, PATIENCE_S, "the broker refuses")
        assert here.head().held_up_to == 0
        assert stingy.refused < 30, "refused again and again without a pause"
    here.deployment.broker.start()
    here.drained()
    assert here.ends().is_clean
