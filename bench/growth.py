"""What a long outage costs: `python -m bench growth`, with 1,000 and with 1,000,000 crossings in the store.

The time to record one more crossing and to read the next batch for the wire, in turns on both stores; and the memory
of the daemon itself on either, while it tries in vain to drain it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.cache import BODY_BYTES, LandfallCache
from bench.footprint import BARE_LANE, SITE, resident_mib
from bench.post import Desk, Keys, draft
from bench.row import Row
from edge.cache import CacheReader
from edge.wire.topics import Stream
from provisioning.local_deployment import LocalDeployment

FEW, MANY, QUICK_MANY = 1_000, 1_000_000, 100_000
ROUNDS = 40
A_ROUND = 10
RATIO_BAR = 1.2
MEMORY_BAR_MIB = 5
SETTLE_S = 5.0


def run(quick: bool) -> list[Row]:
    """Fill two stores, and compare."""
    counts = {FEW: "few", (QUICK_MANY if quick else MANY): "many"}
    with tempfile.TemporaryDirectory() as folder, LocalDeployment(Path(folder)) as deployment:
        homes = {}
        for count, name in counts.items():
            deployment.add_kiosk(SITE, name, lane=BARE_LANE)
            homes[count] = deployment.kiosk_folder(SITE, name)
            store = LandfallCache(homes[count])
            store.fill(count, b"a" * BODY_BYTES)
            store.close()
            (homes[count] / "kiosk.db").rename(homes[count] / "cache.db")
        times = _times({count: home / "cache.db" for count, home in homes.items()})
        memory = {count: _memory(deployment, name) for count, name in counts.items()}
    few, many = counts
    rows = []
    for what in times[few]:
        ratio = statistics.median(a / b for a, b in zip(times[many][what], times[few][what], strict=True))
        rows.append(Row(f"{what}, {many:,} queued against {few:,}", ratio, "x", bar=RATIO_BAR))
        medians = [statistics.median(times[count][what]) * 1e6 for count in (many, few)]
        rows.append(Row(f"{what}, {many:,} queued", medians[0], "us", beside=f"{few:,} queued", theirs=medians[1]))
    grown = memory[many] - memory[few]
    rows.append(Row(f"memory of the daemon with {few:,} queued", memory[few], "MiB"))
    rows.append(Row(f"memory that {many:,} queued add", grown, "MiB", bar=MEMORY_BAR_MIB))
    return rows


def _times(stores: dict[int, Path]) -> dict[int, dict[str, list[float]]]:
    """Return seconds of each operation, a mean a round, while the stores take turns."""
    found: dict[int, dict[str, list[float]]] = {count: {"a crossing": [], "a batch to send": []} for count in stores}
    crossings = [draft(ordinal) for ordinal in range(1, A_ROUND + 1)]
    with ExitStack() as stack:
        desks = {count: stack.enter_context(Desk(path, Keys())) for count, path in stores.items()}
        readers = {count: stack.enter_context(CacheReader.open(path)) for count, path in stores.items()}
        for turn in range(ROUNDS):
            for count in stores:
                begin = time.perf_counter()
                for crossing in crossings:
                    desks[count].record(crossing)
                found[count]["a crossing"].append((time.perf_counter() - begin) / A_ROUND)
                begin = time.perf_counter()
                for number in range(A_ROUND):
                    readers[count].first_after(Stream.CROSSING, count // 2 + turn * A_ROUND + number, limit=500)
                found[count]["a batch to send"].append((time.perf_counter() - begin) / A_ROUND)
    return found


def _memory(deployment: LocalDeployment, name: str) -> float:
    kiosk = deployment.kiosks[f"{SITE}/{name}"]
    kiosk.start(ready="uplink connected")
    try:
        time.sleep(SETTLE_S)
        return resident_mib(kiosk.pid)
    finally:
        kiosk.stop()
