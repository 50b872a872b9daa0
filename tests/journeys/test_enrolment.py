"""A journey of a kiosk's whole life at the centre: invited, set up from a bundle, at work, stolen, shut out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.local_deployment import wait_until
from tests.journeys.card import OWN_FOLDER, open_desk
from tests.journeys.world import KIOSK, LANE, NAME, PATIENCE_S, QUICK, SITE, World

pytestmark = pytest.mark.journey

NAMED = ("--site", SITE, "--kiosk", NAME)


def test_a_kiosk_is_set_up_from_a_bundle_works_is_stolen_and_is_shut_out(
    world: Callable[..., World], tmp_path: Path
) -> None:
    here = world()
    deployment = here.deployment
    settings, _ = open_desk(here)
    lanes = tmp_path / "lanes.toml"
    lanes.write_text(LANE.format(policy=QUICK, camera="") + OWN_FOLDER)
    card, files = tmp_path / "card", tmp_path / "files"
    card.mkdir()
    told = deployment.run(
        "provisioning.cli", "kiosk", "new", *NAMED,
        "--config", str(settings), "--lanes", str(lanes), "--out", str(files),
    )  # fmt: skip
    pin = told.split("   pin ")[1].split()[0]
    bundle = next(files.glob("*.landfall"))
    install = ("provisioning.cli", "install", "--root", str(card), "--yes")
    assert "is set up" in deployment.run(*install, "--pin", pin, str(bundle))

    folder = card / "etc/landfall"
    here.travellers(folder, count=12)
    keys = {"CREDENTIALS_DIRECTORY": str(folder / "keys")}
    kiosk = deployment.process_of(KIOSK, folder, keys)
    kiosk.start(ready="uplink connected")
    here.have_passed(12, folder)
    here.drained(folder)

    deployment.central("certificate", "revoke", *NAMED)
    deployment.broker.restart()
    wait_until(
        lambda: "hung up" in json.dumps(here.status(folder).get("uplink", {})),
        PATIENCE_S,
        "the broker refuses it",
    )
    kiosk.stop()
    here.travellers(folder, first=13, count=5)
    kiosk.start(ready="store ready")
    here.have_passed(17, folder)
    assert here.head(folder=folder).held_up_to < here.head(folder=folder).next_sequence - 1, (
        "what it says now is not held"
    )
    renewed = deployment.run("provisioning.cli", "enrol", "renew", "--root", str(card), ok=(0, 2))
    assert "is enrolled" not in renewed
