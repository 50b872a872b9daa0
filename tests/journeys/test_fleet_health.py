"""The fleet's health, seen in a browser: whatever breaks at a kiosk, the open overview says what it is and what to do.

Broker, collector, watcher, console, kiosks and browser are the real ones; the reader's port and the travellers are the
test's own. A frozen camera is one whose process is stopped, and so is each that the kiosk starts in its place; a cut
network is one in which nothing arrives any more, so the broker has to miss the kiosk's keepalive. The seconds from each
fault to its sentence are printed, not asserted: the machine may be busy.

When a fault can be known at all: a stopped clock after `STANDS_STILL_S` (10 s) of the same time; a cut network after
one and a half keepalives, 7.5 s here and 45 s with the default of 30 s.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from central.fleet.diagnosis import finding
from central.fleet.words import Code
from hw.framing import Family, encode
from hw.simulated.port import SimulatedPort
from hw.simulated.travellers import specimen
from provisioning.local_deployment import Process, wait_until
from tests.central.console.harness import PASSWORD
from tests.harness.chromium import headless_chromium
from tests.harness.proxy import Proxy, Way
from tests.journeys.test_clock import Wrong
from tests.journeys.test_disk import LIMITS, SmallCard
from tests.journeys.world import KIOSK, LANE, QUICK, World
from tests.powercut.loop_card import LoopCard
from tests.powercut.obstacles import to_random_moments

pytestmark = pytest.mark.journey

WITHIN_S = 120.0
WELL = "dm-portsmouth/pier-01"
KEEPALIVE_S = 5  # the broker misses it after one and a half times as long (MQTT 5.0, 3.1.2.10)
LANE_OF_THE_TEST = """\
[[lanes]]
name = "lane-1"
policy = {{ direction = "entry", specimens = "accept", photo = "wanted", {policy} }}
panel = {{ driver = "simulated" }}
readers = [{{ name = "passport", driver = "serial", path = "{port}", baud = 115200 }}]
camera = {{ driver = "simulated", capture_s = 0.5, deadline_s = 1 }}
"""


class Overview:
    """The fleet's page in a browser, as it was opened once; `seconds` is how long each sentence took to come."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.seconds: dict[str, float] = {}

    def says(self, code: Code, subject: str = "", *, since: float, fault: str) -> None:
        """Wait until the kiosk's row has the sentence and the remedy of a fault that began at `since`."""
        said = finding(code, subject=subject)
        self._wait(f"row.what === {_shown(said.what)!r} && row.remedy === {_shown(said.remedy)!r}", fault)
        self.seconds[fault] = time.monotonic() - since
        assert said.what not in self._page.locator(f"tr[data-kiosk='{WELL}']").inner_text(), "the other kiosk is well"

    def forgets(self, code: Code, subject: str = "") -> None:
        """Wait until the kiosk's row has the sentence no more."""
        self._wait(f"row.what !== {_shown(finding(code, subject=subject).what)!r}", f"the end of {code}")

    def _wait(self, is_so: str, what: str) -> None:
        text = "(name) => (cells.querySelector(name)?.textContent ?? '').trim()"
        look = f"const cells = document.querySelector(\"tr[data-kiosk='{KIOSK}']\"); const text = {text};"
        look += f"const row = {{ what: text('.what'), remedy: text('.remedy') }}; return {is_so};"
        try:
            self._page.wait_for_function(f"() => {{ {look} }}", timeout=WITHIN_S * 1000, polling=50)
        except PlaywrightTimeout as error:
            shown = self._page.locator(f"tr[data-kiosk='{KIOSK}']").inner_text()
            raise AssertionError(f"{what}: not shown, but {shown}") from error


def _shown(text: str) -> str:
    return text.replace("`", "")


@contextmanager
def frozen_camera(kiosk: Process) -> Iterator[None]:
    """Stop the camera's process, and each that takes its place, for as long as this lasts."""
    is_over = threading.Event()
    frozen: set[int] = set()

    def freeze() -> None:
        while not is_over.wait(0.02):
            for camera in _cameras(kiosk.pid) - frozen:
                os.kill(camera, signal.SIGSTOP)
                frozen.add(camera)

    thread = threading.Thread(target=freeze)
    thread.start()
    try:
        wait_until(lambda: bool(frozen), WITHIN_S, "the camera's process is stopped")
        yield
    finally:
        is_over.set()
        thread.join()
        for camera in frozen & _cameras(kiosk.pid):
            os.kill(camera, signal.SIGCONT)


def _cameras(daemon: int) -> set[int]:
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == daemon and b"hw.simulated.camera_child" in (process / "cmdline").read_bytes():
                found.add(int(process.name))
    return found


