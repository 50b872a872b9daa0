"""A journey of one kiosk with two lanes: one lane's reader is pulled out while the other serves on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from central.reconcile import reconcile
from central.tables import record
from edge.control import ask
from edge.wire.record import AMENDMENT, CROSSING
from hw.simulated.port import SimulatedPort
from hw.simulated.travellers import specimen
from provisioning.local_deployment import wait_until
from tests.journeys.world import KIOSK, PATIENCE_S, World, crossings_on_disk

pytestmark = pytest.mark.journey

LANE = """\
[[lanes]]
name = "{name}"
kind = "{kind}"
policy = {{ specimens = "accept", show_s = 0.05, refer_s = 0.2, collect_s = 3, repeat_s = 0.2 }}
panel = {{ name = "{name}-panel", driver = "simulated" }}
readers = [{{ name = "{name}-passport", driver = "serial", path = "{path}", baud = 115200 }}]
"""
KINDS = {"left": "desk", "right": "self_service"}  # by which the centre tells the lanes apart


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[dict[str, SimulatedPort]]:
    """Yield the port of each lane's reader, plugged in."""
    found = {lane: SimulatedPort(tmp_path / lane, baud=115200) for lane in KINDS}
    for port in found.values():
        port.plug()
    yield found
    for port in found.values():
        port.unplug()


def passport(ordinal: int) -> bytes:
    """Return what a reader sends of a traveller's passport."""
    return specimen(7, ordinal).mrz.replace(b"\n", b"\r") + b"\r"


def test_a_lane_serves_while_the_others_reader_is_gone_and_each_word_is_of_its_own_lane(
    world: Callable[..., World], ports: dict[str, SimulatedPort]
) -> None:
    here = world()
    lanes = "".join(LANE.format(name=name, kind=kind, path=ports[name].path) for name, kind in KINDS.items())
    kiosk = here.deployment.add_kiosk(*KIOSK.split("/"), lane=lanes)
    kiosk.start(ready="uplink connected")
    for lane in KINDS:
        wait_until(lambda: state(here, f"{lane}-passport") == "ready", PATIENCE_S, "readers ready")  # noqa: B023

    for ordinal, (lane, port) in enumerate(ports.items(), start=1):
        wait_until(lambda: state(here, lane) == "lane ready", PATIENCE_S, f"{lane} is ready")  # noqa: B023
        assert port.send(passport(ordinal))
    on_disk(here, 2)

    ports["left"].unplug()
    wait_until(lambda: state(here, "left-passport") == "lost", PATIENCE_S, "the left reader is missed")
    wait_until(lambda: state(here, "left") == "lane ready", PATIENCE_S, "an officer can key in")
    for ordinal in (3, 4):
        wait_until(lambda: state(here, "right") == "lane ready", PATIENCE_S, "the right lane serves on")
        ports["right"].send(passport(ordinal))
        on_disk(here, ordinal)
    ports["left"].plug()
    wait_until(lambda: state(here, "left-passport") == "ready", PATIENCE_S, "the left reader is back")

    for ordinal, lane in enumerate(KINDS, start=5):
        wait_until(lambda: state(here, lane) == "lane ready", PATIENCE_S, f"{lane} is ready again")  # noqa: B023
        typed = {"primary_identifier": "Eriksson"}
        ask(here.folder() / "control.sock", "enter", lane=lane, typed=typed, is_document=False, officer="A-1042")
        on_disk(here, ordinal)
    wait_until(lambda: len(waiting(here)) == 2, PATIENCE_S, "both are referred")
    referred = waiting(here)
    assert "say which lane" in landfall(here, "decide", "passed", referred["left"]).stderr
    wrong = landfall(here, "decide", "passed", referred["left"], "--lane", "right")
    assert (wrong.returncode, "is not open" in wrong.stderr) == (1, True)
    decided = json.loads(landfall(here, "decide", "passed", referred["right"], "--lane", "right").stdout)
    voided = json.loads(landfall(here, "void", referred["left"], "--lane", "left", "--reason", "turned_back").stdout)
    assert (decided["amends"], voided["amends"]) == (referred["right"], referred["left"])

    here.drained()
    assert here.reconciles()
    assert here.engine is not None
    assert reconcile(here.engine, KIOSK).voided == 1
    assert Counter(one["lane"] for one in letters(here, CROSSING)) == {"desk": 2, "self_service": 4}
    assert {(one["kind"], one["amends"]) for one in letters(here, AMENDMENT)} == {
        ("decision", referred["right"]),
        ("void", referred["left"]),
    }


def state(here: World, device: str) -> str:
    """Return the state of a lane or device; empty while it is not known."""
    return here.status().get("devices", {}).get(device, {}).get("state", "")


def on_disk(here: World, crossings: int) -> None:
    """Wait until so many crossings are on disk."""
    wait_until(lambda: crossings_on_disk(here.folder()) == crossings, PATIENCE_S, f"{crossings} crossings on disk")


def waiting(here: World) -> dict[str, str]:
    """Return the crossing of each lane that waits for a decision."""
    return {one["lane"]: one["id"] for one in here.status().get("crossings", ()) if "decide" in one["words"]}


def landfall(here: World, *words: str) -> subprocess.CompletedProcess[str]:
    """Ask the kiosk as an officer does."""
    common = ("--config", str(here.folder() / "kiosk.toml"), "--json", "--officer", "A-1042")
    command = [sys.executable, "-m", "edge.cli", *words, *common]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def letters(here: World, type: str) -> list[dict]:
    """Return what the centre has opened of one type."""
    assert here.engine is not None
    query = select(record.c.plaintext).where(record.c.kiosk == KIOSK, record.c.type == type)
    with here.engine.connect() as connection:
        return [json.loads(text) for text in connection.scalars(query)]
