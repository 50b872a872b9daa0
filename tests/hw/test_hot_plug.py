"""From a path to the one device that it means, with a small copy of /dev and /sys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hw.hot_plug import NotUnique, find

KEYBOARD = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"  # a scanner's, as the kernel shows it
VOLUME_KEYS = "e000000000000 0"


def plugged_in(folder: Path, name: str, node: str) -> str:
    """Make a device node (a file) and its link; return the link's path."""
    (folder / "by-id").mkdir(exist_ok=True)
    (folder / node).touch()
    link = folder / "by-id" / name
    link.unlink(missing_ok=True)
    link.symlink_to(folder / node)
    return str(link)


def keyboard(sys: Path, event: str, usb_id: str, keys: str = KEYBOARD) -> None:
    device = sys / "class/input" / event / "device"
    (device / "id").mkdir(parents=True)
    (device / "capabilities").mkdir()
    for name, text in zip(("id/vendor", "id/product", "capabilities/key"), (*usb_id.split(":"), keys), strict=True):
        (device / name).write_text(f"{text}\n")


def usb_reader(sys: Path, socket: str, serial: str | None, node: str | None = None) -> None:
    device = sys / "devices/pci0/usb1" / socket
    (device / "1-1:1.0/tty").mkdir(parents=True)
    for name, text in (("idVendor", "0c2e"), ("idProduct", "0900"), ("serial", serial)):
        if text is not None:
            (device / name).write_text(f"{text}\n")
    (sys / "bus/usb/devices").mkdir(parents=True, exist_ok=True)
    (sys / "bus/usb/devices" / socket).symlink_to(device)
    if node is not None:
        number = os.stat(node).st_rdev
        (sys / "dev/char").mkdir(parents=True, exist_ok=True)
        (sys / f"dev/char/{os.major(number)}:{os.minor(number)}").symlink_to(device / "1-1:1.0/tty")


def test_a_reader_is_followed_by_its_id_to_another_number(tmp_path: Path):
    path = plugged_in(tmp_path, "usb-Maker_Reader_0001-if00", "ttyACM0")
    assert find(path) == str(tmp_path / "ttyACM0")
    plugged_in(tmp_path, "usb-Maker_Reader_0001-if00", "ttyACM1")
    assert find(path) == str(tmp_path / "ttyACM1")


def test_what_is_not_there_is_not_there(tmp_path: Path):
    for path in (tmp_path / "usb-Maker", tmp_path / "usb-*"):
        with pytest.raises(FileNotFoundError):
            find(str(path))


def test_a_link_to_a_device_that_is_gone_is_not_there(tmp_path: Path):
    path = plugged_in(tmp_path, "usb-Maker_Reader_0001-if00", "ttyACM0")
    (tmp_path / "ttyACM0").unlink()
    with pytest.raises(FileNotFoundError):
        find(path)


def test_a_second_reader_of_the_same_kind_is_not_taken_for_the_first(tmp_path: Path):
    first = plugged_in(tmp_path, "usb-Maker_Reader_0001-if00", "ttyACM0")
    second = plugged_in(tmp_path, "usb-Maker_Reader_0002-if00", "ttyACM1")
    assert (find(first), find(second)) == (str(tmp_path / "ttyACM0"), str(tmp_path / "ttyACM1"))
    Path(first).unlink()
    with pytest.raises(FileNotFoundError):
        find(first)


def test_wildcards_that_fit_two_devices_are_no_guess(tmp_path: Path):
    first = plugged_in(tmp_path, "usb-Maker_Reader_0001-if00", "ttyACM0")
    assert find(f"{tmp_path}/by-id/usb-Maker_Reader_*-if00") == find(first)
    plugged_in(tmp_path, "usb-Maker_Reader_0002-if00", "ttyACM1")
    with pytest.raises(NotUnique, match="2 devices fit its path; give the whole name of one"):
        find(f"{tmp_path}/by-id/usb-Maker_Reader_*-if00")


def test_wildcards_that_fit_two_names_of_one_device_are_no_doubt(tmp_path: Path):
    plugged_in(tmp_path, "usb-Maker_Reader_0001-if00", "ttyACM0")
    path = plugged_in(tmp_path, "usb-Maker_Reader_0001-if00-again", "ttyACM0")
    assert find(f"{path[:-6]}*") == str(tmp_path / "ttyACM0")


@pytest.mark.parametrize("serial", [None, "00000000"])
def test_two_readers_with_the_same_serial_number_or_none_are_not_told_apart_by_id(tmp_path: Path, serial: str | None):
    sys, (by_id, by_path) = tmp_path / "sys", ((tmp_path / name) for name in ("by-id", "by-path"))
    for link in (by_id / "usb-Maker_Reader-if00", by_path / "platform-usb-0:1.1:1.0"):
        link.parent.mkdir()
        link.symlink_to("/dev/null")  # any node that is there on every machine
    usb_reader(sys, "1-1.1", serial, node="/dev/null")
    assert find(str(by_id / "usb-Maker_Reader-if00"), sys=sys) == "/dev/null"
    usb_reader(sys, "1-1.2", serial)
    with pytest.raises(NotUnique, match="name it by its socket, in by-path"):
        find(str(by_id / "usb-Maker_Reader-if00"), sys=sys)
    assert find(str(by_path / "platform-usb-0:1.1:1.0"), sys=sys) == "/dev/null"


def test_two_readers_with_serial_numbers_of_their_own_are(tmp_path: Path):
    sys, by_id = tmp_path / "sys", tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-Maker_Reader_0001-if00").symlink_to("/dev/null")
    usb_reader(sys, "1-1.1", "0001", node="/dev/null")
    usb_reader(sys, "1-1.2", "0002")
    assert find(str(by_id / "usb-Maker_Reader_0001-if00"), sys=sys) == "/dev/null"


def test_a_keyboard_is_found_by_its_usb_id_and_its_volume_keys_are_not(tmp_path: Path):
    keyboard(tmp_path, "event0", "046d:c31c")  # the officer's
    keyboard(tmp_path, "event3", "05e0:1200", VOLUME_KEYS)
    with pytest.raises(FileNotFoundError):
        find("05e0:1200", sys=tmp_path)
    keyboard(tmp_path, "event4", "05e0:1200")
    assert find("05e0:1200", sys=tmp_path) == "/dev/input/event4"
    keyboard(tmp_path, "event5", "05e0:1200")
    with pytest.raises(NotUnique):
        find("05e0:1200", sys=tmp_path)
