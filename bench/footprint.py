"""What the kiosk daemon takes when nothing happens: memory, the time from its start until a lane is ready, libraries.

    python -m bench footprint

The real process, connected over TLS to a real broker and collector, with a reader at a serial port (a pty) and a panel
of gpiozero's mock pins. Its bytecode is compiled beforehand, as in an installed kiosk; the first start, which makes the
store, does not count.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from bench.processes import cpu_s
from bench.row import LEAST_ROUNDS, Row
from hw.simulated.port import SimulatedPort
from provisioning.local_deployment import LocalDeployment

RUNS = LEAST_ROUNDS
SETTLE_S = 3.0
READY_WITHIN_S = 60.0
SITE, NAME = "bench-post", "kiosk-1"
BARE_LANE = '[[lanes]]\nname = "lane-1"\n'
FITTED_LANE = """\
[[lanes]]
name = "lane-1"
panel = {{ driver = "simulated" }}
readers = [{{ name = "passport", path = "{port}" }}]
"""
VENDORS = frozenset({"serial", "gpiozero", "lgpio", "picamera2", "zxingcpp", "PIL", "smartcard", "rich"})
CONFIGURED = frozenset({"serial", "gpiozero"})
_IMPORTED = re.compile(r"import time: +\d+ \| +\d+ \| +(\w+)")


class Start(NamedTuple):
    """One start: seconds and CPU seconds until the lane is ready, and MiB resident some seconds later."""

    ready_s: float
    cpu_s: float
    resident_mib: float


def run(quick: bool) -> list[Row]:
    """Measure a kiosk with its devices, and look at what a kiosk without any imports."""
    with tempfile.TemporaryDirectory() as folder, LocalDeployment(Path(folder)) as deployment:
        deployment.start_collectors()
        port = SimulatedPort(Path(folder) / "reader", baud=9600)
        port.plug()
        try:
            bare, fitted = (
                _add(deployment, NAME + suffix, lane)
                for suffix, lane in (("-bare", BARE_LANE), ("", FITTED_LANE.format(port=port.path)))
            )
            environment = _as_installed(Path(folder) / "bytecode")
            for config in (bare, fitted):
                _start(config, environment, settle_s=0)  # makes the store and the bytecode
            bare_mib = statistics.median(_start(bare, environment, settle_s=SETTLE_S).resident_mib for _ in range(RUNS))
            starts = [_start(fitted, environment, settle_s=SETTLE_S) for _ in range(RUNS)]
            imported = {config: _imported(config, environment) for config in (bare, fitted)}
        finally:
            port.unplug()
    ready_s, took_s, resident_mib = (statistics.median(column) for column in zip(*starts, strict=True))
    unwanted = (imported[bare] & VENDORS) | (imported[fitted] & VENDORS - CONFIGURED)
    libraries = ", ".join(sorted(imported[fitted], key=str.lower))
    return [
        Row("resident memory, idle and connected, no camera", resident_mib, "MiB", bar=45),
        Row("the same without reader and panel", bare_mib, "MiB"),
        Row("start to ready", ready_s, "s", bar=1),
        Row("CPU time of a start", took_s, "s"),
        Row(
            "libraries of devices that are not configured", len(unwanted), "", bar=0, beside=" ".join(sorted(unwanted))
        ),
        Row("libraries loaded", len(imported[fitted]), "", beside=libraries),
    ]


def _add(deployment: LocalDeployment, name: str, lane: str) -> Path:
    deployment.add_kiosk(SITE, name, lane=lane)
    return deployment.kiosk_folder(SITE, name) / "kiosk.toml"


def _as_installed(bytecode: Path) -> dict[str, str]:
    """Return an environment in which Python keeps its bytecode, whatever this one says."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(bytecode)}


@contextmanager
def _daemon(
    config: Path, environment: dict[str, str], *options: str
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run a kiosk until its lane is ready, give the process and its log so far, and end it in order."""
    command = [sys.executable, *options, "-m", "edge.cli", "run", "--config", str(config)]
    log = []
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as kiosk:
        try:
            for line in kiosk.stderr or ():
                log.append(line)
                if ">store ready" in line:
                    break
            else:
                raise RuntimeError(f"the kiosk did not start: {log[-1] if log else 'it said nothing'}")
            yield kiosk, log
        finally:
            kiosk.send_signal(signal.SIGTERM)
            log += kiosk.stderr or ()


def _start(config: Path, environment: dict[str, str], *, settle_s: float) -> Start:
    begin = time.perf_counter()
    with _daemon(config, environment) as (kiosk, _):
        ready_s = time.perf_counter() - begin
        took_s = cpu_s(kiosk.pid)
        time.sleep(settle_s)
        return Start(ready_s, took_s, resident_mib(kiosk.pid))


def _imported(config: Path, environment: dict[str, str]) -> set[str]:
    """Return the top-level modules outside the standard library and this project that a kiosk imports."""
    with _daemon(config, environment, "-X", "importtime") as (_, log):
        time.sleep(SETTLE_S)
    names = {found[1] for line in log if (found := _IMPORTED.match(line))}
    others = names - {"edge", "hw"} - sys.stdlib_module_names
    return {name for name in others if not name.startswith("_") and find_spec(name)}  # without those looked for in vain


def resident_mib(pid: int) -> float:
    """Return the memory that a process has resident now, in MiB (VmRSS of proc_pid_status(5))."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/{pid}/status has no VmRSS")
