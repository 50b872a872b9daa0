"""Packages on real Debian systems: installed, upgraded, taken back, removed and purged, with a backlog in the store."""

from __future__ import annotations

import pytest

from tests.packaging.conftest import DIST, DebianMachine
from tests.packaging.debian_root import built, made_newer

pytestmark = [pytest.mark.debian, pytest.mark.timeout(1800)]

PROVISION = """cp -r /provisioned/. /etc/landfall/
chmod 700 /etc/landfall/keys && chmod 600 /etc/landfall/keys/* && systemctl restart landfall-kiosk"""
STORE = "/var/lib/landfall/cache.db"
HAS_PASSED = """landfall status --json | grep -q '"signal":"passed"'"""
AS_KIOSK = "runuser -u landfall -- python3 -c"
SHOW_VERSION = (
    f"""{AS_KIOSK} 'import sqlite3; print(*sqlite3.connect("{STORE}").execute("PRAGMA user_version").fetchone())'"""
)

COMPLETE = """bash -c '. /usr/share/bash-completion/completions/landfall-provision
COMP_WORDS=(landfall-provision install /etc/os-rel) COMP_CWORD=2
_shtab_landfall_provision landfall-provision /etc/os-rel install; echo "${COMPREPLY[@]}"'"""


def sql(statement: str) -> str:
    """Return a line of shell that changes the store as the kiosk's user."""
    program = f'import sqlite3; c = sqlite3.connect("{STORE}"); c.execute("{statement}"); c.commit(); c.close()'
    return f"{AS_KIOSK} '{program}'"


def install(debian: DebianMachine, package: str = "landfall-kiosk", ok: bool = True) -> str:
    return debian.run(f"dpkg -i /packages/{package}.deb", ok)


@pytest.fixture
def kiosk(debian: DebianMachine) -> DebianMachine:
    """A kiosk at work that nobody takes records from."""
    install(debian)
    debian.run(PROVISION)
    debian.wait_until(HAS_PASSED)
    return debian


def test_a_fresh_kiosk_is_complete_and_waits_to_be_provisioned(debian):
    said = install(debian)
    assert "error" not in said.lower() and "warning" not in said.lower(), said
    assert debian.run("systemctl is-enabled landfall-kiosk landfall-clock-floor").split() == ["enabled"] * 2
    assert debian.run("systemctl is-active landfall-kiosk", ok=None).strip() == "inactive"
    assert debian.run("systemctl is-failed landfall-kiosk", ok=None).strip() == "inactive"
    assert "usage: landfall" in debian.run("landfall --help")
    assert "usage: landfall-provision" in debian.run("landfall-provision --help")
    debian.run("/opt/landfall/bin/python -I -c 'import cbor2, cryptography, cv2, msgspec, numpy, PIL, zxingcpp'")
    debian.run("test -s /usr/share/man/man1/landfall.1.gz && test -s /usr/share/bash-completion/completions/landfall")
    assert debian.run(COMPLETE).split() == ["/etc/os-release"], "the stick's bundle is found with the tabulator key"
    assert debian.run("stat -c '%a %U' /etc/landfall/keys").split() == ["700", "root"]
    assert debian.run("dpkg --verify landfall-kiosk") == ""
    assert "landfall" in debian.run("id landfall")
    assert debian.run("find /opt/landfall -name 'cli.cpython-*.pyc' -path '*/edge/*' | wc -l").strip() != "0"
    assert "landfall-central" in install(debian, "landfall-central", ok=False)  # never both on one machine


def test_a_backlog_goes_through_upgrade_and_downgrade_with_the_schema_both_ways(kiosk, tmp_path):
    newer = made_newer(built("landfall-kiosk", DIST), "9.0", tmp_path / "newer")
    kiosk.put(newer, "/packages/newer.deb")
    before = kiosk.backlog()
    assert before["crossing"] > 1

    install(kiosk, "newer")
    kiosk.wait_until(HAS_PASSED)
    assert kiosk.run(SHOW_VERSION).strip() == "2"
    upgraded = kiosk.backlog()
    assert all(upgraded[stream] >= count for stream, count in before.items())

    install(kiosk)
    kiosk.wait_until(HAS_PASSED)
    assert kiosk.run(SHOW_VERSION).strip() == "1"
    taken_back = kiosk.backlog()
    assert all(taken_back[stream] >= count for stream, count in upgraded.items())
    kiosk.run("systemctl stop landfall-kiosk")
    assert "error" not in kiosk.run("CREDENTIALS_DIRECTORY=/etc/landfall/keys landfall queue verify").lower()


