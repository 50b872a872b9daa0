"""A border post in the virtual machine: the kiosk under its own unit, at the machine's own devices.

Owns the settings and what Raspberry Pi OS does beyond Debian (who may use the pins, what the board calls itself).
Always true: the daemon, its unit, its udev rules and its users are those of the source tree, unchanged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from hw.settings import PanelSettings
from tests.hil.machine import Machine, MachineError

CARD = "/mnt/card"
CENTRE = f"{CARD}/centre"
READER = "/dev/serial/by-id/usb-Specimen_Document_reader_0001-if00"
KEYBOARD = "05e0:1200"
PINS = PanelSettings()
LAMPS = {name: int(getattr(PINS, name).removeprefix("GPIO")) for name in ("green", "amber", "red")}
CONTACTS = {name: int(getattr(PINS, name).removeprefix("GPIO")) for name in ("accept", "refer", "tamper")}
LANE = f"""\
[[lanes]]
name = "lane-1"
policy = {{ specimens = "accept", show_s = 0.3, collect_s = 2, refer_s = 20 }}
panel = {{ driver = "gpiozero" }}
readers = [
    {{ name = "passport", driver = "serial", path = "{READER}" }},
    {{ name = "barcode", driver = "hid", kind = "barcode", path = "{KEYBOARD}" }},
]
"""
SETTINGS = """\
[kiosk]
site = "dm-roseau"
name = "ferry-01"

[store]
path = "/var/lib/landfall/cache.db"
keep_receipted_h = 24
photos_stop_below_mb = 20
reserve_mb = 16

[keys]
record = "$CREDENTIALS_DIRECTORY/record.key.json"
opening = "$CREDENTIALS_DIRECTORY/opening.pub.json"
receipt = ["$CREDENTIALS_DIRECTORY/receipt.pub.json"]

[uplink]
host = "localhost"
port = {port}
ca = "$CREDENTIALS_DIRECTORY/ca.crt"
certificate = "$CREDENTIALS_DIRECTORY/client.crt"
key = "$CREDENTIALS_DIRECTORY/client.key"
retry_least_s = 0.5
retry_most_s = 5

[control]
socket = "/run/landfall/control.sock"

"""
# What gpiozero knows a Raspberry Pi 4 by; and who may use its pins on Raspberry Pi OS.
BOARD = "Hardware\t: BCM2835\nRevision\t: c03111\nSerial\t\t: 0000000000000000\nModel\t\t: Raspberry Pi 4 Model B\n"
# The keyboard of uinput hangs on no USB socket, by which Landfall's own rules know a reader.
RULES = """\
SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="gpio", MODE="0660"
SUBSYSTEM=="input", KERNEL=="event*", ATTRS{id/vendor}=="05e0", GROUP="landfall", MODE="0660"
"""
DROP_IN = "[Service]\nBindReadOnlyPaths=/run/board:/proc/cpuinfo\n"
PREPARE = f"""
set -e
mkdir -p {CARD}
mount /dev/ubdb {CARD}
mkdir -p {CARD}/kiosk {CARD}/settings /etc/landfall /var/lib/landfall
mount --bind {CARD}/settings /etc/landfall
cp /srv/landfall/systemd/udev/*.rules /etc/udev/rules.d/
cp /srv/landfall/systemd/landfall-kiosk.service /srv/landfall/systemd/*.slice /etc/systemd/system/
systemd-sysusers /srv/landfall/systemd/sysusers.d/*.conf
mount --bind {CARD}/kiosk /var/lib/landfall
ip link set lo up
systemctl daemon-reload
udevadm control --reload
udevadm trigger --subsystem-match=gpio --settle
"""


class Post:
    """One boot of the post."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        machine.write("/run/board", BOARD)
        machine.write("/etc/hosts", "127.0.0.1 localhost\n")
        machine.write("/etc/udev/rules.d/70-machine.rules", RULES)
        machine.write("/etc/systemd/system/landfall-kiosk.service.d/machine.conf", DROP_IN)
        machine.run("/bin/sh", "-c", PREPARE)

    def start_centre(self) -> None:
        """Start broker and collector, and give the kiosk its keys and settings."""
        command = ("/opt/landfall/bin/python", "-B", "-m", "tests.hil.guest.centre", CENTRE)
        environment = "--setenv=PYTHONPATH=/srv/landfall:/opt/tests"
        self.machine.run("systemd-run", "--unit=centre", environment, *command)
        wait_until(lambda: "yes" in self.shell(f"test -e {CENTRE}/ready && echo yes || true"), 90, "the centre listens")
        port = int(self.shell(f"cat {CENTRE}/port"))
        self.machine.write("/etc/landfall/kiosk.toml", SETTINGS.format(port=port) + LANE)
        self.shell("sync")  # what is cut later is the kiosk, not its installation

    def start_kiosk(self) -> None:
        """Start the unit and wait until the lane is ready for the first traveller."""
        self.machine.run("systemctl", "start", "landfall-kiosk", timeout_s=120)
        wait_until(self.is_lane_ready, 60, "the lane gets ready")
        # The simulated chip takes the kiosk's pull-up for the contact itself, so the case is closed only now.
        self.machine.ask("pull", line=CONTACTS["tamper"], up=False)

    def shell(self, script: str) -> str:
        """Run a line of shell and return what it printed."""
        return self.machine.run("/bin/sh", "-c", script)

    def status(self) -> dict[str, Any]:
        """Return what the kiosk says of itself; nothing while it does not answer."""
        return dict(self.machine.ask("status"))

    def device(self, name: str) -> str:
        """Return the state of a device."""
        return str(self.status().get("devices", {}).get(name, {}).get("state", ""))

    def is_lane_ready(self) -> bool:
        """Tell whether the next traveller may come."""
        return self.device("lane-1") == "lane ready"

    def landfall(self, *words: str) -> str:
        """Run `landfall` and return what it printed."""
        credentials = "CREDENTIALS_DIRECTORY=/etc/landfall/keys"
        return self.machine.run("env", credentials, "/opt/landfall/bin/landfall", *words, timeout_s=180)

    def passes(self, mrz: bytes) -> None:
        """Let somebody with this document pass: scanned, green, and ready again."""
        self.machine.scan_and_see(mrz, LAMPS["green"])
        wait_until(self.is_lane_ready, 20, "the lane is ready again")

    def captured(self) -> int:
        """Return how many crossings the kiosk's own count has."""
        return int(json.loads(self.landfall("queue", "stats", "--json"))["captured"])


def wait_until(is_so: Callable[[], bool], within_s: float, what: str) -> float:
    """Poll until something is so and return how long it took, in seconds; raise `MachineError` naming it."""
    begin = time.monotonic()
    while not is_so():
        if time.monotonic() - begin > within_s:
            raise MachineError(f"{what}: not within {within_s:.0f} s")
        time.sleep(0.02)
    return time.monotonic() - begin
