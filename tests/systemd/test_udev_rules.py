"""The rules for readers: what they say, and what udev makes of them for a reader that is plugged in."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "systemd" / "udev" / "60-landfall-readers.rules"

# Vendor and product ids as makers and drivers give them.
READERS = {
    "0db5": "0138 0160 0164 0170 0180 0184 0120 0122 0127 0137 013e 012a 013b",  # Access-IS
    "1ac2": "0300 0302",  # DESKO
    "1ffa": "0002",  # Elyctis
    "072f": "223b",  # ACS
    "076b": "5422",  # Omnikey
    "04e6": "5790",  # Identiv
    "0c2e": "0900 0901",  # Honeywell
    "05e0": "1200 1701",  # Zebra
    "05f9": "4204",  # Datalogic
}
TOKEN = re.compile(r'[A-Z]+(\{[A-Za-z_/]+\})?(==|!=|=|\+=|:=)"[^"]*"')


def rules():
    lines = RULES.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_every_line_is_a_list_of_udev_tokens():
    for line in rules():
        for token in line.split(", "):
            assert TOKEN.fullmatch(token), token


def test_every_jump_has_its_label_further_down():
    lines = rules()
    for number, line in enumerate(lines):
        for label in re.findall(r'GOTO="(\w+)"', line):
            assert f'LABEL="{label}"' in lines[number:]


def test_every_known_reader_is_listed_once():
    listed = [
        (vendor, product)
        for line in rules()
        for vendor, products in re.findall(r'idVendor\}=="(\w+)", ATTRS\{idProduct\}=="([\w|]+)"', line)
        for product in products.split("|")
    ]
    assert sorted(listed) == sorted((vendor, product) for vendor in READERS for product in READERS[vendor].split())


def test_modemmanager_leaves_a_reader_alone_and_the_kiosks_user_alone_reads_it():
    assert 'SUBSYSTEM=="usb", ENV{ID_MM_DEVICE_IGNORE}="1"' in rules()
    assert 'SUBSYSTEM=="tty|hidraw", GROUP="landfall", MODE="0660"' in rules()


def test_names_by_id_are_left_to_the_system():
    assert not [line for line in rules() if "SYMLINK" in line or "NAME=" in line]


DEVICES = "/devices/pci0000:00/0000:00:14.0/usb1/1-1"
NODES = {
    "usb": (DEVICES, "bus/usb/001/002", "E: DEVTYPE=usb_device\n"),
    "tty": (f"{DEVICES}/1-1:1.0/tty/ttyACM0", "ttyACM0", ""),
    "input": (f"{DEVICES}/1-1:1.0/input/input5/event5", "input/event5", ""),
    "hidraw": (f"{DEVICES}/1-1:1.0/hidraw/hidraw0", "hidraw0", ""),
}
# In a mount namespace of its own: udev reads these rules and the system's, and writes nothing to this machine.
AS_UDEV = """
mount -t tmpfs none /run/udev && mount -t tmpfs none /dev/char && mount --bind "$1" /etc/udev/rules.d
exec umockdev-run --device "$2" -- udevadm test --action=add "/sys$3"
"""


def properties_after_plugging_in(folder: Path, vendor: str, product: str, subsystem: str) -> dict[str, str]:
    """Plug in a USB device that umockdev plays, and return what udev then knows of one of its nodes."""
    if os.geteuid() != 0 or not shutil.which("umockdev-run"):
        pytest.skip("needs root and umockdev")
    path, node, more = NODES[subsystem]
    usb = f"P: {DEVICES}\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\nA: idVendor={vendor}\nA: idProduct={product}\n"
    own = f"\nP: {path}\nN: {node}\nE: DEVNAME=/dev/{node}\nE: SUBSYSTEM={subsystem}\n"
    described = folder / "reader.umockdev"
    described.write_text(usb.replace("\nE: SUB", f"\nN: {node}\nE: DEVNAME=/dev/{node}\nE: SUB") if more else usb + own)
    arguments = [str(RULES.parent), str(described), path]
    tested = subprocess.run(
        ["unshare", "--mount", "bash", "-c", AS_UDEV, "bash", *arguments], capture_output=True, text=True, timeout=120
    )
    assert tested.returncode == 0, tested.stderr
    return dict(line.split("=", 1) for line in tested.stdout.splitlines() if re.match(r"[A-Z_]+=", line))


EVERY_READER = pytest.mark.parametrize(
    ("vendor", "product"), [(vendor, product) for vendor in READERS for product in READERS[vendor].split()]
)


@EVERY_READER
def test_udev_keeps_modemmanager_away_from_each_reader(tmp_path: Path, vendor: str, product: str):
    for subsystem in ("usb", "tty"):
        assert properties_after_plugging_in(tmp_path, vendor, product, subsystem)["ID_MM_DEVICE_IGNORE"] == "1"


@EVERY_READER
def test_udev_keeps_each_reader_out_of_the_kiosks_browser(tmp_path: Path, vendor: str, product: str):
    found = properties_after_plugging_in(tmp_path, vendor, product, "input")
    assert found["LANDFALL_READER"] == found["LIBINPUT_IGNORE_DEVICE"] == "1"


@pytest.mark.parametrize("subsystem", NODES)
def test_udev_leaves_the_officers_keyboard_as_it_is(tmp_path: Path, subsystem: str):
    found = properties_after_plugging_in(tmp_path, "046d", "c31c", subsystem)
    assert found["SUBSYSTEM"] == subsystem
    assert found.keys().isdisjoint({"LANDFALL_READER", "LIBINPUT_IGNORE_DEVICE", "ID_MM_DEVICE_IGNORE"})


def test_the_kiosks_user_may_open_a_reader_in_hid_mode():
    assert 'SUBSYSTEM=="input", GROUP="landfall", MODE="0660", ENV{LIBINPUT_IGNORE_DEVICE}="1"' in rules()


def test_udev_itself_has_nothing_to_say_against_the_rules():
    # `udevadm verify` came with systemd 254; where it is missing the tests above have to do.
    udevadm = shutil.which("udevadm")
    if udevadm and "verify" in subprocess.run([udevadm, "--help"], capture_output=True, text=True).stdout:
        verified = subprocess.run([udevadm, "verify", str(RULES)], capture_output=True, text=True)
        assert verified.returncode == 0, verified.stderr