def test_an_upgrade_that_a_power_cut_ended_is_taken_up_again(kiosk):
    before = kiosk.backlog()
    kiosk.run("dpkg --unpack /packages/landfall-kiosk.deb")
    kiosk.run("systemctl daemon-reload && systemctl start landfall-kiosk")  # as the next boot does
    kiosk.wait_until(HAS_PASSED)
    kiosk.run("dpkg --configure -a")
    kiosk.wait_until(HAS_PASSED)
    assert kiosk.run("dpkg --verify landfall-kiosk") == ""
    after = kiosk.backlog()
    assert all(after[stream] >= count for stream, count in before.items())


def test_a_store_that_cannot_be_taken_back_stops_the_package_before_it_is_unpacked(kiosk):
    kiosk.run("systemctl stop landfall-kiosk")
    kiosk.run(sql("PRAGMA user_version = 9"))
    said = install(kiosk, ok=False)
    assert "the store has version 9, this Landfall knows 1" in said
    assert "Nothing was changed and nothing is lost" in said
    kiosk.run(sql("PRAGMA user_version = 1"))
    install(kiosk)
    kiosk.wait_until(HAS_PASSED)


def test_purging_refuses_to_throw_unsent_records_away(kiosk):
    before = kiosk.backlog()
    kiosk.run("dpkg -r landfall-kiosk")
    assert kiosk.run("systemctl is-active landfall-kiosk", ok=None).strip() == "inactive"
    said = kiosk.run("dpkg -P landfall-kiosk", ok=False)
    assert "not purged. Records that the centre does not have: " in said
    assert int(said.partition("does not have: ")[2].split()[0]) >= sum(before.values())
    kiosk.run(f"test -s {STORE} && test -s /etc/landfall/keys/record.key.json")

    install(kiosk)
    kiosk.wait_until(HAS_PASSED)
    after = kiosk.backlog()
    assert all(after[stream] >= count for stream, count in before.items())


def test_purging_leaves_nothing_once_the_centre_has_everything(kiosk):
    kiosk.run("systemctl stop landfall-kiosk")
    kiosk.run(sql("UPDATE head SET held_up_to = next_sequence - 1"))
    kiosk.run("dpkg -P landfall-kiosk")
    left = kiosk.run("find / -xdev -name '*landfall*' -not -path '/packages/*' -not -path '/var/l*'; ls /etc/landfall")
    assert left.split() == ["/etc/landfall", "scenario.toml"]  # a file that the package knows nothing of
    assert kiosk.run("ls -d /var/lib/landfall", ok=None).endswith("No such file or directory\n")
    assert kiosk.run("dpkg -l landfall-kiosk", ok=None).count("\nii") == 0


def test_a_damaged_store_is_not_purged_either(kiosk):
    kiosk.run("dpkg -r landfall-kiosk")
    kiosk.run(f"dd if=/dev/zero of={STORE} bs=4096 count=2 conv=notrunc; rm -f {STORE}-wal")
    said = kiosk.run("dpkg -P landfall-kiosk", ok=False)
    assert "does not have: an unknown number" in said


def test_a_centre_is_installed_and_keeps_its_records_when_it_is_purged(debian):
    install(debian, "landfall-central")
    assert debian.run("systemctl is-enabled landfall-collector landfall-broker").split() == ["enabled"] * 2
    on_request = "landfall-watch landfall-console landfall-enrolment landfall-crl.timer"
    assert debian.run(f"systemctl is-enabled {on_request}", ok=None).split() == ["disabled"] * 4
    debian.run("/opt/landfall/bin/python -I -c 'import argon2, psycopg, sqlalchemy, uvicorn'")
    assert debian.run("stat -c '%a %G' /etc/landfall/broker").split() == ["2750", "landfall-broker"]
    debian.run("landfall-central broker-config --centre collector-1")
    assert debian.run("stat -c '%a %G' /etc/landfall/broker/mosquitto.conf").split() == ["640", "landfall-broker"]
    debian.run("install -d /var/lib/landfall-collector && touch /var/lib/landfall-collector/central.db")
    assert "kept /etc/landfall and /var/lib/landfall-collector" in debian.run("dpkg -P landfall-central")
    debian.run("test -e /var/lib/landfall-collector/central.db && test -e /etc/landfall/broker/mosquitto.conf")
