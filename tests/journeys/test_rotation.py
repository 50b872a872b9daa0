"""A journey of the centre's own keys: both are changed while a post is cut off, and nothing is lost or forged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from central import uptake
from edge.seal import Signer, load_private_key
from edge.wire.messages import RECEIPT_TYP, Receipt, encode
from edge.wire.topics import receipt_topic
from provisioning.local_deployment import Process, wait_until
from provisioning.rotation import CentreKeyFiles, Kind
from tests.harness.mosquitto import Participant
from tests.journeys.card import Card, open_desk, set_up_card, type_verb
from tests.journeys.world import PATIENCE_S, World

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]  # fourteen starts of a process, on a busy machine
NEAR, FAR = "dm-roseau/ferry-01", "dm-portsmouth/quay-01"


@dataclass(frozen=True, slots=True)
class Office:
    """Who rotates the keys."""

    here: World
    settings: Path
    enrolment: Process

    def types(self, verb: str, *words: str, ok: int = 0) -> str:
        """Type a verb of `landfall-provision centre` and return what the screen shows."""
        config = ["--config", str(self.settings)] if verb == "retire" else []
        return type_verb("centre", verb, *words, str(self.here.deployment.centre), *config, ok=ok)

    def restarts_collector(self) -> None:
        """Let the collector read its keys."""
        self.here.collector.stop()
        self.here.deployment.start_collectors()

    def restarts_enrolment(self) -> None:
        """Let the enrolment server read what kiosks are told."""
        self.enrolment.stop()
        self.enrolment.start(ready="kiosks enrol at")

    def awaits(self, *kiosks: str) -> None:
        """Wait until these kiosks alone need the oldest keys."""
        engine, files = self.here.engine, CentreKeyFiles(self.here.deployment.centre)
        receipt, opening = files.kids(Kind.RECEIPT), files.kids(Kind.OPENING)

        def are_awaited() -> bool:
            found = [
                uptake.who_lacks_receipt_key(engine, receipt[1]),
                uptake.who_seals_to_others(engine, opening[1:]),
            ]
            return all({one.kiosk for one in each} == set(kiosks) for each in found)

        wait_until(are_awaited, PATIENCE_S, f"{' and '.join(kiosks) or 'nobody'} in need of the old keys")


def test_both_keys_of_the_centre_change_while_a_post_is_cut_off(world: Callable[..., World], tmp_path: Path) -> None:
    here = world()
    office = Office(here, *open_desk(here))
    near, far = (set_up_card(here, office.settings, name, tmp_path / name.split("/")[1]) for name in (NEAR, FAR))
    forger = Signer(load_private_key(here.deployment.centre / "receipt.key.json"))
    for card in (near, far):
        card.passes(first=1, count=5)
    here.drained(near.folder, far.folder)
    with cut_off(far):
        far.passes(first=6, count=10, ready="store ready")
        far.process.stop()
    assert here.head(folder=far.folder).held_up_to < here.head(folder=far.folder).next_sequence - 1

    office.types("rotate", "receipt")
    office.types("rotate", "opening")
    office.restarts_collector()
    office.types("publish")
    office.restarts_enrolment()
    assert "the centre has new keys" in near.renew()
    near.passes(first=6, count=5)
    here.drained(near.folder)
    office.awaits(FAR)
    for kind in ("receipt", "opening"):
        refusal = office.types("retire", kind, ok=1)
        assert FAR in refusal
        assert NEAR not in refusal

    far.process.start(ready="uplink connected")  # with the keys that it went away with
    here.drained(far.folder)
    office.awaits(FAR)  # it has nothing to send, and would still seal to the old key
    assert "the centre has new keys" in far.renew()
    far.passes(first=16, count=5)
    office.awaits()

    assert "is retired" in office.types("retire", "opening")
    assert "is retired" in office.types("retire", "receipt")
    office.restarts_collector()
    office.restarts_enrolment()
    near.renew()
    here.collector.stop()
    near.passes(first=11, count=5)
    forged_receipt_releases_nothing(here, near, forger)
    here.deployment.start_collectors()
    here.drained(near.folder, far.folder)

    # Now the key that signs is stolen: no time to wait for anybody.
    office.types("rotate", "receipt")
    assert "refuses the centre's receipts" in office.types("retire", "receipt", "--compromised")
    office.restarts_collector()
    office.restarts_enrolment()
    before = here.head(folder=near.folder).held_up_to
    near.passes(first=16, count=5)
    wait_until(lambda: here.stored(NEAR) == 20, PATIENCE_S, "the centre holds what the kiosk sends")
    wait_until(lambda: here.troubles(near.folder).get("not_valid", 0) > 0, PATIENCE_S, "its receipts are refused")
    assert here.head(folder=near.folder).held_up_to == before
    assert "the centre has new keys" in near.renew()
    near.process.stop()
    near.process.start(ready="uplink connected")
    here.drained(near.folder)
    for card in (near, far):
        assert here.ends(card.name, card.folder).is_clean
        assert here.stored(card.name) == 20
        assert "quarantine" not in here.incidents(card.name)


@contextmanager
def cut_off(card: Card) -> Iterator[None]:
    """Let the post's way to the broker lead nowhere meanwhile."""
    toml = card.folder / "kiosk.toml"
    before = toml.read_text()
    port = next(line for line in before.splitlines() if line.startswith("port = "))
    toml.write_text(before.replace(port, "port = 1"))
    yield
    toml.write_text(before)


def forged_receipt_releases_nothing(here: World, card: Card, forger: Signer) -> None:
    """Let somebody with the retired key, and the right to publish as the centre, tell the truth too early."""
    head = here.head(folder=card.folder)
    last, at = head.next_sequence - 1, "2026-11-22T00:00:00Z"
    assert head.held_up_to < last
    said = Receipt(card.name, "crossing", head.epoch, last, head.last_hash, "z", at)
    before = here.troubles(card.folder).get("not_valid", 0)
    with Participant(here.deployment.broker, here.deployment.centre / "collector-1", client_id="forger") as somebody:
        somebody.publish(receipt_topic(card.name, "crossing"), forger.sign(encode(said), RECEIPT_TYP).encode())
    wait_until(lambda: here.troubles(card.folder).get("not_valid", 0) > before, PATIENCE_S, "the forgery is counted")
    assert here.head(folder=card.folder).held_up_to == head.held_up_to
