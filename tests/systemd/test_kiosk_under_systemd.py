"""The kiosk itself, unmodified, under its unit on a real systemd: confined as on a kiosk, it passes travellers."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from provisioning.authority import Authority, make_centre_keys, make_kiosk_keys
from tests.harness.systemd_machine import SystemdMachine, is_possible

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "systemd"
CONFIG = """\
[kiosk]
site = "dm-roseau"
name = "ferry-01"

[[lanes]]
name = "lane-1"
scenario = "/etc/landfall/scenario.toml"
policy = { specimens = "accept", show_s = 0.05, photo = "wanted" }
panel = { driver = "simulated" }
camera = { driver = "simulated", python = "/usr/bin/python3" }
readers = [{ name = "passport", driver = "simulated", baud = 115200 }]

[store]
path = "/var/lib/landfall/cache.db"
keep_receipted_h = 24

[keys]
record = "$CREDENTIALS_DIRECTORY/record.key.json"
opening = "$CREDENTIALS_DIRECTORY/opening.pub.json"
receipt = ["$CREDENTIALS_DIRECTORY/receipt.pub.json"]

[uplink]
host = "localhost"
ca = "$CREDENTIALS_DIRECTORY/ca.crt"
certificate = "$CREDENTIALS_DIRECTORY/client.crt"
key = "$CREDENTIALS_DIRECTORY/client.key"

[clock]
rtc = true

[control]
socket = "/run/landfall/control.sock"
"""
# The libraries that a kiosk has, where ProtectHome and PrivateTmp do not hide them.
LIBRARIES = (
    "_cffi_backend", "base45", "cbor2", "cffi", "colorzero", "cryptography", "ecdsa", "gpiozero", "joserfc",
    "markdown_it", "mdurl", "msgspec", "paho", "pkg_resources", "pygments", "rfc8785", "rich", "serial", "setuptools",
    "six", "tinydb", "typing_extensions", "uuid6",
)  # fmt: skip
LANDFALL = """#!/usr/bin/python3
import sys
sys.path.insert(0, "/opt/landfall/lib")
from edge.cli import main
sys.exit(main())
"""
# Tells what the kiosk says of itself once somebody has crossed.
LOOK = """#!/bin/sh
for i in $(seq 600); do
    /opt/landfall/bin/landfall status --json > /run/seen.new 2>/run/seen.error
    if grep -q '"signal":"passed"' /run/seen.new; then mv /run/seen.new /run/seen.json; exit 0; fi
done
"""


@pytest.mark.parametrize("data", ["", "/var/lib/landfall"], ids=["writable root", "read-only root"])
def test_the_kiosk_passes_travellers_confined_by_its_unit(tmp_path: Path, data: str) -> None:
    if not is_possible():
        pytest.skip("needs root, systemd and unshare")
    keys = tmp_path / "keys"
    make_centre_keys(keys)
    make_kiosk_keys(keys)
    Authority.create(tmp_path / "authority").issue_kiosk(keys, "dm-roseau", "ferry-01")
    wanted = ("record.key.json", "client.key", "client.crt", "ca.crt", "opening.pub.json", "receipt.pub.json")
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for installed in Path(sysconfig.get_path("platlib")).iterdir():
        if installed.name.split(".")[0].split("-")[0] in LIBRARIES or installed.name.startswith("landfall"):
            (libraries / installed.name).symlink_to(installed)
    for room in ("edge", "hw"):
        (libraries / room).symlink_to(ROOT / room)
    files = {
        "/etc/systemd/system/landfall-kiosk.service": (SYSTEMD / "landfall-kiosk.service").read_text(),
        "/etc/systemd/system/lane.target": "[Unit]\nRequires=basic.target\nWants=landfall-kiosk.service look.service\n",
        "/etc/systemd/system/look.service": "[Service]\nExecStart=/opt/landfall/bin/look\n",
        "/opt/landfall/bin/landfall": LANDFALL,
        "/opt/landfall/bin/look": LOOK,
        "/etc/landfall/kiosk.toml": CONFIG,
        "/etc/landfall/scenario.toml": "count = 100000\ninterval_s = 0.3\nboarding_pass_every = 0\n",
        **{f"/etc/landfall/keys/{name}": (keys / name).read_text() for name in wanted},
    }
    sysusers = SYSTEMD / "sysusers.d" / "landfall-kiosk.conf"
    with SystemdMachine(
        tmp_path,
        "lane.target",
        files,
        sysusers=[sysusers],
        secret="/etc/landfall/keys/",
        trees={"/opt/landfall/lib": libraries},
        data=data,
    ) as machine:
        seen = machine.read_json("/run/seen.json")
        print(machine.log.read_text(errors="replace")[-2000:])
    assert isinstance(seen, dict)
    assert seen["devices"]["passport"]["state"] == "ready"
    assert seen["devices"]["panel"]["state"] == "ready"
    assert seen["store"]["state"] == "ready"
    assert seen["queue"]["crossing"]["next_sequence"] > 2
    assert seen["clock"]["state"] in ("synchronised", "holdover", "unset")
    assert sys.version_info >= (3, 11)
