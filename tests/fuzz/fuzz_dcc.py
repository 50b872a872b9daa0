"""Altered EU certificates, in two layers: the text of the QR code, and the CBOR inside, wrapped up again.

Looked for: an exception, a check without its one verdict, a field that JSON cannot carry.
"""

from __future__ import annotations

import json
import zlib
from datetime import date
from functools import cache
from pathlib import Path

import base45

from edge.documents.dcc import CHECKS, parse
from edge.documents.trust import TrustList
from tests.edge.documents.pki import trust_list
from tests.fuzz.altering import Payload, Target

CASES = [
    json.loads(line)["input"]
    for line in (Path(__file__).parents[1] / "vectors" / "dcc-public.jsonl").read_text().splitlines()[:6]
]
TEXTS = tuple(case["prefix"] for case in CASES)
MESSAGES = tuple(zlib.decompress(base45.b45decode(text[4:])).decode("latin-1") for text in TEXTS)
BYTES = bytes.fromhex("00011b405a7f819fa1bfc0c2c4c5d8fbff").decode("latin-1")
MARK = "\u2063"  # never part of a certificate: tells the two kinds of seed apart


@cache
def trust() -> TrustList:
    """Return a list with the signers of the seeds."""
    return TrustList.from_bytes(trust_list(*({"certificate": case["certificate"]} for case in CASES)))


def wrapped(altered: Payload) -> Payload:
    """Return an altered text as it is, and an altered message wrapped up again."""
    text = altered if isinstance(altered, str) else altered.decode("utf-8", "replace")
    if not text.startswith(MARK):
        return altered
    return b"HC1:" + base45.b45encode(zlib.compress(text.strip(MARK).encode("latin-1", "replace")))


def check_dcc(payload: Payload) -> None:
    """Read one payload and assert what holds for every payload."""
    document = parse(payload, today=date(2021, 6, 1), trust=trust(), health=True)
    assert tuple(verdict.check for verdict in document.verdicts) == CHECKS
    json.dumps(document.fields)


TARGETS = (
    Target("dcc", TEXTS + tuple(MARK + message for message in MESSAGES), BYTES + "HC1:0AZ $%*+-./", check_dcc, wrapped),
)
