"""What the board says of its supply: the firmware's throttling flags and the alarm of its voltage monitor.

Owns the meaning of the bits, and reads files of /sys alone: `vcgencmd get_throttled` prints the same word, but needs a
child process and a device that the unit's sandbox keeps shut. Always true: a board that says nothing is `None`, which
is not the same as a good supply.
"""

from __future__ import annotations

from enum import IntFlag
from pathlib import Path

SYS = Path("/sys")


class Throttled(IntFlag):
    """The firmware's word: what is so now (bits 0-3), and what has been so since it was last asked (bits 16-19)."""

    UNDER_VOLTAGE = 1 << 0
    FREQUENCY_CAPPED = 1 << 1
    THROTTLED = 1 << 2
    SOFT_TEMPERATURE_LIMIT = 1 << 3
    UNDER_VOLTAGE_OCCURRED = 1 << 16
    FREQUENCY_CAPPED_OCCURRED = 1 << 17
    THROTTLED_OCCURRED = 1 << 18
    SOFT_TEMPERATURE_LIMIT_OCCURRED = 1 << 19

    @property
    def words(self) -> tuple[str, ...]:
        """Return the names of the flags in lower case, as health tells them."""
        return tuple(flag.name.lower() for flag in Throttled if flag in self and flag.name)


def throttled(sys: Path = SYS) -> Throttled | None:
    """Return what a Raspberry Pi says of its supply and its heat, or None on a board that says nothing."""
    word = _firmware_word(sys)
    alarm = _voltage_alarm(sys)
    if word is None and alarm is None:
        return None
    return (word or Throttled(0)) | (Throttled.UNDER_VOLTAGE if alarm else Throttled(0))


def _firmware_word(sys: Path) -> Throttled | None:
    for file in sorted(sys.glob("devices/platform/soc*/*:firmware/get_throttled")):
        if (word := _number(file, base=16)) is not None:
            return Throttled(word & sum(Throttled))
    return None


def _voltage_alarm(sys: Path) -> bool | None:
    """Return whether the driver raspberrypi-hwmon has seen too low a voltage at its last look, some seconds ago."""
    for chip in sorted(sys.glob("class/hwmon/hwmon*")):
        try:
            is_it = (chip / "name").read_text(encoding="ascii").strip() == "rpi_volt"
        except (OSError, UnicodeDecodeError):
            continue
        if is_it and (alarm := _number(chip / "in0_lcrit_alarm", base=10)) is not None:
            return bool(alarm)
    return None


def _number(file: Path, *, base: int) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"), base)
    except (OSError, ValueError):
        return None
