"""Journeys with receipts that are wrong, and with two ends that disagree: nothing is released on a false word."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from edge.seal import Signer, load_private_key
from edge.wire.messages import RECEIPT_TYP, Receipt, encode
from edge.wire.topics import receipt_topic, stream_topic
from provisioning.local_deployment import wait_until
from tests.harness.mosquitto import Participant
from tests.journeys.world import KIOSK, PATIENCE_S, World

pytestmark = pytest.mark.journey


@contextmanager
def waiting_records(here: World) -> Iterator[Participant]:
    """Let twenty travellers pass while nobody collects, and yield somebody who may publish as the centre."""
    kiosk = here.add_kiosk(count=20)
    here.collector.stop()
    kiosk.start(ready="uplink connected")
    here.have_passed(20)
    with Participant(here.deployment.broker, here.deployment.centre / "collector-1", client_id="liar") as liar:
        yield liar
    here.deployment.start_collectors()
    here.drained()


def receipt(here: World, **changes: object) -> Receipt:
    head = here.head()
    true = Receipt(KIOSK, "crossing", head.epoch, head.next_sequence - 1, head.last_hash, "", "2026-11-22T00:00:00Z")
    return Receipt(**{**{name: getattr(true, name) for name in Receipt.__struct_fields__}, **changes})


def signed(here: World, message: Receipt, *, by: Signer | None = None, typ: str = RECEIPT_TYP) -> bytes:
    signer = by or Signer(load_private_key(here.deployment.centre / "receipt.key.json"))
    return signer.sign(encode(message), typ).encode()


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("foreign_epoch", {"epoch": "0" * 32}),
        ("forked", {"hash_at": "0" * 64}),
        ("rolled_back", {"held_up_to": 1000}),
        ("foreign_kiosk", {"kiosk": "bs-nassau/quay-01"}),
    ],
)
def test_a_receipt_that_does_not_fit_the_store_is_reported_and_releases_nothing(
    world: Callable[..., World], what: str, changes: dict[str, object]
) -> None:
    here = world()
    with waiting_records(here) as liar:
        liar.publish(receipt_topic(KIOSK, "crossing"), signed(here, receipt(here, **changes)))
        wait_until(lambda: what in here.troubles(), PATIENCE_S, f"{what} is reported")
        assert here.head().held_up_to == 0
    assert here.ends().is_clean


def test_receipts_that_the_centre_did_not_sign_are_reported_and_release_nothing(world: Callable[..., World]) -> None:
    here = world()
    with waiting_records(here) as liar:
        topic, true = receipt_topic(KIOSK, "crossing"), receipt(here)
        good = signed(here, true)
        stranger = Signer(OKPKey.generate_key("Ed25519"))
        kiosks_own = Signer(load_private_key(here.folder() / "record.key.json"))
        lies = [
            signed(here, true, by=stranger),
            signed(here, true, by=kiosks_own),
            signed(here, true, typ="landfall-status"),
            good[:-4] + b"AAAA",
            good[: len(good) // 2],
            b"",
            b"\xff" * 100,
            b"{}",
            b"x" * 30_000,
        ]
        for lie in lies:
            liar.publish(topic, lie)
        wait_until(lambda: here.troubles().get("not_valid", 0) >= len(lies), PATIENCE_S, "every lie is reported")
        assert here.head().held_up_to == 0
    assert here.ends().is_clean


def test_a_replayed_receipt_releases_nothing_more(world: Callable[..., World]) -> None:
    here = world()
    kiosk = here.add_kiosk(count=10)
    kiosk.start(ready="uplink connected")
    here.have_passed(10)
    here.drained()
    old = signed(here, receipt(here))
    kiosk.stop()
    here.collector.stop()
    here.travellers(here.folder(), count=20)
    kiosk.start(ready="uplink connected")
    here.have_passed(20)
    held = here.head().held_up_to
    with Participant(here.deployment.broker, here.deployment.centre / "collector-1", client_id="liar") as liar:
        for _ in range(20):
            liar.publish(receipt_topic(KIOSK, "crossing"), old)
    assert here.head().held_up_to == held
    here.deployment.start_collectors()
    here.drained()
    assert here.ends().is_clean


def test_records_that_arrive_again_are_stored_once(world: Callable[..., World]) -> None:
    here = world()
    kiosk = here.add_kiosk(count=10)
    kiosk.start(ready="uplink connected")
    here.have_passed(10)
    here.drained()
    kiosk.stop()
    before = here.ends()
    with Participant(here.deployment.broker, here.folder()) as twice:
        for body in here.bodies():
            assert twice.publish(stream_topic(KIOSK, "crossing"), b"[" + body + b"]") == "Success"
    wait_until(lambda: "duplicate" in here.collector.log_text(), PATIENCE_S, "the centre sees duplicates")
    assert here.ends() == before
    assert before.is_clean


def test_a_cloned_card_is_noticed_and_neither_kiosk_loses_a_crossing(world: Callable[..., World]) -> None:
    here = world(binds_client_ids=False)
    kiosk = here.add_kiosk(count=10)
    kiosk.start(ready="uplink connected")
    here.have_passed(10)
    here.drained()
    kiosk.stop()
    twin, twin_folder = here.clone(KIOSK, "twin")
    here.travellers(here.folder(), first=101, count=15)
    here.travellers(twin_folder, first=201, count=15)
    kiosk.start(ready="uplink connected")
    twin.start(ready="store ready")
    here.have_passed(25)
    here.have_passed(15, twin_folder)
    here.drained(here.folder(), twin_folder)
    ends = here.ends(KIOSK, here.folder(), twin_folder)
    assert ends.lost == ends.duplicated == ends.chain_breaks == 0
    assert ends.stored == ends.captured >= 40
    assert "fork" in here.incidents()
    assert here.head().epoch != here.head(folder=twin_folder).epoch


def test_a_centre_restored_from_yesterday_gets_everything_again(world: Callable[..., World], tmp_path: Path) -> None:
    here = world()
    kiosk = here.add_kiosk(count=10)
    kiosk.start(ready="uplink connected")
    here.have_passed(10)
    here.drained()
    here.collector.stop()
    save(here.database, tmp_path)
    here.deployment.start_collectors()
    kiosk.stop()
    here.travellers(here.folder(), count=30)
    kiosk.start(ready="uplink connected")
    here.have_passed(30)
    here.drained()
    here.collector.stop()
    assert here.engine is not None
    here.engine.dispose()
    restore(here.database, tmp_path)
    here.deployment.start_collectors()
    kiosk.stop()
    here.travellers(here.folder(), count=31)
    kiosk.start(ready="uplink connected")
    here.have_passed(31)
    wait_until(lambda: here.stored() >= 31, PATIENCE_S, "the centre holds everything again")
    here.drained()
    assert here.ends().is_clean


def test_a_store_restored_from_an_older_copy_begins_a_new_epoch_and_loses_nothing_new(
    world: Callable[..., World], tmp_path: Path
) -> None:
    here = world()
    kiosk = here.add_kiosk(count=10)
    kiosk.start(ready="uplink connected")
    here.have_passed(10)
    here.drained()
    kiosk.stop()
    save(here.folder() / "cache.db", tmp_path)
    epoch = here.head().epoch
    here.travellers(here.folder(), count=20)
    kiosk.start(ready="uplink connected")
    here.have_passed(20)
    here.drained()
    kiosk.stop()
    restore(here.folder() / "cache.db", tmp_path)
    here.travellers(here.folder(), count=35)
    kiosk.start(ready="uplink connected")
    here.have_passed(35)
    here.drained()
    assert here.head().epoch != epoch
    ends = here.ends()
    assert (ends.captured, ends.stored) == (25, 35), "the ten that the older copy never had are at the centre alone"
    assert ends.chain_breaks == 0
    assert "rolled_back" in here.incidents()


def save(database: Path, folder: Path) -> None:
    """Copy a SQLite database that nobody has open, with its log."""
    for file in database.parent.glob(database.name + "*"):
        shutil.copy(file, folder / file.name)


def restore(database: Path, folder: Path) -> None:
    """Put the copy in the place of the database."""
    for file in database.parent.glob(database.name + "*"):
        file.unlink()
    for file in folder.glob(database.name + "*"):
        shutil.copy(file, database.parent / file.name)
