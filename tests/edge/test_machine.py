"""What the board says of itself, from files as a Raspberry Pi has them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge.machine import Machine
from edge.wire.health import MachineHealth

THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


def board(root: Path, **replaced: str) -> Machine:
    """Make the files of a Raspberry Pi 4 with an eMMC; `replaced` says otherwise."""
    files = {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
        "proc/meminfo": "MemTotal:        1906764 kB\nMemFree:          123 kB\nMemAvailable:    1174000 kB\n",
        "proc/self/statm": "20000 14336 2000 1 0 9000 0\n",
        "proc/uptime": "3630.25 9000.00\n",
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "61312\n",
        "sys/block/mmcblk0/device/life_time": "0x02 0x01\n",
        "sys/block/mmcblk0/device/pre_eol_info": "0x01\n",
        "sys/class/watchdog/watchdog0/bootstatus": "0\n",
        THROTTLED: "50000\n",
        **{name.replace("__", "/"): text for name, text in replaced.items()},
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Machine(root)


def said(machine: Machine, folder: Path) -> dict:
    """Return the figures as they go out, without those of this machine's own disk."""
    found = msgspec.to_builtins(machine.health(folder))
    assert found.pop("disk_bytes") >= found.pop("disk_free_bytes") >= 0
    return found


def test_everything_that_a_board_tells_is_told(tmp_path) -> None:
    found = said(board(tmp_path), tmp_path)
    assert found.pop("daemon_bytes") > 0
    assert found == {
        "model": "Raspberry Pi 4 Model B Rev 1.5",
        "cpu_celsius": 61.3,
        "throttled": (),
        "throttled_since_boot": ("under_voltage", "throttled"),
        "memory_bytes": 1906764 * 1024,
        "memory_free_bytes": 1174000 * 1024,
        "card_life_used_percent": 20,
        "card_end_of_life": "normal",
        "uptime_s": 3630.25,
    }


def test_what_the_firmware_forgets_when_it_was_asked_is_remembered(tmp_path) -> None:
    machine = board(tmp_path)
    (tmp_path / THROTTLED).write_text("1\n")
    assert machine.health(tmp_path).throttled == ("under_voltage",)
    (tmp_path / THROTTLED).write_text("0\n")
    after = machine.health(tmp_path)
    assert (after.throttled, after.throttled_since_boot) == ((), ("under_voltage",))


def test_a_machine_without_any_of_it_says_what_it_knows_and_nothing_else(tmp_path) -> None:
    assert said(Machine(tmp_path / "nothing"), tmp_path) == {}
    assert msgspec.to_builtins(Machine(tmp_path / "nothing").health(tmp_path / "nowhere")) == {}


@pytest.mark.parametrize("nonsense", ["", "\0", "x y z", "-1", "99999999999999999999 0x", "\xff" * 100])
def test_files_that_say_something_odd_leave_their_figure_out_and_raise_nothing(tmp_path, nonsense) -> None:
    odd = {
        "proc__meminfo": f"MemTotal: {nonsense}\n{nonsense}",
        "proc__uptime": f"u{nonsense}",
        "sys__class__thermal__thermal_zone0__temp": f"t{nonsense}",
        "sys__block__mmcblk0__device__life_time": nonsense,
        "sys__block__mmcblk0__device__pre_eol_info": nonsense,
    }
    found = board(tmp_path, **odd).health(tmp_path)
    unset = (found.uptime_s, found.cpu_celsius, found.card_life_used_percent)
    assert set(map(type, unset)) == {msgspec.UnsetType}


def test_a_worn_card_says_so(tmp_path) -> None:
    worn = {"sys__block__mmcblk0__device__life_time": "0x0b 0x03", "sys__block__mmcblk0__device__pre_eol_info": "0x03"}
    found = board(tmp_path, **worn).health(tmp_path)
    assert (found.card_life_used_percent, found.card_end_of_life) == (110, "urgent")


def test_this_very_machine_can_be_read(tmp_path) -> None:
    found = Machine().health(tmp_path)
    assert isinstance(found, MachineHealth) and found.memory_bytes > 0 and found.daemon_bytes > 0


@pytest.mark.parametrize(
    ("bootstatus", "is_it"), [("0", False), ("32", True), ("0x20", True), ("1", False), ("x", False)]
)
def test_a_watchdog_says_whether_it_ended_the_boot_before(tmp_path, bootstatus, is_it) -> None:
    machine = board(tmp_path, **{"sys__class__watchdog__watchdog0__bootstatus": bootstatus})
    assert machine.was_reset_by_watchdog() == is_it
