"""A whole deployment on one machine: authority, broker, centre and kiosks, each a real process.

Owns the folder in which all of it lives, and starts, kills and restarts its processes, for the demo and for the
journeys. Always true: what runs is what a kiosk and a centre run, from the same settings files; leaving the context
ends every process that was started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from types import TracebackType

from central.broker import BrokerLimits
from edge.errors import LandfallError, ProvisioningError
from edge.identity.key_files import write_public
from provisioning.authority import Authority, make_centre_keys, make_kiosk_keys
from provisioning.local_broker import LocalBroker

READY_WITHIN_S = 120.0
_RTC = Path("/sys/class/rtc/rtc0")
ENDS_WITHIN_S = 60.0


class Process:
    """One process of the deployment with its log in a file; it may be killed, frozen and started again."""

    def __init__(self, name: str, arguments: list[str], log: Path, environment: Mapping[str, str] = {}) -> None:
        self.name = name
        self.log = log
        self._arguments = arguments
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Return the process id; raise `ProvisioningError` when it was never started."""
        if self._process is None:
            raise ProvisioningError(f"{self.name} was not started")
        return self._process.pid

    def start(self, *, ready: str = "") -> None:
        """Start it, and wait until its log says `ready`; raise `ProvisioningError` with its last words if it ends."""
        if self.is_running:
            return
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self._environment},
            )
        if ready:
            self.wait_for(ready)

    def wait_for(self, words: str, within_s: float = READY_WITHIN_S) -> None:
        """Wait until the log of this run holds `words`."""
        until_s = time.monotonic() + within_s
        while words not in self.log_text():
            if not self.is_running or time.monotonic() > until_s:
                tail = " | ".join(self.log_text().splitlines()[-3:])
                raise ProvisioningError(f"{self.name} did not say {words!r}: {tail}")
            time.sleep(0.02)

    def log_text(self) -> str:
        """Return what this run has logged."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to a living process."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would: no goodbye."""
        self.send(signal.SIGKILL)
        self.wait()

    def stop(self) -> int | None:
        """End it politely, by force if it does not listen, and return its exit status."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        return self.wait()

    def wait(self, within_s: float = ENDS_WITHIN_S) -> int | None:
        """Wait for its end and return the exit status, negative after a signal."""
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


class LocalDeployment:
    """Everything below one folder; a context manager that ends what it started.

    `database` is the centre's URL; by default a SQLite file in the folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database: str = "sqlite:///centre.db",
        limits: BrokerLimits | None = None,
        collectors: int = 1,
        keeps_sessions: bool = True,
        binds_client_ids: bool = True,
    ) -> None:
        self.folder = folder
        self.authority = Authority.create(folder / "authority")
        self.centre = folder / "centre"
        make_centre_keys(self.centre)
        self.revocation_list = folder / "revoked.pem"
        write_public(self.revocation_list, self.authority.issuer.revocation_list((), 1))
        names = [f"collector-{number + 1}" for number in range(collectors)]
        self.broker = LocalBroker(
            folder / "broker",
            self.authority,
            centre=[*names, "enrolment"],
            limits=limits,
            keeps_sessions=keeps_sessions,
            binds_client_ids=binds_client_ids,
            revoked=self.revocation_list,
        )
        self.kiosks: dict[str, Process] = {}
        self.collectors: list[Process] = []
        self._database = database
        self._collector_names = names
        self._share_group = token_hex(16) if collectors > 1 else ""
        self._stack = ExitStack()

    def __enter__(self) -> LocalDeployment:
        with ExitStack() as stack:
            stack.enter_context(self.broker)
            for name in self._collector_names:
                self._add_collector(name)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (*self.kiosks.values(), *self.collectors):
            process.stop()
        self._stack.close()

    @property
    def central_config(self) -> Path:
        """Return the settings file of the first collector; every collector has the same database."""
        return self.centre / f"{self._collector_names[0]}.toml"

    def start_collectors(self) -> None:
        """Start every collector and wait until it listens."""
        for collector in self.collectors:
            collector.start(ready="collector ready")

    def add_kiosk(
        self,
        site: str,
        name: str,
        *,
        lane: str,
        port: int | None = None,
        uplink: str = "",
        environment: Mapping[str, str] = {},
    ) -> Process:
        """Make keys, certificate and settings of a kiosk, register its key at the centre, and return its process.

        `lane` is the TOML of its `[[lanes]]`, `uplink` more lines for `[uplink]`; `port` is another way to the broker.
        """
        folder = self.kiosk_folder(site, name)
        make_kiosk_keys(folder)
        self.authority.issue_kiosk(folder, site, name)
        (folder / "kiosk.toml").write_text(self._kiosk_toml(site, name, lane, port or self.broker.port, uplink))
        key = str(folder / "record.pub.json")
        self.central("kiosk", "add", "--site", site, "--kiosk", name, "--key", key)
        return self.process_of(f"{site}/{name}", folder, environment)

    def process_of(self, kiosk: str, folder: Path, environment: Mapping[str, str] = {}) -> Process:
        """Return a process that runs the kiosk whose settings lie in `folder`."""
        arguments = [sys.executable, "-m", "edge.cli", "run", "--config", str(folder / "kiosk.toml")]
        process = Process(kiosk, arguments, folder / "kiosk.log", environment)
        self.kiosks[kiosk if kiosk not in self.kiosks else f"{kiosk} {folder.name}"] = process
        return process

    def process(self, module: str, words: list[str], name: str) -> Process:
        """Return a process of the centre that runs a command line of the project; it ends with the deployment."""
        process = Process(name, [sys.executable, "-m", module, *words], self.centre / f"{name}.log")
        self.collectors.append(process)
        return process

    def kiosk_folder(self, site: str, name: str) -> Path:
        """Return the folder of a kiosk: keys, certificate, `kiosk.toml`, `cache.db`, `kiosk.log`."""
        return self.folder / "kiosks" / site / name

    def central(self, *arguments: str) -> str:
        """Run `landfall-central` to its end and return what it printed; raise `ProvisioningError` if it failed."""
        return self.run("central.cli", arguments[0], *_with_config(arguments[1:], self.central_config))

    def run(self, module: str, *arguments: str, ok: tuple[int, ...] = (0,)) -> str:
        """Run a command line of the project to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments], capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode not in ok:
            raise ProvisioningError(f"{module} {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
        return done.stdout

    def _add_collector(self, name: str) -> None:
        folder = self.centre / name
        self.authority.issue_collector(folder, name)
        config = self.centre / f"{name}.toml"
        config.write_text(self._central_toml(folder))
        arguments = [sys.executable, "-m", "central.cli", "run", "--config", str(config)]
        self.collectors.append(Process(name, arguments, self.centre / f"{name}.log"))

    def _central_toml(self, folder: Path) -> str:
        return f"""\
