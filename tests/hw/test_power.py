"""What the board says of its supply, from a copy of the files that its drivers show."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw.power import Throttled, throttled


def firmware(sys: Path, text: str, soc: str = "soc/soc:firmware") -> None:
    """Let the firmware's driver show this word."""
    folder = sys / "devices/platform" / soc
    folder.mkdir(parents=True)
    (folder / "get_throttled").write_text(text)


def monitor(sys: Path, text: str, name: str = "rpi_volt\n") -> None:
    """Let the voltage monitor's driver show this alarm; another chip comes before it."""
    for number, chip in ((0, "cpu_thermal\n"), (1, name)):
        folder = sys / f"class/hwmon/hwmon{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(chip)
        (folder / "in0_lcrit_alarm").write_text(text if number else "1\n")


def test_a_board_that_says_nothing_is_not_a_board_with_a_good_supply(tmp_path) -> None:
    assert throttled(tmp_path) is None


def test_a_good_supply_has_no_flags(tmp_path) -> None:
    firmware(tmp_path, "0\n")
    assert throttled(tmp_path) == Throttled(0)
    assert Throttled(0).words == ()


@pytest.mark.parametrize("soc", ["soc/soc:firmware", "soc@107c000000/soc@107c000000:firmware"])
def test_the_word_of_the_firmware_is_hexadecimal_without_a_prefix(tmp_path, soc) -> None:
    firmware(tmp_path, "50005\n", soc)
    found = throttled(tmp_path)
    assert found is not None
    assert found.words == ("under_voltage", "throttled", "under_voltage_occurred", "throttled_occurred")


def test_bits_that_nobody_has_given_a_meaning_are_left_out(tmp_path) -> None:
    firmware(tmp_path, "80000012\n")
    assert throttled(tmp_path) == Throttled.FREQUENCY_CAPPED


@pytest.mark.parametrize(("text", "flags"), [("1\n", Throttled.UNDER_VOLTAGE), ("0\n", Throttled(0))])
def test_the_alarm_of_the_voltage_monitor_is_enough(tmp_path, text, flags) -> None:
    monitor(tmp_path, text)
    assert throttled(tmp_path) == flags


def test_the_alarm_adds_to_what_the_firmware_says(tmp_path) -> None:
    firmware(tmp_path, "20000\n")
    monitor(tmp_path, "1\n")
    assert throttled(tmp_path) == Throttled.UNDER_VOLTAGE | Throttled.FREQUENCY_CAPPED_OCCURRED


def test_files_with_something_else_in_them_say_nothing(tmp_path) -> None:
    firmware(tmp_path, "throttled=0x0\n")
    monitor(tmp_path, "1\n", name="\xff")
    assert throttled(tmp_path) is None
