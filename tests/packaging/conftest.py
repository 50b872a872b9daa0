"""A real Debian system with systemd as process 1, into which the packages that `make deb` built are installed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from provisioning.authority import Authority, make_centre_keys, make_kiosk_keys
from tests.harness.systemd_machine import SystemdMachine, is_possible
from tests.packaging.debian_root import built, root_of
from tests.systemd.test_kiosk_under_systemd import CONFIG

DIST = Path(__file__).parents[2] / "dist"
WITHIN_S = 180.0
NEEDED = ("record.key.json", "client.key", "client.crt", "ca.crt", "opening.pub.json", "receipt.pub.json")
SCENARIO = "count = 100000\ninterval_s = 0.3\nboarding_pass_every = 0\n"


class DebianMachine:
    """One machine of a Debian release; `provision` gives it the settings and keys of a kiosk in a file tree to copy."""

    def __init__(self, machine: SystemdMachine) -> None:
        self._machine = machine

    def run(self, command: str, ok: bool | None = True) -> str:
        """Run a line of shell as root and return what it printed; fail when it ended otherwise than `ok` says."""
        done = self._machine.run("sh", "-c", command)
        assert ok is None or (done.returncode == 0) is ok, f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def wait_until(self, command: str) -> str:
        """Run a line of shell until it succeeds, and return what it printed."""
        until_s = time.monotonic() + WITHIN_S
        while time.monotonic() < until_s:
            done = self._machine.run("sh", "-c", command)
            if done.returncode == 0:
                return done.stdout
            time.sleep(0.2)
        raise TimeoutError(f"{command}: {done.stdout}\n{self.run('journalctl -n 40 --no-pager', ok=None)}")

    def put(self, file: Path, path: str) -> None:
        """Copy a file of this machine there."""
        done = self._machine.run("sh", "-c", f"cat > {path}", input=file.read_bytes())
        assert done.returncode == 0

    def backlog(self) -> dict[str, int]:
        """Return how many records of each stream await their receipt."""
        stats = json.loads(self.run("landfall queue stats --json"))
        return {name: stream["unreceipted"] for name, stream in stats["streams"].items()}


@pytest.fixture(params=["bookworm", "trixie"])
def debian(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DebianMachine]:
    """Return a running machine; the packages lie in /packages, the settings of a kiosk in /provisioned."""
    keys = tmp_path / "keys"
    make_centre_keys(keys)
    make_kiosk_keys(keys)
    Authority.create(tmp_path / "authority").issue_kiosk(keys, "dm-roseau", "ferry-01")
    files = {
        "/provisioned/kiosk.toml": CONFIG.replace("show_s = 0.05", "show_s = 2"),  # so that a look finds the lamp green
        "/provisioned/scenario.toml": SCENARIO,
        **{f"/provisioned/keys/{name}": (keys / name).read_text() for name in NEEDED},
    }
    with running(tmp_path, files, request.param) as started:
        yield started


@pytest.fixture(params=["bookworm", "trixie"])
def with_postgresql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DebianMachine]:
    """Return a running machine on which Debian's PostgreSQL is at work; the packages lie in /packages."""
    with running(tmp_path, {}, request.param, "postgresql", "sudo") as started:
        started.run("systemctl enable --now postgresql")
        yield started


@contextmanager
def running(folder: Path, files: Mapping[str, str], suite: str, *more: str) -> Iterator[DebianMachine]:
    """Switch a machine of a Debian release on, with `more` packages of Debian's."""
    if not is_possible():
        pytest.skip("needs root, systemd and unshare")
    packages = folder / "packages"
    packages.mkdir()
    for name in ("landfall-kiosk", "landfall-central"):
        (packages / f"{name}.deb").symlink_to(built(name, DIST))
    root, trees = root_of(suite, "", *more), {"/packages": packages}
    with SystemdMachine(folder, "multi-user.target", files, root=root, trees=trees) as machine:
        started = DebianMachine(machine)
        started.wait_until("systemctl is-active multi-user.target")
        yield started
