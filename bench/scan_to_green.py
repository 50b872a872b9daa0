"""From the reader's last byte to the green lamp: `python -m bench scan_to_green`.

The daemon itself, with its driver for serial readers at a pty and its driver for panels at gpiozero's mock pins,
connected to a real broker and collector. Time runs from when the last bytes of a message with an end mark are handed to
the pty until the pin of the green lamp is high. The disk's own time for one commit of as many bytes is measured in
turns with the crossings: a row in bare SQLite, WAL and synchronous=FULL.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

import edge.wiring
from bench.cache import BareSqlite, opened
from bench.row import Row
from edge.cache import Cache, CacheReader
from edge.commands.start import settings_to_start_with
from edge.daemon import Daemon
from edge.log import Log
from edge.seal import Sealer, Signer
from hw.choose import open_devices
from hw.framing import Family, encode
from hw.simulated.pins import WatchedFactory, WatchedPin
from hw.simulated.port import SimulatedPort
from hw.simulated.travellers import specimen
from provisioning.local_deployment import LocalDeployment, wait_until

SITE, NAME, GREEN = "bench-post", "kiosk-1", "GPIO17"
WITHIN_S = 30.0
STEPS = ("parse", "seal", "commit")
SLACK_MS = 2.0
COMMITS = 3  # of the disk's own, at most
LANE = f"""\
[[lanes]]
name = "lane-1"
policy = {{{{ specimens = "accept", show_s = 0.02, repeat_s = 0.01 }}}}
panel = {{{{ driver = "gpiozero", green = "{GREEN}" }}}}
readers = [{{{{ name = "passport", path = "{{port}}" }}}}]
"""


class Crossing(msgspec.Struct):
    """What one crossing took, in milliseconds, and the disk's own commit beside it."""

    total: float
    parse: float
    seal: float
    commit: float
    disk: float


def run(quick: bool) -> list[Row]:
    """Measure crossings one after the other and return percentiles."""
    with tempfile.TemporaryDirectory() as folder, LocalDeployment(Path(folder)) as deployment:
        deployment.start_collectors()
        deployment.add_kiosk(SITE, NAME, lane=LANE.format(port=Path(folder) / "reader"))
        # In a process of its own: a daemon shuts the memory of its process to others for good.
        command = [sys.executable, "-m", "bench.scan_to_green", folder, "200" if quick else "1000"]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found = msgspec.json.decode(said, type=list[Crossing])
    rows = []
    for percent in (50, 95, 99):
        total, disk = (_percentile([getattr(one, part) for one in found], percent) for part in ("total", "disk"))
        rows.append(Row(f"scan to green, p{percent}", total, "ms", beside="the disk's commit", theirs=disk))
    rows.append(
        Row(f"p99 against {COMMITS} commits of the disk + {SLACK_MS:g} ms", total / (COMMITS * disk + SLACK_MS), "x", 1)
    )
    for part in STEPS:
        times = [getattr(one, part) for one in found]
        rows.append(Row(f"{part}, p50", statistics.median(times), "ms"))
        rows.append(Row(f"{part}, p99", _percentile(times, 99), "ms"))
    rest = [one.total - one.parse - one.seal - one.commit for one in found]
    rows.append(Row("the rest (port, framing, threads, pins), p50", statistics.median(rest), "ms"))
    return rows


def _percentile(found: list[float], percent: int) -> float:
    return statistics.quantiles(found, n=100, method="inclusive")[percent - 1]


class _GreenLamp:
    """Sees when green goes on, and waits until it is off again."""

    def __init__(self, factory: WatchedFactory) -> None:
        self._pin = factory.pin(GREEN)
        self._on, self._off = threading.Event(), threading.Event()
        self._at_s = 0.0
        factory.watchers.append(self)  # type: ignore[arg-type]

    def see(self, pin: WatchedPin, is_high: bool) -> None:
        """Take note of a change; called in the thread that drives the pin."""
        if pin is self._pin:
            if is_high:
                self._at_s = time.perf_counter()
            (self._on if is_high else self._off).set()

    def went_on_at_s(self) -> float:
        """Return when green went on, and not before it is off."""
        for change in (self._on, self._off):
            if not change.wait(WITHIN_S):
                raise RuntimeError("the lamp did not turn green and off again")
            change.clear()
        return self._at_s


def _timed(spent: Counter[str], step: str, work: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(work)
    def timed(*args: Any, **options: Any) -> Any:
        begin = time.perf_counter()
        try:
            return work(*args, **options)
        finally:
            spent[step] += time.perf_counter() - begin

    return timed


@contextmanager
def _taps(spent: Counter[str], pins: WatchedFactory) -> Iterator[None]:
    """Let a daemon that is built in this block count what its steps take, and drive these pins."""
    with ExitStack() as stack:
        for owner, name, step in (
            (edge.wiring, "read", "parse"),
            (Sealer, "seal", "seal"),
            (Signer, "sign", "seal"),
            (Cache, "append", "commit"),
        ):
            stack.enter_context(patch.object(owner, name, _timed(spent, step, getattr(owner, name))))
        stack.enter_context(patch.object(edge.wiring, "open_devices", partial(open_devices, pin_factory=pins)))
        yield


def _cross(folder: Path, count: int) -> list[Crossing]:
    """Run a daemon in this process and let travellers cross."""
    home = folder / "kiosks" / SITE / NAME
    spent: Counter[str] = Counter()
    body = b""
    pins, port = WatchedFactory(), SimulatedPort(folder / "reader", baud=4_000_000)  # one write, one wake-up
    port.plug()
    lamp, found = _GreenLamp(pins), []
    with _taps(spent, pins), opened(BareSqlite, home) as bare, (folder / "kiosk.log").open("w") as log:
        daemon = Daemon(settings_to_start_with(home / "kiosk.toml", {}), Log(log), {})
        thread = threading.Thread(target=daemon.run)
        thread.start()
        try:
            wait_until(lambda: "uplink connected" in (folder / "kiosk.log").read_text(), WITHIN_S, "the kiosk connects")
            for ordinal in range(1, count + 1):
                message = encode(specimen(1, ordinal).mrz, Family.STX_ETX)
                spent.clear()
                begin = time.perf_counter()
                port.send(message)
                total_s = lamp.went_on_at_s() - begin
                steps = [spent[step] * 1000 for step in STEPS]
                body = body or _last_body(home / "cache.db")
                begin = time.perf_counter()
                bare.put(body)
                found.append(Crossing(total_s * 1000, *steps, (time.perf_counter() - begin) * 1000))
        finally:
            daemon.stop()
            thread.join()
            port.unplug()
    return found[count // 20 :]  # without the warming up


def _last_body(path: Path) -> bytes:
    with CacheReader.open(path) as reader:
        head = reader.heads()["crossing"]
        return reader.first_after("crossing", head.next_sequence - 2, limit=1)[0].body


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(_cross(Path(sys.argv[1]), int(sys.argv[2]))))