def watch_and_console(here: World) -> str:
    """Start the watcher and the console with an account, and return the console's address."""
    deployment, config = here.deployment, here.deployment.central_config
    watcher, port = deployment.centre / "watcher-1", here.free_port()
    deployment.authority.issue_collector(watcher, "watcher-1")
    deployment.broker.set_centre(["collector-1", "watcher-1"])
    deployment.broker.restart()
    with config.open("a") as more:
        more.write(f'\n[fleet]\ncertificate = "{watcher}/client.crt"\nkey = "{watcher}/client.key"\n')
        more.write(f"health_per_minute = 600\n[console]\nport = {port}\n")
    words = ["account", "add", "operator", "--role", "operator", "--password-stdin", "--config", str(config)]
    subprocess.run([sys.executable, "-m", "central.cli", *words], input=f"{PASSWORD}\n", text=True, check=True)
    deployment.process("central.cli", ["watch", "--config", str(config)], "watch").start(ready="watcher ready")
    console = deployment.process("central.cli", ["console", "--config", str(config)], "console")
    console.start(ready="the console is at")
    return f"http://127.0.0.1:{port}"


@contextmanager
def overview_at(address: str) -> Iterator[Overview]:
    """Sign in with a browser, open the overview, and see that it was never loaded again."""
    with headless_chromium() as browser:
        page = browser.new_page(base_url=address)
        page.goto("/sign-in")
        page.fill("#name", "operator")
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url("/")
        page.wait_for_selector("#pulse.live")
        page.evaluate("window.was_loaded_once = true")
        yield Overview(page)
        assert page.evaluate("window.was_loaded_once"), "the page keeps itself up to date"


@contextmanager
def a_kiosk(here: World, port: SimulatedPort, network: Proxy, wrong: Wrong) -> Iterator[tuple[Process, SmallCard]]:
    """Make a kiosk with its store on a small card, a clock that can be set, and a network that can be cut."""
    kiosk = here.deployment.add_kiosk(
        *KIOSK.split("/"),
        lane=LANE_OF_THE_TEST.format(policy=QUICK, port=port.path),
        port=network.port,
        uplink=f"keepalive_s = {KEEPALIVE_S}",
        environment={**wrong.environment, "TZ": "UTC"},
    )
    toml = here.folder() / "kiosk.toml"
    toml.write_text(toml.read_text().replace("[store]\n", f'[store]\npath = "card/cache.db"\n{LIMITS}\n'))
    with LoopCard(here.folder() / "card") as card:
        try:
            yield kiosk, SmallCard(card.folder)
        finally:
            kiosk.stop()


def test_the_open_overview_tells_each_fault_of_a_kiosk_with_its_remedy_and_forgets_it_after_the_repair(
    world: Callable[..., World], tmp_path: Path
) -> None:
    if why := to_random_moments():
        pytest.skip(why)
    here, wrong = world(), Wrong(tmp_path)
    address = watch_and_console(here)
    port = SimulatedPort(tmp_path / "usb-Landfall_passport-if00", baud=115200)
    port.plug()
    with ExitStack() as stack:
        stack.callback(port.unplug)
        network = stack.enter_context(Proxy(here.deployment.broker.port))
        kiosk, card = stack.enter_context(a_kiosk(here, port, network, wrong))
        well = here.deployment.add_kiosk(*WELL.split("/"), lane=LANE.format(policy=QUICK, camera=""))
        here.travellers(here.folder(WELL), count=1)
        well.start()
        kiosk.start(ready="uplink connected")
        wait_until(lambda: _is_ready(here, "camera") and _is_ready(here, "passport"), WITHIN_S, "both devices work")
        port.send(encode(specimen(1, 1).mrz, Family.RAW))
        wait_until(lambda: here.stored() == 1, WITHIN_S, "a crossing is at the centre")

        overview = stack.enter_context(overview_at(address))

        began = time.monotonic()
        port.unplug()
        overview.says(Code.DEVICE_LOST, "passport", since=began, fault="reader pulled")
        port.plug()
        overview.forgets(Code.DEVICE_LOST, "passport")

        wait_until(lambda: _is_ready(here, "passport"), WITHIN_S, "the reader works again")
        with frozen_camera(kiosk):
            began = time.monotonic()
            port.send(encode(specimen(1, 2).mrz, Family.RAW))
            overview.says(Code.DEVICE_LOST, "camera", since=began, fault="camera frozen")
        overview.forgets(Code.DEVICE_LOST, "camera")

        began = time.monotonic()
        card.leave(15.5)
        overview.says(Code.DISK_FULL, since=began, fault="disk filled")
        card.leave(40)
        overview.forgets(Code.DISK_FULL)

        began = time.monotonic()
        wrong.by(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}")
        overview.says(Code.CLOCK_STOPPED, since=began, fault="clock stopped")
        wrong.by("+0")
        overview.forgets(Code.CLOCK_STOPPED)

        began = time.monotonic()
        for way in Way:
            network.hold(way)
        overview.says(Code.OFFLINE, since=began, fault="network cut")
        network.cut()
        for way in Way:
            network.release(way)
        overview.forgets(Code.OFFLINE)

        began = time.monotonic()
        kiosk.kill()
        overview.says(Code.OFFLINE, since=began, fault="daemon killed")
        kiosk.start(ready="uplink connected")
        overview.forgets(Code.OFFLINE)
    print("seconds from the fault to the sentence:", {name: round(took, 1) for name, took in overview.seconds.items()})


def _is_ready(here: World, device: str) -> bool:
    return here.status().get("devices", {}).get(device, {}).get("state") == "ready"
