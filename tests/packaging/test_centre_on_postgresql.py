"""A centre on Debian's own PostgreSQL, set up, restored and upgraded by typing what `docs/operations.md` says.

A kiosk whose reader, panel and travellers are simulated runs on the same machine, from a bundle, and its count is
compared with what the centre holds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.conftest import DIST, DebianMachine
from tests.packaging.debian_root import built, given_version
from tests.packaging.page import typed

pytestmark = [pytest.mark.debian, pytest.mark.timeout(1800)]

DAEMONS = tuple(f"landfall-{name}" for name in ("broker", "collector", "enrolment", "watch", "console"))
CARD = "/srv/card"
POST = """\
[store]
path = "cache.db"
keep_receipted_h = 24

[control]
socket = "control.sock"

[[lanes]]
name = "lane-1"
scenario = "scenario.toml"
policy = { specimens = "accept", show_s = 0.02 }
panel = { driver = "simulated" }
readers = [{ name = "passport", driver = "simulated", baud = 115200 }]
"""
LANDFALL = "/opt/landfall/bin/python -I -m edge.cli"  # the centre's package has no command of a kiosk's
AT_WORK = f"""systemctl stop kiosk 2>/dev/null; systemd-run --quiet --collect --unit kiosk \\
    --setenv CREDENTIALS_DIRECTORY={CARD}/etc/landfall/keys {LANDFALL} run --config {CARD}/etc/landfall/kiosk.toml"""
BACKUP = "/backup/landfall-$(date +%F)"


@dataclass(slots=True)
class Kiosk:
    """The kiosk on the centre's machine; `came` counts its travellers."""

    debian: DebianMachine
    came: int = 0

    def set_up(self) -> None:
        """Have a bundle written, and install it on a card."""
        self.debian.run(f"mkdir -p {CARD} /media/stick && cat > post.toml << 'END'\n{POST}\nEND")
        words = "--site dm-roseau --kiosk ferry-01 --settings post.toml --out /media/stick"
        shown = self.debian.run(f"sudo landfall-provision kiosk new {words}")
        pin = shown.partition("   pin ")[2].split()[0]
        install = f"landfall-provision install --yes --root {CARD} --pin {pin} /media/stick/*.landfall"
        assert "is enrolled" in self.debian.run(install)

    def let_come(self, travellers: int) -> None:
        """Start the kiosk with so many more people before it, and wait until each has a record."""
        text = f"first = {self.came + 1}\ncount = {travellers}\ninterval_s = 0.02\nboarding_pass_every = 0\n"
        self.debian.run(f"cat > {CARD}/etc/landfall/scenario.toml << 'END'\n{text}END\n{AT_WORK}")
        self.came += travellers
        self.debian.wait_until(f"{self._stats} | grep -q '\"captured\":{self.came},'")

    def waiting(self) -> int:
        """Return how many records await their receipt."""
        streams = json.loads(self.debian.run(self._stats))["streams"]
        return sum(stream["unreceipted"] for stream in streams.values())

    def all_received(self) -> None:
        """Wait until every record has its receipt, and compare both counts."""
        self.debian.wait_until(f"""{self._stats} | grep -qv '"unreceipted":[1-9]'""")
        counted = f"{self._stats} | sudo landfall-central reconcile --kiosk-count - --json"
        found = json.loads(self.debian.run(counted))
        assert (found["captured"], found["stored"]) == (self.came, self.came), found
        bad = {name: found[name] for name in ("lost", "duplicated", "surplus", "chain_breaks", "unheld")}
        assert bad == dict.fromkeys(bad, 0)

    @property
    def _stats(self) -> str:
        return f"{LANDFALL} queue stats --json --config {CARD}/etc/landfall/kiosk.toml"


def set_up_centre(debian: DebianMachine) -> None:
    commands, settings = typed("Install and upgrade the centre")
    settings += typed("Keys and certificates")[1]
    debian.run("echo 127.0.0.1 localhost $(hostname) broker.example.org centre.example.org > /etc/hosts")
    debian.run("echo correct horse battery staple > passphrase")
    debian.run("dpkg -i /packages/landfall-central.deb")  # there is no network for apt
    debian.run(f"cat > /etc/landfall/central.toml << 'END'\n{settings}\nEND")
    for command in commands:
        if command.endswith((" landfall-collector", " landfall")) and command.startswith("sudo -u postgres create"):
            told = debian.run("sudo landfall-central status", ok=False)  # by somebody who forgot this line
            assert f"make it: {command}\n" in told
        if not command.startswith("sudo apt"):
            debian.run(command.replace("ca init", "ca init --passphrase-file passphrase"))
    assert "run it as root, with sudo" in debian.run("sudo -u nobody landfall-central status", ok=False)
    debian.wait_until(f"systemctl is-active {' '.join(DAEMONS)} landfall-crl.timer")


def test_a_centre_on_postgresql_loses_nothing_through_restarts_a_restore_and_an_upgrade(
    with_postgresql: DebianMachine, tmp_path: Path
) -> None:
    debian, kiosk = with_postgresql, Kiosk(with_postgresql)
    set_up_centre(debian)
    kiosk.set_up()
    kiosk.let_come(5)
    debian.run("systemctl restart landfall-collector")
    kiosk.all_received()
    assert "dm-roseau/ferry-01" in debian.run("sudo landfall-central fleet dm-roseau/ferry-01", ok=None)

    debian.run("systemctl stop postgresql")  # underneath the collector, which must not acknowledge what nobody stores
    kiosk.let_come(5)
    assert kiosk.waiting() >= 5
    assert "systemctl status postgresql" in debian.run("sudo landfall-central status", ok=False)
    debian.run("systemctl start postgresql")
    kiosk.all_received()
    assert debian.run("systemctl show -P NRestarts landfall-collector").strip() == "0"

    make_folder, backup, stop, create, *_, restore, start = typed("Backup and restore")[0]
    debian.run(f"{make_folder} && {backup}")
    kiosk.let_come(5)
    kiosk.all_received()
    debian.run(f"{stop} && {create}")
    debian.run("sed -i s,/landfall?,/landfall_2?, /etc/landfall/central.toml")
    debian.run(restore.replace("/backup/landfall-2026-03-01", BACKUP))
    for grants in typed("Install and upgrade the centre")[0]:
        if grants.startswith("landfall-central database grants"):
            debian.run(f"{grants}_2")
    debian.run(start)
    kiosk.let_come(5)
    kiosk.all_received()

    newer = given_version(built("landfall-central", DIST), "9.0", tmp_path / "newer")
    debian.put(newer, "/packages/newer.deb")
    debian.run("dpkg -i /packages/newer.deb")
    debian.wait_until(f"systemctl is-active {' '.join(DAEMONS)} landfall-crl.timer")
    kiosk.let_come(5)
    kiosk.all_received()
