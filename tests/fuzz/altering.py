"""Alters seeds at random, with a seed of its own that is printed: cuts, repeats, swaps and replaces characters.

Owns the clock of a fuzz run and the limit on one input; the fuzz files own what must hold.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator

_LIMIT_S = 0.05
_LONGEST = 65536


def altered_forever(seeds: tuple[str, ...], alphabet: str) -> Iterator[str | bytes]:
    """Yield altered seeds until the seconds on the command line (10 where none are given) are over.

    Prints the random seed, and the slowest input's time at the end; raises AssertionError when one takes above 50 ms
    three times in a row (once may be the machine's doing).
    """
    run_s = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()
    chance = random.Random(seed)
    print(f"seed {seed}")
    count, slowest, slow_in_a_row = 0, 0.0, 0
    ends = time.monotonic() + run_s
    while time.monotonic() < ends:
        payload = _altered(chance.choice(seeds), alphabet, chance)
        for _ in range(3):
            started = time.perf_counter()
            yield payload
            took = time.perf_counter() - started
            if took <= _LIMIT_S:
                slow_in_a_row = 0
                break
            slow_in_a_row += 1
        assert slow_in_a_row < 3, f"an input of {len(payload)} characters takes {took:.3f} s"
        count, slowest = count + 1, max(slowest, took)
    print(f"{count} inputs, the slowest took {slowest * 1000:.2f} ms")


def _altered(text: str, alphabet: str, chance: random.Random) -> str | bytes:
    for _ in range(chance.randint(0, 6)):
        place = chance.randint(0, len(text))
        other = min(len(text), place + chance.randint(0, 12))
        match chance.randint(0, 5):
            case 0:
                text = text[:place]
            case 1:
                text = text[:place] + text[other:]
            case 2:
                text = text[:other] + text[place:other] * chance.randint(1, 200) + text[other:]
            case 3:
                text = text[:place] + chance.choice(alphabet) + text[place + 1 :]
            case 4:
                text = text[:place] + chance.choice(alphabet) * chance.randint(1, 300) + text[place:]
            case _:
                text = text[:place] + "".join(chance.choices(alphabet, k=other - place)) + text[other:]
    text = text[:_LONGEST]
    return text if chance.random() < 0.5 else text.encode("utf-8")
