"""How long the kiosk needs for one EU certificate: `python -m bench.dcc`.

Prints the first read in a fresh process (imports included) and the median of the following ones, over the public cases
of the EU that verify. The aim is less than 2 ms for one.
"""

from __future__ import annotations

import json
import statistics
import time
from datetime import datetime
from pathlib import Path

from edge.documents import dcc
from edge.documents.trust import TrustList

CASES = Path(__file__).parent.parent / "tests" / "vectors" / "dcc-public.jsonl"
ROUNDS = 40
AIM_MS = 2.0


def main() -> None:
    """Read every verifying case `ROUNDS` times and print what it took."""
    cases = [json.loads(line) for line in CASES.read_text().splitlines()]
    cases = [case for case in cases if case["calc"].get("sig_ok") and case["calc"].get("kid_matches_cert")]
    start = time.perf_counter()
    trust = TrustList.from_bytes(_list_of(cases))
    loaded_ms = (time.perf_counter() - start) * 1000
    took_ms = [_read_ms(case, trust) for _ in range(ROUNDS) for case in cases]
    print(f"trust list for {len(cases)} cases: {loaded_ms:.1f} ms, libraries loaded on the way")
    print(f"first certificate:     {took_ms[0]:.2f} ms")
    print(f"median of {len(took_ms)}:        {statistics.median(took_ms):.2f} ms (aim: {AIM_MS} ms)")
    print(f"99th percentile:       {statistics.quantiles(took_ms, n=100)[98]:.2f} ms")


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


if __name__ == "__main__":
    main()
