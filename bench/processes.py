"""What processes take: CPU time and memory, as the kernel counts them (proc(5)).

Always true: memory that several processes share counts once among them (proportional set size), so that figures may be
added up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """CPU seconds since the start, ended children included, and bytes of memory."""

    cpu_s: float
    memory_bytes: int


def usage(parts: Mapping[str, Callable[[], Iterable[int]]]) -> dict[str, Usage]:
    """Return what each part takes, the processes that it consists of now together."""
    found = {}
    for name, pids in parts.items():
        ones = [_usage(pid) for pid in pids()]
        found[name] = Usage(sum(one.cpu_s for one in ones), sum(one.memory_bytes for one in ones))
    return found


def children(parent: int) -> list[int]:
    """Return the processes that another has started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int(_fields(int(process.name))[1]) == parent:
                found.append(int(process.name))
        except FileNotFoundError:
            pass  # it has ended
    return found


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process and its ended children have taken."""
    return sum(map(int, _fields(pid)[11:15])) / _TICKS_PER_S


def _usage(pid: int) -> Usage:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    kib = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return Usage(cpu_s(pid), kib * 1024)


def _fields(pid: int) -> list[str]:
    """Return what stands behind the name of a process: its state, its parent, and so on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
