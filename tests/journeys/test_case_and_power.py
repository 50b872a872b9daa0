"""A daemon in this process, whose case, door and supply are mock pins in the hands of the test."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import edge.daemon
import edge.wiring
from edge.commands.start import settings_to_start_with
from edge.control import ask
from edge.daemon import EXIT_NO_POWER, Daemon
from edge.errors import LandfallError
from edge.log import Log
from hw.choose import open_devices, open_power
from hw.simulated.pins import WatchedFactory
from provisioning.local_deployment import wait_until
from tests.journeys.test_officer import letters
from tests.journeys.world import KIOSK, PATIENCE_S, World

pytestmark = pytest.mark.journey

LANE = """\
[[lanes]]
name = "lane-1"
policy = { specimens = "accept" }
panel = { driver = "gpiozero", door = "GPIO16" }

[power]
lost = "GPIO24"
stop_after_s = 0.2
"""
TAMPER, DOOR, POWER = "GPIO26", "GPIO16", "GPIO24"


class InProcess:
    """A daemon that runs in a thread, and its pins; everything is closed and connected at the start."""

    def __init__(self, folder: Path) -> None:
        self.pins = WatchedFactory()
        for contact in (TAMPER, DOOR, POWER):
            self.pins.ground(contact)
        self.text = io.StringIO()
        self.socket = folder / "control.sock"
        self.exit_status: int | None = None
        with (
            patch.object(edge.wiring, "open_devices", partial(open_devices, pin_factory=self.pins)),
            patch.object(edge.wiring, "open_power", partial(open_power, pin_factory=self.pins)),
        ):
            self._daemon = Daemon(settings_to_start_with(folder / "kiosk.toml", {}), Log(self.text), {})
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with patch.object(edge.daemon, "_keep_memory_private"):  # it would bind the tests' own process
            self.exit_status = self._daemon.run()

    def says(self, words: str) -> None:
        """Wait until the log has these words."""
        wait_until(lambda: words in self.text.getvalue(), PATIENCE_S, f"the log says {words}")

    def stop(self) -> int | None:
        """Ask the daemon to end, and return its exit status."""
        self._daemon.stop()
        return self.ended()

    def ended(self) -> int | None:
        """Return the exit status of a daemon that ends."""
        self._thread.join(timeout=60)
        return self.exit_status

    def status(self) -> dict[str, Any]:
        """Return what the daemon says of itself."""
        return ask(self.socket, "status")


@contextmanager
def running(folder: Path):
    """Yield a daemon of this folder; it has ended afterwards."""
    daemon = InProcess(folder)
    try:
        yield daemon
    finally:
        daemon.stop()


def test_an_opened_case_closes_the_lanes_until_somebody_with_authority_rearms(world: Callable[..., World]) -> None:
    here = world()
    here.deployment.add_kiosk(*KIOSK.split("/"), lane=LANE)
    config = here.folder() / "kiosk.toml"
    config.write_text(config.read_text().replace("[kiosk]", '[kiosk]\ntamper = "drop_key"'))

    with running(here.folder()) as kiosk:
        kiosk.says("uplink connected")
        kiosk.pins.pin(TAMPER).drive_high()
        kiosk.says("lanes are closed, no key to sign with")
        wait_until(lambda: "case_opened" in events(here), PATIENCE_S, "the centre knows of the opened case")
        with pytest.raises(LandfallError, match="close the case first"):
            ask(kiosk.socket, "rearm")
    with running(here.folder()) as kiosk:  # a power cycle with the case closed again is no authority
        kiosk.says("lanes are closed, no key to sign with")
        assert kiosk.status()["devices"]["lane-1"]["state"] == "lane closed"
        if os.getuid() != 0:
            with pytest.raises(LandfallError, match="only root may rearm a kiosk"):
                ask(kiosk.socket, "rearm")
            return
        assert ask(kiosk.socket, "rearm") == {"rearmed": True}
        assert kiosk.ended() == 1
    with running(here.folder()) as kiosk:
        kiosk.says("uplink connected")
        assert kiosk.status()["devices"]["lane-1"]["state"] == "lane ready"
        wait_until(lambda: "kiosk_rearmed" in events(here), PATIENCE_S, "the centre knows that the kiosk was rearmed")


def test_a_forced_door_is_told_and_a_kiosk_without_power_stops_in_order(world: Callable[..., World]) -> None:
    here = world()
    here.deployment.add_kiosk(*KIOSK.split("/"), lane=LANE)
    with running(here.folder()) as kiosk:
        kiosk.says("uplink connected")
        kiosk.pins.pin(DOOR).drive_high()
        kiosk.says("door forced")
        assert kiosk.status()["devices"]["panel"]["door"] == "forced"
        wait_until(lambda: "door_forced" in events(here), PATIENCE_S, "the centre knows of the door")
        kiosk.pins.pin(POWER).drive_high()
        assert kiosk.ended() == EXIT_NO_POWER
        assert "power lost" in kiosk.text.getvalue()


def events(here: World) -> list[str]:
    """Return the names of the audit events that the centre holds."""
    return [letter.get("event", "") for letter in letters(here, "org.landfall.audit.v1")]
