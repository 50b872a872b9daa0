"""How long the kiosk needs for one EU certificate, signature verified: `python -m bench dcc`.

Over the public cases of the EU that verify. The aim is less than 2 ms for one.
"""

from __future__ import annotations

import json
import statistics
import time
from datetime import datetime
from pathlib import Path

from bench.row import LEAST_ROUNDS, Row
from edge.documents import dcc
from edge.documents.trust import TrustList

CASES = Path(__file__).parent.parent / "tests" / "vectors" / "dcc-public.jsonl"
ROUNDS = 40
AIM_MS = 2.0


def run(quick: bool) -> list[Row]:
    """Read every verifying case some times."""
    cases = [json.loads(line) for line in CASES.read_text().splitlines()]
    cases = [case for case in cases if case["calc"].get("sig_ok") and case["calc"].get("kid_matches_cert")]
    start = time.perf_counter()
    trust = TrustList.from_bytes(_list_of(cases))
    loaded_ms = (time.perf_counter() - start) * 1000
    rounds = [[_read_ms(case, trust) for case in cases] for _ in range(LEAST_ROUNDS if quick else ROUNDS)]
    took_ms = [took for one in rounds for took in one]
    return [
        Row(f"trust list of {len(cases)} signers, libraries loaded on the way", loaded_ms, "ms"),
        Row("first certificate", took_ms[0], "ms"),
        Row("a certificate, median", statistics.median(took_ms), "ms", bar=AIM_MS),
        Row("a certificate, 99th percentile", statistics.quantiles(took_ms, n=100)[98], "ms"),
    ]


def _list_of(cases: list[dict]) -> bytes:
    certificates = dict.fromkeys(case["input"]["certificate"] for case in cases)
    signers = [{"certificate": certificate} for certificate in certificates]
    return json.dumps(
        {"issued_at": "2021-01-01T00:00:00Z", "fresh_until": "2022-01-01T00:00:00Z", "signers": signers}
    ).encode()


def _read_ms(case: dict, trust: TrustList) -> float:
    today = datetime.fromisoformat(case["input"]["validation_clock"].replace("Z", "+00:00")).date()
    start = time.perf_counter()
    document = dcc.parse(case["input"]["prefix"], today=today, trust=trust)
    took_ms = (time.perf_counter() - start) * 1000
    assert next(item for item in document.verdicts if item.check == "signature").result == "ok"
    return took_ms
