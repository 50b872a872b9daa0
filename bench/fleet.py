"""A broker comes back to all of its kiosks at once: `python -m bench fleet`.

Every kiosk is a real uplink with a TLS session of its own, 1,000 of them (150 with `--quick`) in a few processes; only
their stores are empty. The broker is killed, stays away for some seconds and comes back, five times, each time to a
fleet that had started anew: uplinks that lost one connection after the other would be more careful already.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.peers.fleet_part import SITE, name_of
from bench.row import LEAST_ROUNDS, Row
from provisioning.authority import Authority
from provisioning.local_broker import LocalBroker
from provisioning.local_deployment import wait_until

KIOSKS, QUICK_KIOSKS = 1_000, 150
A_PROCESS = 100  # select(2), which paho uses, takes no descriptor above 1,023
AWAY_S = 5.0
WITHIN_S = 400.0
SLICE_S = 0.1
HERD_BAR = 0.15  # an even spread over the first pause (1 to 3 s) is 0.05


class Return(NamedTuple):
    """One return: the busiest moments as shares of the fleet, and the seconds until half and all of it are back."""

    busiest: float
    busiest_answered: float
    half_s: float
    all_s: float


def run(quick: bool) -> list[Row]:
    """Let the broker go and come back."""
    kiosks = QUICK_KIOSKS if quick else KIOSKS
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        authority = Authority.create(folder / "authority")
        for number in range(kiosks):
            authority.issue_kiosk(folder / name_of(number), SITE, name_of(number))
        with LocalBroker(folder / "broker", authority) as broker:
            found = [_round(folder, broker, kiosks) for _ in range(LEAST_ROUNDS)]
    busiest, busiest_answered, half_s, all_s = (statistics.median(column) for column in zip(*found, strict=True))
    together = f"{kiosks:,} TLS sessions, each a real uplink; without jitter it is 1"
    return [
        Row("attempts in the busiest 0.1 s, of the fleet", busiest, "x", bar=HERD_BAR, beside=together),
        Row("the same once the broker listens again", busiest_answered, "x", bar=HERD_BAR),
        Row("half of the fleet is back after", half_s, "s"),
        Row("all of it is back after", all_s, "s"),
    ]


@contextmanager
def _fleet(folder: Path, port: int, kiosks: int) -> Iterator[list[Path]]:
    """Run the fleet and give the files in which its processes say what happens."""
    logs = []
    with ExitStack() as stack:
        for first in range(0, kiosks, A_PROCESS):
            logs.append(folder / f"part-{first}.log")
            count = min(A_PROCESS, kiosks - first)
            command = [sys.executable, "-m", "bench.peers.fleet_part", str(folder), str(port), str(first), str(count)]
            part = stack.enter_context(subprocess.Popen(command, stdout=logs[-1].open("w")))
            stack.callback(part.terminate)
        yield logs


def _said(logs: list[Path], what: str, since_s: float = -math.inf) -> list[float]:
    """Return when something happened since then, in order."""
    lines = (line.split() for log in logs for line in log.read_text().rpartition("\n")[0].splitlines())
    return sorted(at_s for word, at in lines if word == what and (at_s := float(at)) >= since_s)


def _until_connected(logs: list[Path], kiosks: int, since_s: float = -math.inf) -> None:
    wait_until(lambda: len(_said(logs, "connected", since_s)) >= kiosks, WITHIN_S, "the whole fleet connects")


def _round(folder: Path, broker: LocalBroker, kiosks: int) -> Return:
    with _fleet(folder, broker.port, kiosks) as logs:
        _until_connected(logs, kiosks)
        gone_s = time.monotonic()
        broker.kill()
        time.sleep(AWAY_S)
        broker.start()
        back_s = time.monotonic()
        _until_connected(logs, kiosks, gone_s)
    connected = _said(logs, "connected", gone_s)
    busiest, answered = (_busiest(_said(logs, "attempt", since_s)) / kiosks for since_s in (gone_s, back_s))
    return Return(busiest, answered, connected[kiosks // 2] - back_s, connected[-1] - back_s)


def _busiest(times: list[float]) -> int:
    """Return how many fall into the fullest slice of time."""
    return max(Counter(int(at_s / SLICE_S) for at_s in times).values(), default=0)
