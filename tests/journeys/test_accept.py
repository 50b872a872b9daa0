"""A technician walks through a whole lane in a real terminal, beside a daemon that works; the centre has the report."""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

import edge.daemon
import edge.wiring
from central.reconcile import reconcile
from edge.clock import SystemClock
from edge.commands.start import settings_to_start_with
from edge.daemon import Daemon
from edge.log import Log
from edge.seal import Verifier, load_public_key
from edge.wire.acceptance import ACCEPTANCE_TYP
from edge.wire.record import CROSSING
from hw.choose import open_devices
from hw.framing import Family, encode
from hw.simulated.pins import WatchedFactory, press
from hw.simulated.port import SimulatedPort
from hw.simulated.travellers import specimen
from provisioning.local_deployment import wait_until
from tests.harness.terminal import COLUMNS, Reactions, Terminal
from tests.journeys.test_officer import letters
from tests.journeys.world import KIOSK, NAME, PATIENCE_S, SITE, World

pytestmark = pytest.mark.journey

LANE = """\
[[lanes]]
name = "lane-1"
scenario = "scenario.toml"
policy = {{ specimens = "accept", optional = ["boarding_pass"], optional_s = 0.3, photo = "wanted", show_s = 0.3 }}
panel = {{ driver = "gpiozero", direction = "GPIO12", door = "GPIO16", door_pass_s = 0.1 }}
camera = {{ driver = "simulated" }}
readers = [
    {{ name = "passport", driver = "serial", path = "{passport}", baud = 115200, framing = "raw", idle_gap_s = 0.05 }},
    {{ name = "boarding", kind = "barcode", driver = "serial", path = "{boarding}", baud = 115200, idle_gap_s = 0.05 }},
]
"""
WHAT = (
    *("store", "room", "key record", "key opening", "key receipt", "certificate", "authority", "key TLS"),
    *("lane lane-1", "device panel", "device boarding", "device passport", "device camera"),
    *("name", "port", "TLS", "broker", "clock", "card", "network"),
    *("lamp amber", "lamp red", "button accept", "button refer", "button direction", "camera camera"),
    *("reader boarding", "reader passport", "crossing", "lamp green", "gate", "receipt", "case", "door"),
)
TRAVELLER = specimen(7, 1)


class Bench:
    """A daemon in this process, its pins, and two readers on ptys, in the hands of the technician."""

    def __init__(self, here: World, folder: Path) -> None:
        self.passport = SimulatedPort(folder / "passport", baud=115200)
        self.boarding = SimulatedPort(folder / "boarding", baud=115200)
        lane = LANE.format(passport=self.passport.path, boarding=self.boarding.path)
        here.deployment.add_kiosk(*KIOSK.split("/"), lane=lane)
        (here.folder() / "scenario.toml").write_text("camera = { delay_s = 0.0 }")
        self.pins = WatchedFactory()
        for contact in ("GPIO26", "GPIO16"):
            self.pins.ground(contact)
        self.text = io.StringIO()
        synchronised = partial(SystemClock, error_bound_s=lambda: 0.01)  # nobody sets the clock of a test's machine
        with (
            patch.object(edge.wiring, "open_devices", partial(open_devices, pin_factory=self.pins)),
            patch.object(edge.wiring, "SystemClock", synchronised),
        ):
            self._daemon = Daemon(settings_to_start_with(here.folder() / "kiosk.toml", {}), Log(self.text), {})
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with patch.object(edge.daemon, "_keep_memory_private"):  # it would bind the tests' own process
            self._daemon.run()

    def __enter__(self) -> Bench:
        self.passport.plug()
        self.boarding.plug()
        self._thread.start()
        for words in ("uplink connected", "store ready"):
            wait_until(lambda words=words: words in self.text.getvalue(), PATIENCE_S, f"the log says {words}")
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.stop()
        self._thread.join(timeout=60)
        self.passport.unplug()
        self.boarding.unplug()


def at_the_kiosk(bench: Bench) -> Reactions:
    """Return what a technician does about what the screen says: hands for the devices, `y` for what eyes can tell."""
    return {r"-> ([^\n]*)\n": lambda screen: follow(screen[1], bench), r"\? +[^\n]*skip": "y"}


def follow(instruction: str, bench: Bench) -> None:
    """Do at the devices what the screen says."""
    pins = bench.pins
    match instruction.split()[:3]:
        case ["Press", "the", button]:
            pin = {"accept": "GPIO5", "refer": "GPIO6", "direction": "GPIO12"}[button]
            for _ in range(2 if "twice" in instruction else 1):
                press(pins, pin).join()
                time.sleep(0.1)  # the finger leaves the button for longer than it is debounced
        case ["Scan", "any", "passport"]:
            bench.passport.send(encode(TRAVELLER.mrz, Family.RAW))
        case ["Scan", "any", "boarding"]:
            bench.boarding.send(encode(TRAVELLER.boarding_pass, Family.RAW))
        case ["Open" | "Close" as verb, "the", what]:
            pin = pins.pin("GPIO26" if what.startswith("case") else "GPIO16")
            pin.drive_high() if verb == "Open" else pin.drive_low()


def test_a_technician_accepts_a_kiosk_and_the_centre_prints_the_signed_report(
    world: Callable[..., World], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = world()
    config = str(here.folder() / "kiosk.toml")
    accept = ["accept", "--config", config, "--by", "T-7", "--out", str(tmp_path)]
    with Bench(here, tmp_path) as bench:
        began_s = time.monotonic()
        with Terminal([sys.executable, "-m", "provisioning.cli", *accept]) as technician:
            assert technician.work(at_the_kiosk(bench), within_s=2 * PATIENCE_S) == 0, technician.plain
        took_s = time.monotonic() - began_s
        assert "\nACCEPTED" in technician.plain
        assert max(map(len, technician.plain.splitlines())) <= COLUMNS
        here.drained()

    printed = here.deployment.central("acceptance", "print", "--site", SITE, "--kiosk", NAME)
    assert "Result      ACCEPTED" in printed
    assert max(map(len, printed.splitlines())) <= COLUMNS
    (path,) = tmp_path.glob("acceptance-*.jws")
    key = load_public_key(here.folder() / "record.pub.json")
    report = json.loads(Verifier([key]).verify(path.read_text().strip(), ACCEPTANCE_TYP))
    kept = here.deployment.central("acceptance", "print", "--site", SITE, "--kiosk", NAME, "--json")
    assert json.loads(kept)["report"] == report
    found = {one["what"]: one["verdict"] for one in report["findings"]}
    assert found.pop("supply") in ("ok", "warn")  # only a Raspberry Pi tells its voltage
    assert found == dict.fromkeys(WHAT, "ok")
    with capsys.disabled():
        print(f"\naccepted with {report['inputs']} keys in {took_s:.1f} s")

    (crossing,) = letters(here, CROSSING)
    assert crossing["training"] is True
    assert here.engine is not None
    count = reconcile(here.engine, KIOSK)
    assert (count.training, count.stored) == (1, 0), "practice is never counted"
    text = printed + technician.plain + bench.text.getvalue() + path.read_text()
    names = TRAVELLER.mrz.decode().replace("<", " ").split()
    assert not [name for name in names if len(name) > 5 and name in text], "no traveller is in report, screen or log"
