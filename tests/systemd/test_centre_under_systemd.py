"""Broker and collector under their units on a real systemd, from the files that the commands write."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from central.cli import main
from provisioning.authority import Authority, make_centre_keys
from tests.harness.systemd_machine import SystemdMachine, is_possible

pytestmark = pytest.mark.journey

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "systemd"
UNITS = ("landfall-broker.service", "landfall-collector.service")
CONFIG = """\
[database]
url = "sqlite:////var/lib/landfall-collector/central.db"

[broker]
host = "localhost"
ca = "/run/credentials/landfall-collector.service/ca.crt"
certificate = "/run/credentials/landfall-collector.service/client.crt"
key = "/run/credentials/landfall-collector.service/client.key"

[keys]
receipt_key = "/run/credentials/landfall-collector.service/receipt.key.json"
opening_keys = ["/run/credentials/landfall-collector.service/opening.key.json"]
"""
# The libraries that a centre has, where ProtectHome and PrivateTmp do not hide them.
LIBRARIES = (
    "_cffi_backend", "alembic", "base45", "cbor2", "cffi", "cryptography", "joserfc", "mako", "markupsafe", "msgspec",
    "paho", "psycopg", "rfc8785", "sqlalchemy", "typing_extensions", "uuid6",
)  # fmt: skip
LANDFALL_CENTRAL = """#!/usr/bin/python3
import sys
sys.path.insert(0, "/opt/landfall/lib")
from central.cli import main
sys.exit(main())
"""
# Tells what systemd holds of both, once both have said that they are ready.
LOOK = """#!/bin/sh
for i in $(seq 600); do
    if systemctl is-active -q landfall-broker && systemctl is-active -q landfall-collector; then
        printf '{"broker": "%s", "collector": "%s"}' "$(ps -o user:32= -C mosquitto)" \\
            "$(systemctl show -P StatusText landfall-collector)" > /run/seen.new
        mv /run/seen.new /run/seen.json
        exit 0
    fi
    sleep 0.1
done
"""


def test_a_collector_takes_records_from_the_broker_both_confined_by_their_units(tmp_path: Path) -> None:
    if not is_possible():
        pytest.skip("needs root, systemd and unshare")
    authority = Authority.create(tmp_path / "authority")
    authority.issue_broker(tmp_path / "broker", ["localhost"])
    authority.issue_collector(tmp_path / "keys", "collector-1")
    make_centre_keys(tmp_path / "keys")
    assert main(["broker-config", str(tmp_path / "broker"), "--centre", "collector-1", "--address", "127.0.0.1"]) == 0
    broker = {path.name: path.read_text() for path in (tmp_path / "broker").iterdir()}
    broker["mosquitto.conf"] = broker["mosquitto.conf"].replace(str(tmp_path / "broker"), "/etc/landfall/broker")
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for installed in Path(sysconfig.get_path("platlib")).iterdir():
        if installed.name.split(".")[0].split("-")[0].removesuffix("_binary") in LIBRARIES:
            (libraries / installed.name).symlink_to(installed)
    for room in ("edge", "central"):
        (libraries / room).symlink_to(ROOT / room)
    files = {
        **{f"/etc/systemd/system/{unit}": (SYSTEMD / unit).read_text() for unit in UNITS},
        "/etc/systemd/system/landfall.slice": (SYSTEMD / "landfall.slice").read_text(),
        "/etc/systemd/system/centre.target": f"[Unit]\nRequires=basic.target\nWants={' '.join(UNITS)} look.service\n",
        "/etc/systemd/system/look.service": "[Service]\nExecStart=/opt/landfall/bin/look\n",
        "/opt/landfall/bin/landfall-central": LANDFALL_CENTRAL,
        "/opt/landfall/bin/look": LOOK,
        "/etc/landfall/central.toml": CONFIG,
        **{f"/etc/landfall/broker/{name}": text for name, text in broker.items()},
        **{f"/etc/landfall/keys/{path.name}": path.read_text() for path in (tmp_path / "keys").iterdir()},
    }
    users = [SYSTEMD / "sysusers.d" / f"landfall-{name}.conf" for name in ("broker", "collector")]
    with SystemdMachine(
        tmp_path,
        "centre.target",
        files,
        sysusers=users,
        secret=("/etc/landfall/keys/", "/etc/landfall/broker/broker"),
        trees={"/opt/landfall/lib": libraries},
    ) as machine:
        seen = machine.read_json("/run/seen.json")
        print(machine.log.read_text(errors="replace")[-3000:])
    assert seen == {"broker": "landfall-broker", "collector": "subscribed to all kiosks"}
