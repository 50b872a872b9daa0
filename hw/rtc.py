"""The battery-backed clock, as the kernel shows it.

Owns where it is found. Always true: a clock that is not there, or does not answer, is None.
"""

from __future__ import annotations

from pathlib import Path

SYS = Path("/sys")


def rtc_time_s(sys: Path = SYS) -> float | None:
    """Return the time of the first battery-backed clock as Unix time, or None where there is none that answers."""
    try:
        return float((sys / "class/rtc/rtc0/since_epoch").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
