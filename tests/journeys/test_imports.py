"""What a kiosk without devices has loaded when its first traveller comes: the standards it wants, and no driver."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.local_deployment import wait_until
from tests.journeys.world import KIOSK, PATIENCE_S, World

pytestmark = pytest.mark.journey

STANDARDS = {f"edge.documents.{name}" for name in ("mrz", "bcbp", "dcc", "aamva", "magstripe", "vds", "vds_nc")}
DRIVERS = {"serial", "gpiozero", "lgpio", "picamera2", "zxingcpp", "cv2"}

LANE = """\
[[lanes]]
name = "lane-1"
policy = { optional = ["boarding_pass", "driving_licence", "seal"] }
"""


def test_an_idle_kiosk_has_loaded_every_standard_and_no_driver(world: Callable[..., World], tmp_path: Path) -> None:
    here, log = world(), tmp_path / "log"
    here.deployment.add_kiosk(*KIOSK.split("/"), lane=LANE)

    def imported() -> set[str]:
        return set(re.findall(r"^import time:.*\| +([\w.]+)$", log.read_text(), re.MULTILINE))

    command = [sys.executable, "-X", "importtime", "-m", "edge.cli", "run", "--config", here.folder() / "kiosk.toml"]
    with log.open("w") as lines, subprocess.Popen(command, stderr=lines) as kiosk:
        try:
            wait_until(lambda: imported() >= STANDARDS, PATIENCE_S, "the kiosk loads every standard")
        finally:
            kiosk.terminate()
    assert not imported() & DRIVERS
