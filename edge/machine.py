"""What the board, its memory and its card say of themselves, as files of /proc and /sys.

Owns which file tells what. Always true: a file that is missing, unreadable or says something odd leaves its figure out,
and nothing here raises; what the firmware once said of under-voltage is remembered as long as this object lives, since
some kernels forget it when they are asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import UNSET, UnsetType

from edge.wire.health import MachineHealth
from hw.power import Throttled, throttled

_NOW = sum(flag for flag in Throttled if flag < 1 << 16)
_LIFE_STEPS = range(1, 12)  # JEDEC JESD84-B51, DEVICE_LIFE_TIME_EST: 1 is 0-10 % used, 10 is 90-100 %, 11 is beyond
_SPARE_BLOCKS = {1: "normal", 2: "warning", 3: "urgent"}  # the same, PRE_EOL_INFO


class Machine:
    """Reads the machine; `root` is where its /proc and /sys are."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._seen = Throttled(0)

    def health(self, folder: Path) -> MachineHealth:
        """Return what is known now; `folder` lies on the file system whose room is told."""
        memory = dict(self._memory())
        disk_bytes, disk_free_bytes = _disk(folder)
        life, spare = self._card()
        now, since_boot = self._throttled()
        return MachineHealth(
            model=self._text("proc/device-tree/model") or UNSET,
            cpu_celsius=self._celsius(),
            throttled=now,
            throttled_since_boot=since_boot,
            memory_bytes=memory.get("MemTotal", UNSET),
            memory_free_bytes=memory.get("MemAvailable", UNSET),
            daemon_bytes=self._daemon_bytes(),
            disk_bytes=disk_bytes,
            disk_free_bytes=disk_free_bytes,
            card_life_used_percent=life,
            card_end_of_life=spare,
            uptime_s=self._uptime_s(),
        )

    def was_reset_by_watchdog(self) -> bool:
        """Tell whether a watchdog says that it has ended the boot before this one (WDIOF_CARDRESET, watchdog-api)."""
        return any(_integer(self._text(path)) & 0x20 for path in self._glob("sys/class/watchdog/*/bootstatus"))

    def _celsius(self) -> float | UnsetType:
        for zone in self._glob("sys/class/thermal/thermal_zone*/type"):
            if "cpu" in self._text(zone) or "soc" in self._text(zone):
                thousandths = _integer(self._text(zone.with_name("temp")), default=-1)
                return round(thousandths / 1000, 1) if thousandths >= 0 else UNSET
        return UNSET

    def _throttled(self) -> tuple[Any, Any]:
        found = throttled(self._root / "sys")
        if found is None:
            return UNSET, UNSET
        now = Throttled(found & _NOW)
        self._seen |= now | Throttled(found >> 16 & _NOW)
        return now.words, self._seen.words

    def _memory(self) -> Iterator[tuple[str, int]]:
        for line in self._text("proc/meminfo").splitlines():
            name, _, size = line.partition(":")
            if (kib := _integer(size.removesuffix("kB"), default=-1)) >= 0:
                yield name, kib * 1024

    def _daemon_bytes(self) -> int | UnsetType:
        pages = self._text("proc/self/statm").split()[1:2]
        return _integer(pages[0]) * os.sysconf("SC_PAGE_SIZE") if pages else UNSET

    def _uptime_s(self) -> float | UnsetType:
        try:
            return float(self._text("proc/uptime").split()[0])
        except (IndexError, ValueError):
            return UNSET

    def _card(self) -> tuple[int | UnsetType, str | UnsetType]:
        """Return the wear of the first card that tells; an SD card mostly does not, an eMMC does."""
        for path in self._glob("sys/block/mmcblk*/device/life_time"):
            steps = [step for word in self._text(path).split() if (step := _integer(word)) in _LIFE_STEPS]
            spare = _SPARE_BLOCKS.get(_integer(self._text(path.with_name("pre_eol_info"))), UNSET)
            if steps:
                return 10 * max(steps), spare
        return UNSET, UNSET

    def _glob(self, pattern: str) -> list[Path]:
        return sorted(self._root.glob(pattern))

    def _text(self, path: str | Path) -> str:
        try:
            return (self._root / path).read_bytes()[:65536].decode("ascii", "replace").strip("\0\n ")
        except OSError:
            return ""


def _integer(text: str, default: int = 0) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return default


def _disk(folder: Path) -> tuple[Any, Any]:
    try:
        found = os.statvfs(folder)
    except OSError:
        return UNSET, UNSET
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
