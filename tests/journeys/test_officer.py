"""A journey of an officer: a ferry, a passport that no reader reads, a crossing entered twice, a form of an outage."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import select

from central.reconcile import reconcile
from central.tables import record
from edge.wire.record import AMENDMENT, AUDIT, CROSSING
from provisioning.local_deployment import wait_until
from tests.journeys.world import KIOSK, PATIENCE_S, World

pytestmark = pytest.mark.journey

LANE = """\
[[lanes]]
name = "lane-1"
kind = "desk"
policy = { specimens = "accept", show_s = 0.05, refer_s = 0.2, collect_s = 3 }
panel = { driver = "simulated" }
"""
SPECIMEN = {
    "document_code": "P",
    "issuing_state": "UTO",
    "document_number": "L898902C3",
    "primary_identifier": "Eriksson",
    "secondary_identifier": "Anna Maria",
    "nationality": "UTO",
    "date_of_birth": "1974-08-12",
    "sex": "F",
    "date_of_expiry": "2099-04-15",
}


def test_an_officer_counts_a_ferry_keys_in_voids_and_enters_a_form_and_the_centre_agrees(
    world: Callable[..., World],
) -> None:
    here = world()
    kiosk = here.deployment.add_kiosk(*KIOSK.split("/"), lane=LANE)
    kiosk.start(ready="uplink connected")

    def landfall(*words: str, fields: dict[str, str] | None = None) -> dict:
        common = ("--config", str(here.folder() / "kiosk.toml"), "--json", "--officer", "A-1042")
        command = [sys.executable, "-m", "edge.cli", *words, *common]
        done = subprocess.run(
            command, input=json.dumps(fields), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    wait_until(lambda: "store ready" in kiosk.log_text(), PATIENCE_S, "the store is ready")
    ferry = ("--conveyance", "vessel", "--name", "L'Express des Iles", "--number", "IMO 9074729")
    opened = landfall("group", "open", "--expected", "2", *ferry)
    assert (opened["count"], opened["number_check"]) == (0, "ok")

    assert landfall("enter", "--stdin", fields=SPECIMEN)["result"] == "passed"
    wait_until(lambda: ready(here), PATIENCE_S, "the lane is ready")
    kiosk.kill()
    kiosk.start(ready="uplink connected")
    wait_until(lambda: ready(here), PATIENCE_S, "the lane is ready again")
    assert landfall("group")["count"] == 1
    twice = landfall("enter", "--stdin", fields=SPECIMEN)
    assert here.status()["crossings"] == [
        {"lane": "lane-1", "crossing": twice["id"][-6:], "id": twice["id"], "words": ["void"]}
    ]
    assert landfall("void", twice["id"][-6:], "--reason", "entered_twice")["amends"] == twice["id"]
    assert landfall("group", "close")["count"] == 1

    form = landfall("enter", "--stdin", "--written-at", "2026-01-02T03:04:05Z", "--result", "passed", fields=SPECIMEN)
    wait_until(lambda: ready(here), PATIENCE_S, "the lane is ready")
    referred = landfall("enter", "--no-document", "--stdin", fields={"primary_identifier": "Eriksson"})
    assert (referred["result"], referred["reasons"]) == ("referred", ["travel_document_missing"])
    assert landfall("decide", "passed", referred["id"])["amends"] == referred["id"]

    here.drained()
    assert here.reconciles()
    assert here.engine is not None
    assert reconcile(here.engine, KIOSK).voided == 1
    crossings = letters(here, CROSSING)
    assert [one["documents"][0]["source"] for one in crossings] == ["manual", "manual", "paper", "manual"]
    assert [one["group"] for one in crossings] == [opened["group"], opened["group"], None, None]
    assert (crossings[2]["id"], crossings[2]["written_at"]) == (form["id"], "2026-01-02T03:04:05Z")
    amendments = letters(here, AMENDMENT)
    assert [(one["kind"], one["amends"]) for one in amendments] == [
        ("void", crossings[1]["id"]),
        ("decision", crossings[3]["id"]),
    ]
    groups = [one for one in letters(here, AUDIT) if one["event"].startswith("group_")]
    assert [(one["event"], one["detail"]["count"]) for one in groups] == [("group_opened", 0), ("group_closed", 1)]
    assert "ERIKSSON" not in kiosk.log_text().upper()


def ready(here: World) -> bool:
    """Tell whether the lane waits for the next traveller."""
    return here.status().get("devices", {}).get("lane-1", {}).get("state") == "lane ready"


def letters(here: World, type: str) -> list[dict]:
    """Return what the centre has opened of one type, in the order of the kiosk."""
    assert here.engine is not None
    query = select(record.c.plaintext).where(record.c.kiosk == KIOSK, record.c.type == type)
    with here.engine.connect() as connection:
        return [json.loads(text) for text in connection.scalars(query.order_by(record.c.sequence))]
