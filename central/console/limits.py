"""How many requests one address may make: a bucket of tokens each, refilled steadily.

Owns the counts, in memory; guessing passwords is slowed down by `central.console.throttle`, which survives a restart.
Always true: memory is bounded, whoever asks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable


class RequestLimit:
    """`burst` requests at once, then `per_s` a second; `clock` is monotonic, in seconds."""

    def __init__(
        self, clock: Callable[[], float], *, per_s: float = 20.0, burst: int = 200, addresses: int = 10_000
    ) -> None:
        self._clock = clock
        self._per_s = per_s
        self._burst = burst
        self._addresses = addresses
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> float:
        """Count a request and return 0, or return after how many seconds the next one is taken."""
        now_s = self._clock()
        tokens, at_s = self._buckets.pop(address, (float(self._burst), now_s))
        tokens = min(self._burst, tokens + (now_s - at_s) * self._per_s)
        is_taken = tokens >= 1
        self._buckets[address] = (tokens - is_taken, now_s)
        if len(self._buckets) > self._addresses:
            self._buckets.popitem(last=False)  # the one that has asked for nothing for the longest time
        return 0.0 if is_taken else (1 - tokens) / self._per_s
