"""How fast the card is at what the store does: small writes, each of them synced, and some megabytes at once.

Owns the measure and its limits. Always true: the file has no name, so that nothing is left behind, not even by a power
cut; at most `MOST_BYTES` are written, and nothing where that would take room from the store.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.disk import MB, free_bytes
from edge.errors import StoreError

PAGE_BYTES = 4096
SYNCS = 64
PIECE_BYTES = 1024 * 1024
PIECES = 8
MOST_BYTES = SYNCS * PAGE_BYTES + PIECES * PIECE_BYTES
LONGEST_S = 15.0  # a card that is slower is known well enough by then

SLOW_SYNC_MS = 200.0  # the lamp waits for one sync
FAILED_SYNC_MS = 1000.0
SLOW_MB_S = 4.0  # a class 10 card writes 10


@dataclass(frozen=True, slots=True)
class CardSpeed:
    """What was measured: the median of the synced writes, the slowest of twenty, and megabytes a second."""

    syncs: int
    sync_p50_ms: float
    sync_p95_ms: float
    write_mb_s: float


def measure_card(folder: Path, keep_free: int, clock_s: Callable[[], float] = time.monotonic) -> CardSpeed:
    """Measure the file system of a folder; raise `StoreError` where it is full, down to `keep_free` bytes, or fails."""
    free = free_bytes(folder)
    if free < keep_free + 2 * MOST_BYTES:
        raise StoreError(f"{free // MB} MB are free, too little to try", remedy="free space, then run this again")
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            return _measured(file.fileno(), clock_s)
    except OSError as error:
        raise StoreError(
            f"{folder}: {error.strerror}", remedy="look at the card: `journalctl -k`; then replace it"
        ) from None


def _measured(file: int, clock_s: Callable[[], float]) -> CardSpeed:
    until_s = clock_s() + LONGEST_S
    page, piece = os.urandom(PAGE_BYTES), os.urandom(PIECE_BYTES)
    times_s: list[float] = []
    while len(times_s) < SYNCS and (not times_s or clock_s() < until_s):
        began_s = clock_s()
        os.pwrite(file, page, len(times_s) * PAGE_BYTES)
        os.fdatasync(file)
        times_s.append(clock_s() - began_s)
    began_s, written = clock_s(), 0
    while written < PIECES * PIECE_BYTES and (not written or clock_s() < until_s):
        written += os.pwrite(file, piece, SYNCS * PAGE_BYTES + written)
        os.fdatasync(file)
    took_s = max(clock_s() - began_s, 1e-9)
    times_s.sort()
    return CardSpeed(
        len(times_s),
        round(1000 * times_s[len(times_s) // 2], 2),
        round(1000 * times_s[len(times_s) * 95 // 100], 2),
        round(written / took_s / 1e6, 1),
    )
