"""`landfall check` and `landfall diagnose` beside a kiosk that runs, and beside one that does not."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hw.simulated.travellers import specimen
from tests.journeys.world import World

pytestmark = pytest.mark.journey
SEED, TRAVELLERS = 7, 12
GOOD = ("settings", "daemon", "certificate", "key record", "TLS", "broker")


def check(here: World) -> dict[str, Any]:
    """Return the state of each thing that was checked."""
    config = str(here.folder() / "kiosk.toml")
    printed = here.deployment.run("edge.cli", "check", "--json", "--config", config, ok=(0, 1))
    return {line["what"]: line["state"] for line in json.loads(printed)}


def secrets(folder: Path, centre: Path) -> list[str]:
    """Return what must never be in a file that leaves the kiosk."""
    private = [json.loads((folder / "record.key.json").read_text())["d"]]
    pem = (folder / "client.key").read_text().splitlines()[1:-1]
    private += [json.loads(path.read_text())["d"] for path in centre.glob("*.key.json")]
    return [*private, *pem]


def test_a_check_disturbs_no_running_kiosk_and_a_diagnosis_holds_no_traveller(
    world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world()
    faults = 'faults = [{ kind = "flip", every = 3, at_byte = 50 }, { kind = "half", every = 4, at_byte = 60 }]'
    kiosk = here.add_kiosk(count=TRAVELLERS, seed=SEED, more=faults)
    kiosk.start(ready="uplink connected")
    here.have_passed(TRAVELLERS)
    here.drained()
    found = check(here)
    assert {name: found[name] for name in GOOD} == dict.fromkeys(GOOD, "ok")
    assert here.status()["uplink"]["connections"] == 1, "the check has not pushed the daemon off the broker"

    journal = tmp_path / "journalctl"
    journal.write_text(f"#!/bin/sh\ncat {kiosk.log}\n")
    journal.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    config = str(here.folder() / "kiosk.toml")
    here.deployment.run("edge.cli", "diagnose", "--config", config, "--out", str(tmp_path))
    (path,) = tmp_path.glob("landfall-*.tar.gz")
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as tar:
        contents = {Path(member.name).name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    assert {"check.json", "settings.json", "versions.json", "health.json", "journal.txt"} <= set(contents)
    assert b"kiosk started" in contents["journal.txt"]
    everything = b"\n".join(contents.values())
    assert not [secret for secret in secrets(here.folder(), here.deployment.centre) if secret.encode() in everything]
    assert not [word for word in personal_words() if word in everything.upper()]

    kiosk.stop()
    found = check(here)
    assert (found["daemon"], found["broker"]) == ("warn", "ok"), "without the daemon the check connects itself"


def personal_words() -> set[bytes]:
    """Return numbers, names and lines of the zone of every traveller."""
    words = set()
    for ordinal in range(1, TRAVELLERS + 1):
        traveller = specimen(SEED, ordinal)
        name_line, number_line = traveller.mrz.split(b"\n")
        words |= {traveller.document_number.encode(), name_line, number_line, *name_line[5:].split(b"<")}
    return {word for word in words if len(word) >= 6}
