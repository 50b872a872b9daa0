"""The centre's package on real Debian systems, set up by typing what `docs/operations.md` says, on one machine."""

from __future__ import annotations

import re

import pytest

from tests.packaging.conftest import DebianMachine
from tests.packaging.page import typed

pytestmark = [pytest.mark.debian, pytest.mark.timeout(1800)]

DAEMONS = tuple(f"landfall-{name}" for name in ("broker", "collector", "watch", "console", "enrolment"))
# There is no PostgreSQL in these roots; the page says what is different without.
DATABASE = 'url = "sqlite:////var/lib/landfall-collector/central.db"'
AS_COLLECTOR = "[Service]\nUser=landfall-collector\nStateDirectory=landfall-collector\n"
LOOK = """/opt/landfall/bin/python -I -c '
import ssl, urllib.request
pages = [urllib.request.urlopen(f"http://127.0.0.1:8470{path}").read() for path in ("/sign-in", "/static/console.css")]
assert b"<form" in pages[0] and pages[1]
trusted = ssl.create_default_context(cafile="/etc/landfall/authority/ca.crt")
print(urllib.request.urlopen("https://centre.example.org:8443/v1/centre-keys", context=trusted).status)'"""


def show(debian: DebianMachine, unit: str, name: str) -> str:
    return debian.run(f"systemctl show -P {name} {unit}").strip()


def test_a_centre_that_was_set_up_as_the_page_says_works_restarts_and_stops_in_order(debian: DebianMachine) -> None:
    commands, settings = typed("Install and upgrade the centre")
    settings = re.sub(r"^url = .*$", DATABASE, settings, flags=re.M) + typed("Keys and certificates")[1]
    assert len(commands) > 8 and "[enrolment]" in settings
    debian.run("dpkg -i /packages/landfall-central.deb")
    debian.run("echo 127.0.0.1 localhost broker.example.org centre.example.org > /etc/hosts")
    debian.run("echo correct horse battery staple > passphrase")
    debian.run(f"cat > /etc/landfall/central.toml << 'END'\n{settings}\nEND")
    for unit in ("landfall-watch", "landfall-console"):
        folder = f"/etc/systemd/system/{unit}.service.d"
        debian.run(f"mkdir {folder} && printf '{AS_COLLECTOR}' > {folder}/override.conf")
    debian.run("systemctl daemon-reload")
    for command in commands:
        if "sudo" in command:  # what is done to PostgreSQL, or apt
            continue
        debian.run(command.replace("ca init", "ca init --passphrase-file passphrase"))

    for unit in DAEMONS:
        debian.wait_until(f"systemctl is-active {unit}")
    assert debian.run("systemctl is-active landfall-crl.timer").strip() == "active"
    debian.run("systemctl start landfall-crl.service")
    assert debian.wait_until(LOOK).strip() == "200"
    debian.wait_until("systemctl show -P StatusText landfall-watch | grep -q 'on duty'")

    debian.run(f"systemctl restart {' '.join(DAEMONS)}")  # Type=notify: ends when each has said that it is ready
    assert debian.run(f"systemctl is-active {' '.join(DAEMONS)}").split() == ["active"] * len(DAEMONS)
    debian.run("dpkg -i /packages/landfall-central.deb")  # an upgrade leaves at work what was
    for unit in (*DAEMONS, "landfall-crl.timer"):
        debian.wait_until(f"systemctl is-active {unit}")
    debian.run(f"systemctl stop {' '.join(DAEMONS)}")
    assert {unit: show(debian, unit, "Result") for unit in DAEMONS} == dict.fromkeys(DAEMONS, "success")
    debian.run(f"systemctl start {' '.join(DAEMONS)}")
    debian.run("dpkg -r landfall-central")
    assert debian.run("pgrep -f '[/]opt/landfall/bin/' || echo none").strip() == "none"
