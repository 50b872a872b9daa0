"""Draining what an outage left behind, over TLS through a real mosquitto: `python -m bench drain`.

Disk to PUBACK: the kiosk against its own limit, because a sink signs a receipt for each batch without looking into it;
beside it, through the same broker and with the same records, paho-mqtt with one record a PUBLISH from memory, and the
ThingsBoard gateway's way from SQLite. Disk to receipt: one and two real collectors on SQLite and on PostgreSQL (whose
own syncs and CPU time are left out), beside what no centre can leave out, verifying and opening each record; that is
measured in the sink, during a drain like the others, because a busy processor is a slower one.

Kiosk, broker and centre share this machine's processors, so the figures of CPU time say more than the rates.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.footprint import BARE_LANE, NAME, SITE
from bench.post import KIOSK, Keys, fill
from bench.processes import cpu_s
from bench.row import LEAST_ROUNDS, Row
from central.broker import BrokerLimits
from edge.cache import CacheReader
from edge.seal import load_private_key
from edge.wire.topics import Stream, stream_topic
from provisioning.local_deployment import LocalDeployment, wait_until
from tests.harness.postgres import PostgresMissing, new_database, postgres

BACKLOG, QUICK_BACKLOG = 100_000, 20_000  # with fewer, what starting costs weighs in
COLLECTORS = 2
CENTRE_BAR = 1.5
FLOOR = "bare verify and open"
SAMPLE = 500  # records that the peers repeat
WITHIN_S = 1200.0
GATEWAY = "thingsboard-gateway==3.8.5"
GATEWAY_HOME = Path("ci-output/thingsboard-gateway")
LARGE_PACKETS = BrokerLimits(max_packet_bytes=64 * 1024 * 1024)  # the gateway sends 1,000 events at once


class Drain(NamedTuple):
    """One drain: bytes of payload a second, and CPU microseconds a record on the kiosk and at the centre."""

    bytes_per_s: float
    kiosk_us: float
    centre_us: float


class Outage:
    """A kiosk that was cut off, with a full store to start from as often as wanted, and the other ends."""

    def __init__(self, folder: Path, backlog: int) -> None:
        self.backlog = backlog
        self.folder = folder
        self.deployment = LocalDeployment(folder / "deployment", collectors=COLLECTORS, limits=LARGE_PACKETS)
        with (self.deployment.folder / "broker" / "access.acl").open("a") as access:
            access.write(f"\nuser {KIOSK}\ntopic readwrite v1/#\n")  # the topics of the gateway

    def __enter__(self) -> Outage:
        self.deployment.__enter__()
        self.kiosk = self.deployment.add_kiosk(SITE, NAME, lane=BARE_LANE)
        self.home = self.deployment.kiosk_folder(SITE, NAME)
        self._opening_key = self.deployment.centre / "opening.key.json"
        self._full = self.folder / "full.db"
        keys = Keys(load_private_key(self.home / "record.key.json"), load_private_key(self._opening_key))
        fill(self._full, keys, self.backlog)
        with CacheReader.open(self._full) as reader:
            self.bytes = reader.heads()[Stream.CROSSING].bytes
            found = reader.first_after(Stream.CROSSING, 1, limit=SAMPLE, max_bytes=1 << 30)
            self.sample = [record.body for record in found]
        return self

    def __exit__(self, *failure: object) -> None:
        self.deployment.__exit__(*failure)  # type: ignore[arg-type]

    @property
    def port(self) -> int:
        """Return the broker's port."""
        return self.deployment.broker.port

    def drain(self, centre: Callable[[], float] = lambda: 0.0) -> Drain:
        """Let the kiosk connect with a full store and wait for the last receipt; `centre` tells its CPU seconds."""
        for left in self.home.glob("cache.db*"):
            left.unlink()
        shutil.copyfile(self._full, self.home / "cache.db")
        self.kiosk.start(ready="uplink connected")
        begin, kiosk_s, centre_s = time.perf_counter(), cpu_s(self.kiosk.pid), centre()
        with CacheReader.open(self.home / "cache.db") as reader:
            wait_until(lambda: reader.heads()[Stream.CROSSING].held_up_to > self.backlog, WITHIN_S, "all is receipted")
        took_s, kiosk_s, centre_s = time.perf_counter() - begin, cpu_s(self.kiosk.pid) - kiosk_s, centre() - centre_s
        self.kiosk.stop()
        return Drain(self.bytes / took_s, kiosk_s / self.backlog * 1e6, centre_s / self.backlog * 1e6)

    def drain_to_sink(self) -> Drain:
        """Drain against the sink."""
        self._start_afresh()
        with _talking(self._sink()):
            return self.drain()

    def drain_to_floor(self) -> Drain:
        """Drain to the sink while it verifies and opens every record; only that is the centre's CPU time here."""
        self._start_afresh()
        with _talking([*self._sink(), self.home / "record.pub.json", self._opening_key]) as said:
            found = self.drain()
        return found._replace(centre_us=float(said[0]))

    def _start_afresh(self) -> None:
        """Let the broker forget the receipts of the last drain, which it retained."""
        self.deployment.broker.restart(forgets_sessions=True)

    def _sink(self) -> list[object]:
        centre = self.deployment.centre
        certificates, receipt_key = centre / "collector-1", centre / "receipt.key.json"
        return [sys.executable, "-m", "bench.peers.sink", self.port, certificates, receipt_key]

    def drain_to_collectors(self, number: int, database: str) -> Drain:
        """Drain to so many collectors on a database that is empty."""
        self._start_afresh()
        for name in ("collector-1", "collector-2"):
            settings = self.deployment.centre / f"{name}.toml"
            lines = settings.read_text().splitlines(keepends=True)
            settings.write_text("".join(f'url = "{database}"\n' if line[:3] == "url" else line for line in lines))
        self.deployment.central(
            "kiosk", "add", "--site", SITE, "--kiosk", NAME, "--key", f"{self.home}/record.pub.json"
        )
        collectors = self.deployment.collectors[:number]
        try:
            for collector in collectors:
                collector.start(ready="collector ready")
            return self.drain(lambda: sum(cpu_s(collector.pid) for collector in collectors))
        finally:
            for collector in collectors:
                collector.stop()

    def publish_by(self, command: list[object]) -> Drain:
        """Let a peer publish as many records of the sample and return what it prints."""
        said = subprocess.run(
            [str(word) for word in command],
            input=msgspec.json.encode([body.decode() for body in self.sample]),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        took_s, own_s = map(float, said.split()[-2:])
        size = self.bytes / (self.backlog + 1)
        return Drain(size * self.backlog / took_s, own_s / self.backlog * 1e6, 0.0)


def run(quick: bool) -> list[Row]:
    """Measure every way in turns, each from a full store."""
    with tempfile.TemporaryDirectory() as folder, Outage(Path(folder), QUICK_BACKLOG if quick else BACKLOG) as outage:
        return [*_to_puback(outage), *_to_receipt(outage)]


def _to_puback(outage: Outage) -> list[Row]:
    certificates, topic = outage.home, stream_topic(KIOSK, Stream.CROSSING)
    ways: dict[str, Callable[[], Drain]] = {"Landfall": outage.drain_to_sink}
    paho = [sys.executable, "-m", "bench.peers.paho_publisher", outage.port, certificates, topic, outage.backlog]
    ways["paho-mqtt, one a PUBLISH from memory"] = lambda: outage.publish_by(paho)
    if gateway := _gateway_python():
        ways["ThingsBoard gateway, SQLite"] = lambda: _drain_gateway(outage, gateway)
    found = _in_turns(ways)
    ours = found.pop("Landfall")
    rows = [Row("disk to PUBACK, CPU of the kiosk a crossing", _median(ours, "kiosk_us"), "us")]
    for name, theirs in found.items():
        ratio = statistics.median(a.bytes_per_s / b.bytes_per_s for a, b in zip(ours, theirs, strict=True))
        rates = [_median(one, "bytes_per_s") / 1e6 for one in (ours, theirs)]
        rows += [
            Row(f"disk to PUBACK, bytes/s beside {name}", ratio, "x", bar=1, bar_is="least"),
            Row("disk to PUBACK", rates[0], "MB/s", beside=name, theirs=rates[1]),
            Row("CPU a record", _median(ours, "kiosk_us"), "us", beside=name, theirs=_median(theirs, "kiosk_us")),
        ]
    if not gateway:
        rows.append(Row(f"{GATEWAY} could not be installed and is left out", 0, ""))
    return rows


def _to_receipt(outage: Outage) -> list[Row]:
    with ExitStack() as stack:
        sqlite = lambda: f"sqlite:///{tempfile.mkdtemp(dir=outage.folder)}/centre.db"  # noqa: E731
        databases: dict[str, Callable[[], str]] = {"SQLite": sqlite}
        try:
            server = stack.enter_context(postgres())
            databases["PostgreSQL"] = lambda: stack.enter_context(new_database(server))
        except PostgresMissing:
            pass
        ways: dict[str, Callable[[], Drain]] = {FLOOR: outage.drain_to_floor}
        for number, (name, new) in product((1, COLLECTORS), databases.items()):
            ways[f"{number} on {name}"] = lambda n=number, new=new: outage.drain_to_collectors(n, new())
        found = _in_turns(ways)
    floor = found.pop(FLOOR)
    rows = []
    for name, drains in found.items():
        ratio = statistics.median(one.centre_us / bare.centre_us for one, bare in zip(drains, floor, strict=True))
        per_s = _median(drains, "bytes_per_s") * outage.backlog / outage.bytes
        rows += [
            Row(f"disk to receipt, collectors: {name}", per_s, "/s"),
            Row(f"CPU of the centre beside {FLOOR}, collectors: {name}", ratio, "x", bar=CENTRE_BAR),
            Row(
                f"CPU of the centre a crossing, collectors: {name}",
                _median(drains, "centre_us"),
                "us",
                beside=FLOOR,
                theirs=_median(floor, "centre_us"),
            ),
        ]
    return rows


def _in_turns(ways: dict[str, Callable[[], Drain]]) -> dict[str, list[Drain]]:
    found: dict[str, list[Drain]] = {name: [] for name in ways}
    for _ in range(LEAST_ROUNDS):
        for name, way in ways.items():
            found[name].append(way())
    return found


def _median(drains: list[Drain], figure: str) -> float:
    return statistics.median(getattr(one, figure) for one in drains)


def _drain_gateway(outage: Outage, python: Path) -> Drain:
    script = Path(__file__).with_name("peers") / "thingsboard.py"
    with tempfile.TemporaryDirectory(dir=outage.folder) as folder:
        return outage.publish_by([python, script, outage.port, outage.home, folder, outage.backlog])


def _gateway_python() -> Path | None:
    """Return an interpreter that has the ThingsBoard gateway, in an environment of its own, or None without network."""
    python = (GATEWAY_HOME / "bin" / "python").absolute()
    ready = GATEWAY_HOME / "ready"
    if not ready.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", GATEWAY_HOME], check=True, capture_output=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", GATEWAY], check=True, capture_output=True)
        except subprocess.CalledProcessError:
            return None
        ready.touch()
    return python


@contextmanager
def _talking(command: list[object]) -> Iterator[list[str]]:
    """Run a program from when it says that it is ready; give the list that holds its last words afterwards."""
    last_words: list[str] = []
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            if not program.stdout.readline():
                raise RuntimeError(f"{command[2]} did not start")
            yield last_words
        finally:
            program.terminate()
            last_words += program.stdout.read().splitlines()
