"""What lies on the boot partition, run by a shell in a folder that stands for the root.

By systemd and cloud-init themselves: `tests/packaging/test_first_boot.py`.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from provisioning.first_boot import cloud_init, first_run

KIOSK, PIN, BUNDLE = "dm-roseau/ferry-01", "AAAA-BBBB-CCCC-DDDD-EEEE", bytes(range(256)) * 20
NAME = "dm-roseau_ferry-01.landfall"
LINE = "console=tty1 root=PARTUUID=7351b90c-02 rootwait"
RUN = "systemd.run=/boot/firmware/firstrun.sh systemd.run_success_action=reboot"
ABSOLUTE = (
    "/boot/firmware",
    "/var/lib/landfall-provision",
    "/var/lib/cloud",
    "/run/cloud-init",
    "/proc/cmdline",
    "/etc/",
)


class Card:
    """A card whose root is a folder; what would change this machine is only noted in `called`."""

    def __init__(self, root: Path) -> None:
        self.root, self.boot = root, root / "boot/firmware"
        self.laid = root / "var/lib/landfall-provision"
        self._called, self._bin = root / "called", root / "bin"
        for folder in (self.boot, self._bin, self.laid.parent, root / "etc/systemd/system", root / "proc"):
            folder.mkdir(parents=True)
        (root / "proc/cmdline").write_text(LINE)
        (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 raspberrypi\n")
        for command in ("systemctl", "hostname", "dpkg", "apt-get", "sync", "sleep"):
            self.answer(command, "exit 0")

    def answer(self, command: str, line: str) -> None:
        """Let a command do this, and note how it was called."""
        (self._bin / command).write_text(f'#!/bin/sh\necho "{command} $*" >> {self._called}\n{line}\n')
        (self._bin / command).chmod(0o755)

    def run(self, script: bytes | str) -> subprocess.CompletedProcess[str]:
        """Run a script, every absolute path in it below the root."""
        text = script if isinstance(script, str) else script.decode()
        for path in ABSOLUTE:
            text = text.replace(path, f"{self.root}{path}")
        environment = {"PATH": f"{self._bin}:{os.environ['PATH']}"}
        return subprocess.run(["sh", "-s"], input=text, env=environment, capture_output=True, text=True, timeout=60)

    @property
    def called(self) -> list[str]:
        """Return how the commands were called."""
        return self._called.read_text().splitlines() if self._called.exists() else []


@pytest.fixture
def card(tmp_path: Path) -> Card:
    """A fresh card."""
    return Card(tmp_path / "root")


@pytest.fixture
def laid(card: Card) -> Card:
    """A card on which the bundle was laid at the first start."""
    (card.boot / "cmdline.txt").write_text(f"{LINE} {RUN}\n")
    (card.boot / "firstrun.sh").write_bytes(script := first_run(KIOSK, PIN, BUNDLE)["firstrun.sh"])
    said = card.run(script)
    assert said.returncode == 0, said.stderr
    return card


def first_boot(card: Card) -> subprocess.CompletedProcess[str]:
    """Run what the unit runs."""
    return card.run((card.laid / "first-boot").read_text().replace(str(card.root), ""))


def test_cloud_init_lays_what_the_script_lays_at_every_start_and_starts_it(laid):
    files = cloud_init(KIOSK, PIN, BUNDLE)
    comment, _, text = files["user-data"].decode().partition("\n")
    assert comment == "#cloud-config"
    told = json.loads(text)
    assert told["hostname"] == "dm-roseau-ferry-01"
    before = {path.name: path.read_bytes() for path in laid.laid.iterdir()}
    (command,) = told["bootcmd"]
    assert laid.run(command).returncode == 0
    assert {path.name: path.read_bytes() for path in laid.laid.iterdir()} == before
    assert laid.called[-1] == "systemctl start --no-block landfall-first-boot.service"
    assert "instance-id: landfall-dm-roseau-ferry-01\n" in files["meta-data"].decode()


def test_the_bundle_is_laid_whole_where_root_alone_can_look(laid):
    assert (laid.laid / NAME).read_bytes() == BUNDLE
    assert stat.S_IMODE(laid.laid.stat().st_mode) == 0o700
    assert base64.b64encode(BUNDLE).decode()[76:152] not in (laid.laid / "first-boot").read_text()
    assert f"--pin {PIN} " in (laid.laid / "first-boot").read_text()
    assert "systemctl enable landfall-first-boot.service" in laid.called


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(f"{LINE} {RUN}", id="at the end"),
        pytest.param(f"{RUN} {LINE}", id="at the beginning"),
        pytest.param(f"{LINE} {RUN} systemd.unit=kernel-command-line.target", id="as Raspberry Pi Imager writes it"),
    ],
)
def test_the_command_line_is_again_as_it_was(card, before):
    (card.boot / "cmdline.txt").write_text(f"{before}\n")
    assert card.run(first_run(KIOSK, PIN, BUNDLE)["firstrun.sh"]).returncode == 0
    assert (card.boot / "cmdline.txt").read_text().strip() == LINE
    assert [path.name for path in card.boot.iterdir()] == ["cmdline.txt"]


def test_a_boot_partition_that_cannot_be_changed_does_not_start_the_machine_again_and_again(card):
    assert card.run(first_run(KIOSK, PIN, BUNDLE)["firstrun.sh"]).returncode != 0  # there is no cmdline.txt


def test_nothing_is_left_once_the_kiosk_is_set_up(laid):
    for name in ("user-data", "vendor-data"):
        (laid.boot / name).write_bytes(cloud_init(KIOSK, PIN, BUNDLE)["user-data"])
    (laid.boot / NAME).write_bytes(BUNDLE)
    (laid.root / "etc/cloud").mkdir()
    laid.answer("cloud-init", "exit 2")
    (laid.root / "var/lib/cloud/instances/landfall").mkdir(parents=True)
    laid.answer("landfall-provision", "exit 0")
    said = first_boot(laid)
    assert said.returncode == 0, said.stderr
    assert sorted(path.name for path in laid.boot.iterdir()) == ["cmdline.txt", "user-data"]
    left = (laid.boot / "user-data").read_text()
    assert json.loads(left.removeprefix("#cloud-config\n")) == {"hostname": "dm-roseau-ferry-01"}
    assert not laid.laid.exists()
    assert "cloud-init status --wait" in laid.called
    assert not (laid.root / "var/lib/cloud/instances").exists()
    assert (laid.root / "etc/cloud/cloud-init.disabled").exists()
    assert (laid.root / "etc/hosts").read_text() == "127.0.0.1 localhost\n127.0.1.1 dm-roseau-ferry-01\n"
    assert "systemctl disable landfall-first-boot.service" in laid.called


def test_what_somebody_else_put_onto_the_boot_partition_stays(laid):
    (laid.boot / "user-data").write_text("#cloud-config\nhostname: raspberrypi\n")
    laid.answer("landfall-provision", "exit 0")
    assert first_boot(laid).returncode == 0
    assert (laid.boot / "user-data").read_text() == "#cloud-config\nhostname: raspberrypi\n"


def test_a_centre_that_does_not_answer_is_asked_a_few_times_and_then_left_to_the_timer(laid):
    laid.answer("landfall-provision", "exit 1")
    assert first_boot(laid).returncode == 0
    assert len([line for line in laid.called if line.startswith("landfall-provision install --yes")]) == 4
    assert not laid.laid.exists()


def test_a_bundle_that_is_refused_is_tried_again_at_the_next_start(laid):
    laid.answer("landfall-provision", "exit 2")
    assert first_boot(laid).returncode != 0
    assert (laid.laid / NAME).read_bytes() == BUNDLE
    assert "systemctl disable landfall-first-boot.service" not in laid.called
    assert not (laid.boot / "firstrun.sh").exists(), "what everybody can read is gone all the same"
    laid.answer("landfall-provision", "exit 0")
    assert first_boot(laid).returncode == 0


def test_only_the_package_for_this_machine_is_installed_and_before_what_it_is_needed_for(laid):
    laid.answer("dpkg", "[ $1 != --print-architecture ] || echo arm64")
    laid.answer("landfall-provision", "exit 0")
    for name in (
        "landfall-kiosk_0.1.0_amd64.deb",
        "landfall-kiosk_0.1.0_arm64.deb",
        "landfall-central_0.1.0_arm64.deb",
    ):
        (laid.boot / name).touch()
    assert first_boot(laid).returncode == 0
    installed = [line for line in laid.called if line.startswith("apt-get install")]
    assert len(installed) == 1
    assert installed[0].endswith("/boot/firmware/landfall-kiosk_0.1.0_arm64.deb")
    assert laid.called.index(installed[0]) < next(i for i, line in enumerate(laid.called) if "provision" in line)


def test_wifi_gets_the_country_that_the_command_line_has(laid):
    laid.answer("raspi-config", "exit 0")
    laid.answer("landfall-provision", "exit 0")
    (laid.root / "proc/cmdline").write_text(f"{LINE} cfg80211.ieee80211_regdom=DM ds=nocloud;i=rpi-imager-1\n")
    assert first_boot(laid).returncode == 0
    assert "raspi-config nonint do_wifi_country DM" in laid.called


@pytest.mark.parametrize("length", [20, 63, 64])
def test_a_name_that_is_too_long_for_a_host_is_cut(length):
    site = "s" * (length - 8)
    told = json.loads(cloud_init(f"{site}/ferry01", PIN, BUNDLE)["user-data"].decode().partition("\n")[2])
    assert len(told["hostname"]) == min(length, 63)
