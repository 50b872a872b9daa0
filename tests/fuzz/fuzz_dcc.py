"""Throws altered EU certificates at the reader for as long as asked: `python -m tests.fuzz.fuzz_dcc [seconds]`.

Two layers are altered: the text of the QR code, and the CBOR inside, wrapped up again. Always looked for: an exception,
a check without its one verdict, a field that JSON cannot carry, or more than 50 ms.
"""

from __future__ import annotations

import json
import zlib
from datetime import date
from pathlib import Path

import base45

from edge.documents.dcc import CHECKS, parse
from edge.documents.trust import TrustList
from tests.edge.documents.pki import trust_list
from tests.fuzz.altering import altered_forever

CASES = [
    json.loads(line)["input"]
    for line in (Path(__file__).parents[1] / "vectors" / "dcc-public.jsonl").read_text().splitlines()[:6]
]
TEXTS = tuple(case["prefix"] for case in CASES)
MESSAGES = tuple(zlib.decompress(base45.b45decode(text[4:])).decode("latin-1") for text in TEXTS)
BYTES = bytes.fromhex("00011b405a7f819fa1bfc0c2c4c5d8fbff").decode("latin-1")
MARK = "\u2063"  # never part of a certificate: tells the two kinds of seed apart


def _text_of(altered: str | bytes) -> str | bytes:
    """Return an altered text as it is, and an altered message wrapped up again."""
    text = altered if isinstance(altered, str) else altered.decode("utf-8", "replace")
    if not text.startswith(MARK):
        return altered
    return b"HC1:" + base45.b45encode(zlib.compress(text.strip(MARK).encode("latin-1", "replace")))


if __name__ == "__main__":
    trust = TrustList.from_bytes(trust_list(*({"certificate": case["certificate"]} for case in CASES)))
    seeds = TEXTS + tuple(MARK + message for message in MESSAGES)
    for altered in altered_forever(seeds, BYTES + "HC1:0AZ $%*+-./"):
        payload = _text_of(altered)
        document = parse(payload, today=date(2021, 6, 1), trust=trust, health=True)
        assert tuple(verdict.check for verdict in document.verdicts) == CHECKS
        json.dumps(document.fields)
