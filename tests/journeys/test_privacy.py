"""A journey of a hundred specimens, and a search for them wherever a thief or an onlooker could look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hw.simulated.travellers import specimen
from tests.harness.mosquitto import Participant
from tests.journeys.world import World

pytestmark = pytest.mark.journey

SEED, TRAVELLERS = 11, 100
LEAST = 8  # shorter words turn up by chance in megabytes of base64, whatever their case


def personal_words() -> set[bytes]:
    """Return what must not be found: numbers, names and the lines of the zone, of every traveller."""
    words = set()
    for ordinal in range(1, TRAVELLERS + 1):
        traveller = specimen(SEED, ordinal)
        name_line, number_line = traveller.mrz.split(b"\n")
        words |= {traveller.document_number.encode(), name_line, number_line, name_line[5:].rstrip(b"<")}
        words |= set(name_line[5:].split(b"<"))
    return {word for word in words if len(word) >= LEAST}


def found(words: set[bytes], text: bytes) -> set[bytes]:
    upper = text.upper()
    return {word for word in words if word.upper() in upper}


def test_no_traveller_is_in_a_log_the_store_a_topic_or_the_brokers_traffic(
    world: Callable[..., World], tmp_path: Path
) -> None:
    here = world()
    words = personal_words()
    here.deployment.authority.issue_collector(tmp_path / "spy", "collector-2")
    here.deployment.broker.set_centre(["collector-1", "collector-2"])
    here.deployment.broker.restart()
    policy = 'show_s = 0.01, refer_s = 0.05, collect_s = 2, photo = "wanted"'
    camera = 'camera = { driver = "simulated", deadline_s = 1 }'
    faults = 'faults = [{ kind = "flip", every = 7, at_byte = 50 }, { kind = "half", every = 13, at_byte = 60 }]'
    with Participant(here.deployment.broker, tmp_path / "spy", client_id="spy") as spy:
        spy.subscribe("landfall/#")
        kiosk = here.add_kiosk(count=TRAVELLERS, seed=SEED, policy=policy, camera=camera, more=faults)
        kiosk.start(ready="store ready")
        here.have_passed(TRAVELLERS, within_s=240)
        here.drained()
        heard = spy.delivered(TRAVELLERS // 2)
    status = repr(here.status()).encode()
    kiosk.stop()
    here.collector.stop()
    assert here.ends().is_clean

    for message in heard:
        assert not found(words, message.topic.encode())
        assert not found(words, message.payload)
    assert not found(words, status)
    searched = 0
    for path in sorted(here.deployment.folder.rglob("*")):
        if path.is_file() and not path.name.startswith("centre.db"):
            assert not found(words, path.read_bytes()), path.name
            searched += 1
    assert searched > 15
    centre = b"".join(path.read_bytes() for path in here.database.parent.glob("centre.db*"))
    assert len(found(words, centre)) > TRAVELLERS, "the search finds travellers where they are: at the centre"