[database]
url = "{self._database}"

[broker]
host = "localhost"
port = {self.broker.port}
ca = "{folder}/ca.crt"
certificate = "{folder}/client.crt"
key = "{folder}/client.key"
share_group = "{self._share_group}"

[keys]
receipt_key = "{self.centre}/receipt.key.json"
opening_keys = ["{self.centre}/opening.key.json"]

[collector]
gap_patience_s = 1.0
"""

    def _kiosk_toml(self, site: str, name: str, lane: str, port: int, uplink: str) -> str:
        return f"""\
[kiosk]
site = "{site}"
name = "{name}"

[store]
keep_receipted_h = 24

[keys]
record = "record.key.json"
opening = "{self.centre}/opening.pub.json"
receipt = ["{self.centre}/receipt.pub.json"]

[uplink]
host = "localhost"
port = {port}
ca = "ca.crt"
certificate = "client.crt"
key = "client.key"
retry_least_s = 0.1
retry_most_s = 2.0
receipt_timeout_s = 2.0
health_s = 1.0
{uplink}

[clock]
rtc = {str(_RTC.exists()).lower()}

{lane}
"""


def _with_config(arguments: tuple[str, ...], config: Path) -> list[str]:
    """Put `--config` behind the words of a verb."""
    words = [word for word in arguments[:1] if not word.startswith("-")]
    return [*words, "--config", str(config), *arguments[len(words) :]]


def wait_until(is_so: Callable[[], bool], within_s: float, what: str) -> None:
    """Poll until `is_so`; raise `LandfallError` naming `what` when it does not come true in time."""
    until_s = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > until_s:
            raise LandfallError(f"{what}: not within {within_s:.0f} s")
        time.sleep(0.05)
