"""How long it takes to read a boarding pass: prints microseconds a pass, and milliseconds for hostile 64 KiB.

Run it with `python -m bench.bcbp`. The limits are those of the kiosk: 100 us for a pass, 50 ms for any payload.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from timeit import repeat

from edge.documents.bcbp import encode, parse

VECTORS = Path(__file__).parents[1] / "tests" / "vectors" / "bcbp-public.jsonl"
TODAY = date(2026, 8, 14)
CALLS = 2000
LIMIT_US = 100
LIMIT_MS = 50


def microseconds(call, calls: int = CALLS) -> float:
    """Return the best of five rounds, in microseconds a call."""
    return min(repeat(call, number=calls, repeat=5)) / calls * 1e6


def main() -> None:
    """Measure and print."""
    passes = [json.loads(line)["input"]["text"] for line in VECTORS.read_text().splitlines()]
    shortest, longest = min(passes, key=len), max(passes, key=len)
    fields = parse(longest, today=TODAY).fields
    floor = microseconds(lambda: json.loads(json.dumps(fields)))
    for name, call in (
        (f"parse, mandatory items only ({len(shortest)} characters)", lambda: parse(shortest, today=TODAY)),
        (f"parse, two legs with everything ({len(longest)} characters)", lambda: parse(longest, today=TODAY)),
        ("encode, the same", lambda: encode(fields)),
    ):
        took = microseconds(call)
        print(f"{name:58} {took:7.1f} us   {took / floor:4.1f} x a JSON round trip of its fields   limit {LIMIT_US} us")
    for filler in ("^", "^10", ">", " ", "ABC123 YULFRAAC 0834 226F001A0025 100"):
        payload = (f"{shortest[:58]}ZZ" + filler * 65536)[:65536].encode()  # a size that leads nowhere
        took = microseconds(lambda payload=payload: parse(payload, today=TODAY), calls=5) / 1000
        print(f"64 KiB of {filler[:6]!r:48} {took:7.2f} ms{'':37} limit {LIMIT_MS} ms")


if __name__ == "__main__":
    main()
