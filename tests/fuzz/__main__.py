"""Throw altered inputs at every parser: `make fuzz`, or `python -m tests.fuzz [TARGET ...] [--inputs N] [--seconds S]`.

Owns the run: how many inputs, how long, and what happens to one that breaks something. Looked for, besides what the
target itself looks for: an input that takes more than 50 ms of CPU, or the target's own limit, three times in a
row (once may be the machine's doing). What breaks something is kept in `tests/fuzz/cases`, where `test_fuzz.py` reads
it for ever. Exit status 1 when something broke. `tests.fuzz.guided` does the same by coverage.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.fuzz import cases, fuzz_aamva, fuzz_bcbp, fuzz_dcc, fuzz_mrz, fuzz_reading, fuzz_vds
from tests.fuzz.altering import Payload, Target

TARGETS = {
    target.name: target
    for module in (fuzz_mrz, fuzz_bcbp, fuzz_aamva, fuzz_vds, fuzz_dcc, fuzz_reading)
    for target in module.TARGETS
}
_SLICE = 500


def seconds_for(target: Target, payload: Payload, limit_s: float) -> float:
    """Check one payload and return how long it took: the least of three, when the first was above the limit."""
    took = float("inf")
    for _ in range(3):
        started = time.process_time()  # what others do on this machine is not counted
        target.check(payload)
        took = min(took, time.process_time() - started)
        if took <= limit_s:
            break
    assert took <= limit_s, f"{len(payload)} characters take {took:.3f} s"
    return took


def fuzz(target: Target, seed: int, inputs: int, seconds: float, progress: Progress) -> bool:
    """Throw inputs at one parser; tell whether it held. The first that breaks it ends the run of this parser."""
    chance = random.Random(f"{seed}/{target.name}")
    task = progress.add_task(target.name, total=inputs)
    ends, slowest, count = time.monotonic() + seconds, 0.0, 0
    while count < inputs and time.monotonic() < ends:
        for _ in range(min(_SLICE, inputs - count)):
            payload = target.altered(chance)
            try:
                slowest = max(slowest, seconds_for(target, payload, target.limit_s))
            except Exception:  # whatever it is, it is what was looked for
                kept = cases.keep(target.name, payload)
                progress.console.print(traceback.format_exc(), markup=False)
                progress.console.print(f"{target.name}: broke on input {count}, kept as {kept}", style="bold red")
                return False
            count += 1
        progress.update(task, completed=count)
    progress.console.print(f"{target.name}: {count:,} inputs, the slowest took {slowest * 1000:.1f} ms")
    return True


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0], prog="python -m tests.fuzz")
    parser.add_argument("target", nargs="*", choices=[*TARGETS, []], help=f"one of {', '.join(TARGETS)} [all]")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each parser [1000000]")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="at most so long for each parser")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="repeats a run")
    options = parser.parse_args()
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        progress.console.print(f"seed {options.seed}")
        chosen = [TARGETS[name] for name in options.target or TARGETS]
        held = [fuzz(target, options.seed, options.inputs, options.seconds, progress) for target in chosen]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
