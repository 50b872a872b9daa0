import re
import shutil
import subprocess
from pathlib import Path

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


def test_udev_itself_has_nothing_to_say_against_the_rules():
    # `udevadm verify` came with systemd 254; where it is missing the tests above have to do.
    udevadm = shutil.which("udevadm")
    if udevadm and "verify" in subprocess.run([udevadm, "--help"], capture_output=True, text=True).stdout:
        verified = subprocess.run([udevadm, "verify", str(RULES)], capture_output=True, text=True)
        assert verified.returncode == 0, verified.stderr
