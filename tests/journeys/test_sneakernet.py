"""Journeys of a post that was offline too long: its records travel on a stick, and the receipts travel back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from edge.seal import Signer
from edge.wire.carried import decode_receipts, encode_receipts
from edge.wire.messages import RECEIPT_TYP, Receipt, encode
from provisioning.demo.count import unreceipted
from provisioning.local_deployment import wait_until
from tests.journeys.world import KIOSK, PATIENCE_S, World

pytestmark = pytest.mark.journey


def queue(here: World, *words: str, ok: tuple[int, ...] = (0,)) -> str:
    """Run a verb of `landfall queue` as a technician would."""
    config = here.folder() / "kiosk.toml"
    return here.deployment.run("edge.cli", "queue", words[0], "--config", str(config), *words[1:], ok=ok)


def refused(here: World, file: Path) -> list[dict]:
    """Import a file of receipts that the kiosk does not take, and return its answers."""
    return json.loads(queue(here, "import-receipts", str(file), "--json", ok=(1,)))


def centre_imports(here: World, stick: Path, *, ok: tuple[int, ...] = (0,)) -> dict:
    """Run `landfall-central import` and return what it says."""
    config = str(here.deployment.central_config)
    return json.loads(here.deployment.run("central.cli", "import", "--config", config, "--json", str(stick), ok=ok))


def stick_of(here: World, tmp_path: Path) -> Path:
    """Return an empty stick after thirty crossings that only the kiosk has."""
    here.deployment.broker.stop()
    here.add_kiosk(count=30).start(ready="store ready")
    here.have_passed(30)
    stick = tmp_path / "stick"
    stick.mkdir()
    return stick


def held(here: World) -> None:
    """Wait until the kiosk's store has taken the receipts."""
    wait_until(lambda: here.head().held_up_to >= 31, PATIENCE_S, "thirty crossings are held")


def test_thirty_crossings_travel_on_a_stick_and_nothing_is_stored_twice(
    world: Callable[..., World], tmp_path: Path
) -> None:
    here = world()
    stick = stick_of(here, tmp_path)
    queue(here, "verify")
    queue(here, "export", str(stick))
    assert here.head().held_up_to == 0, "exporting releases nothing"
    imported = centre_imports(here, stick)
    assert {one["stream"]: one["held_up_to"] for one in imported["streams"]}["crossing"] == 31
    queue(here, "import-receipts", str(stick))
    held(here)
    assert here.stored() == 30
    assert json.loads(queue(here, "list", "--unreceipted", "--json")) == []
    here.deployment.broker.start()
    here.drained()
    ends = here.ends()
    assert ends.is_clean and ends.stored == 30
    assert here.reconciles()
    assert here.incidents() <= {"new_epoch"}


def test_part_by_mqtt_and_part_by_stick_is_one_stream(world: Callable[..., World], tmp_path: Path) -> None:
    here = world()
    kiosk = here.add_kiosk(count=12)
    kiosk.start(ready="uplink connected")
    here.have_passed(12)
    here.drained()
    kiosk.stop()
    here.deployment.broker.stop()
    here.travellers(here.folder(), first=13, count=18)
    kiosk.start(ready="store ready")
    here.have_passed(30)
    (tmp_path / "stick").mkdir()
    queue(here, "export", str(tmp_path / "stick"), "--all")
    imported = centre_imports(here, tmp_path / "stick")
    crossings = next(one for one in imported["streams"] if one["stream"] == "crossing")
    assert (crossings["duplicates"], crossings["new"]) == (13, 18)
    queue(here, "import-receipts", str(tmp_path / "stick"))
    held(here)
    here.deployment.broker.start()
    here.drained()
    assert here.ends().is_clean


def test_a_stick_that_was_pulled_out_early_brings_what_is_whole_and_the_rest_comes_later(
    world: Callable[..., World], tmp_path: Path
) -> None:
    here = world()
    stick = stick_of(here, tmp_path)
    queue(here, "export", str(stick))
    (file,) = stick.iterdir()
    with file.open("r+b") as whole:
        whole.truncate(file.stat().st_size // 2)
    imported = centre_imports(here, stick, ok=(1,))
    (crossings,) = imported["streams"]
    up_to = crossings["held_up_to"]
    assert 0 < up_to < 31 and crossings["missing"] == [[up_to + 1, 31]]
    queue(here, "import-receipts", str(stick))
    wait_until(lambda: here.head().held_up_to == up_to, PATIENCE_S, "what the stick brought is held")
    here.deployment.broker.start()
    here.drained()
    assert here.ends().is_clean


def test_receipts_that_are_not_for_this_kiosk_are_refused_and_reported(
    world: Callable[..., World], tmp_path: Path
) -> None:
    here = world()
    stick = stick_of(here, tmp_path)
    queue(here, "export", str(stick))
    centre_imports(here, stick)
    good = decode_receipts((stick / "receipts_dm-roseau_ferry-01.txt").read_bytes())
    head = here.head()
    said = Receipt(KIOSK, "crossing", head.epoch, 31, head.last_hash, "", "2026-11-22T00:00:00Z")
    forged = Signer(OKPKey.generate_key("Ed25519")).sign(encode(said), RECEIPT_TYP)
    altered = good[0][:-8] + "AAAAAAAA"
    path = tmp_path / "forged.txt"
    path.write_bytes(encode_receipts([forged, altered]))
    assert [one["meaning"] for one in refused(here, path)] == ["not_valid", "not_valid"]
    others = tmp_path / "others.txt"
    others.write_bytes(encode_receipts([foreign_receipt(here)]))
    assert [one["meaning"] for one in refused(here, others)] == ["foreign_kiosk"]
    assert here.head().held_up_to == 0
    assert here.troubles() == {"not_valid": 2, "foreign_kiosk": 1}
    queue(here, "import-receipts", str(stick))
    held(here)


def foreign_receipt(here: World) -> str:
    """Return what the centre truly signed, for another kiosk."""
    from edge.seal import load_private_key

    signer = Signer(load_private_key(here.deployment.centre / "receipt.key.json"))
    said = Receipt("bs-nassau/quay-01", "crossing", here.head().epoch, 31, here.head().last_hash, "", "2026-11-22Z")
    return signer.sign(encode(said), RECEIPT_TYP)


def test_receipts_for_a_kiosk_that_does_not_run_are_one_sentence(world: Callable[..., World], tmp_path: Path) -> None:
    here = world()
    stick = stick_of(here, tmp_path)
    queue(here, "export", str(stick))
    centre_imports(here, stick)
    here.deployment.kiosks[KIOSK].stop()
    before = unreceipted(here.folder())
    words = ["queue", "import-receipts", "--config", str(here.folder() / "kiosk.toml"), str(stick)]
    done = subprocess.run([sys.executable, "-m", "edge.cli", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("landfall: no kiosk answers on") and done.stderr.count("\n") == 1
    assert unreceipted(here.folder()) == before
