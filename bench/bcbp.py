"""How long it takes to read a boarding pass: `python -m bench bcbp`.

The limits are those of the kiosk: 100 us for a pass, 50 ms for any payload.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from bench.row import LEAST_ROUNDS, Row, medians_us
from edge.documents.bcbp import encode, parse

VECTORS = Path(__file__).parents[1] / "tests" / "vectors" / "bcbp-public.jsonl"
TODAY = date(2026, 8, 14)
LIMIT_US = 100
LIMIT_MS = 50
FLOOR = "a JSON round trip of its fields"


def run(quick: bool) -> list[Row]:
    """Measure, beside what a JSON round trip of the same fields costs."""
    passes = [json.loads(line)["input"]["text"] for line in VECTORS.read_text().splitlines()]
    shortest, longest = min(passes, key=len), max(passes, key=len)
    fields = parse(longest, today=TODAY).fields
    rounds, calls = (LEAST_ROUNDS, 500) if quick else (15, 2000)
    rows = []
    for what, call in (
        ("parse, mandatory items only", lambda: parse(shortest, today=TODAY)),
        ("parse, two legs with everything", lambda: parse(longest, today=TODAY)),
        ("encode, the same", lambda: encode(fields)),
    ):
        took, floor = medians_us(call, lambda: json.loads(json.dumps(fields)), calls=calls, rounds=rounds)
        rows.append(Row(what, took, "us", bar=LIMIT_US, beside=FLOOR, theirs=floor))
    for filler in ("^", "^10", ">", " ", "ABC123 YULFRAAC 0834 226F001A0025 100"):
        payload = (f"{shortest[:58]}ZZ" + filler * 65536)[:65536].encode()  # a size that leads nowhere
        (took,) = medians_us(lambda payload=payload: parse(payload, today=TODAY), calls=1)
        rows.append(Row(f"64 KiB of {filler[:6]!r}", took / 1000, "ms", bar=LIMIT_MS))
    return rows
