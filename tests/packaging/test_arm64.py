"""The package for a Raspberry Pi, in a Debian root for arm64 whose programs QEMU runs."""

from __future__ import annotations

import json
import struct
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.conftest import DIST
from tests.packaging.debian_root import built, made_newer, root_of
from tests.packaging.emulated import WITHIN_S, EmulatedSystem, obstacle

pytestmark = [pytest.mark.debian, pytest.mark.timeout(2 * WITHIN_S)]

_MACHINES = {"amd64": 62, "arm64": 183}  # e_machine of ELF: EM_X86_64, EM_AARCH64
TRAVELLERS = 3
KEPT = "/var/lib/landfall/simulated"
SIMULATE = f"""install -d -o landfall -g landfall -m 700 /var/lib/landfall
runuser -u landfall -- landfall simulate --travellers {TRAVELLERS} --keep {KEPT} --json"""
TRY_LIBRARIES = """
import cbor2, cv2, msgspec, numpy, platform, zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
key = Ed25519PrivateKey.generate()
key.public_key().verify(key.sign(b"x"), b"x")
assert msgspec.json.decode(msgspec.json.encode({"a": 1})) == {"a": 1} and cbor2.loads(cbor2.dumps([1])) == [1]
picture = numpy.array(zxingcpp.create_barcode("M1SPECIMEN", zxingcpp.BarcodeFormat.PDF417).to_image(scale=4))
picture = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
assert [one.text for one in zxingcpp.read_barcodes(picture)] == ["M1SPECIMEN"]
print(platform.machine())
"""


@pytest.mark.parametrize("architecture", _MACHINES)
@pytest.mark.parametrize("name", ["landfall-kiosk", "landfall-central"])
def test_every_compiled_module_of_a_package_is_for_its_machine(name: str, architecture: str) -> None:
    found: set[int] = set()
    unpacked = ["dpkg-deb", "--fsys-tarfile", built(name, DIST, architecture)]
    with (
        subprocess.Popen(unpacked, stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as files,
    ):
        for member in files:
            start = files.extractfile(member).read(20) if member.isfile() else b""
            if start.startswith(b"\x7fELF"):
                found.add(struct.unpack_from("<H", start, 18)[0])
    assert found == {_MACHINES[architecture]}


@pytest.fixture
def raspberry(tmp_path: Path) -> Iterator[EmulatedSystem]:
    """A Debian system for arm64; in /packages the kiosk's package and a newer one."""
    if reason := obstacle("arm64"):
        pytest.skip(reason)
    packages = tmp_path / "packages"
    packages.mkdir()
    package = built("landfall-kiosk", DIST, "arm64")
    (packages / "kiosk.deb").hardlink_to(package)
    made_newer(package, "9.0", tmp_path / "newer").rename(packages / "newer.deb")
    (packages / "kiosk.toml").write_text(SETTINGS, encoding="utf-8")
    with EmulatedSystem(root_of("bookworm", "arm64"), packages, tmp_path / "layer") as system:
        yield system


SETTINGS = f"""\
[kiosk]
site = "simulated"
name = "kiosk"

[[lanes]]
name = "lane-1"
readers = [{{ name = "passport", driver = "simulated", baud = 115200 }}]

[store]
path = "{KEPT}/cache.db"
keep_receipted_h = 24

[keys]
record = "{KEPT}/record.key.json"
opening = "{KEPT}/opening.pub.json"
receipt = ["{KEPT}/receipt.pub.json"]

[uplink]
host = "broker.example.org"
ca = "/etc/landfall/keys/ca.crt"
certificate = "/etc/landfall/keys/client.crt"
key = "/etc/landfall/keys/client.key"
"""


def waiting(system: EmulatedSystem) -> int:
    """Return how many records await their receipt in the store that a simulation left."""
    figures = json.loads(system.run("runuser -u landfall -- landfall queue stats --json"))
    return sum(stream["unreceipted"] for stream in figures["streams"].values())


def test_a_raspberry_pis_package_is_installed_works_is_upgraded_removed_and_purged(raspberry: EmulatedSystem) -> None:
    assert raspberry.run("dpkg --print-architecture; uname -m").split() == ["arm64", "aarch64"]
    said = raspberry.run("dpkg -i /packages/kiosk.deb")
    assert "error" not in said.lower() and "warning" not in said.lower(), said
    assert raspberry.run("dpkg --verify landfall-kiosk") == ""
    assert raspberry.run(f"/opt/landfall/bin/python -I -c '{TRY_LIBRARIES}'").strip() == "aarch64"
    assert raspberry.run("landfall --version") == "landfall 0.1.0\n"

    counted = json.loads(raspberry.run(SIMULATE))
    assert counted["crossings"] == counted["travellers"] == TRAVELLERS, counted
    raspberry.run("cp /packages/kiosk.toml /etc/landfall/")
    backlog = waiting(raspberry)
    assert backlog > TRAVELLERS
    assert "The chain is whole." in raspberry.run("runuser -u landfall -- landfall queue verify")
    checked = raspberry.run("landfall check", ok=False)  # there is no network
    assert "Traceback" not in checked and "broker.example.org" in checked, checked

    raspberry.run("dpkg -i /packages/newer.deb")
    assert waiting(raspberry) == backlog
    raspberry.run("dpkg -i /packages/kiosk.deb")
    assert waiting(raspberry) == backlog

    raspberry.run("dpkg -r landfall-kiosk")
    assert f"does not have: {backlog}\n" in raspberry.run("dpkg -P landfall-kiosk", ok=False)
    raspberry.run("rm -r /var/lib/landfall && dpkg -P landfall-kiosk")
    assert raspberry.run("find / -xdev -path /proc -prune -o -path /packages -prune -o -path '/var/l*' -prune "
                         "-o -name '*landfall*' -print") == ""  # fmt: skip
