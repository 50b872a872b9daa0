"""Throws altered seals at the readers for as long as asked: `python -m tests.fuzz.fuzz_vds [seconds]`.

VDS and VDS-NC in turn. Always looked for: an exception, a check without its one verdict, a field that JSON cannot
carry, or more than 50 ms.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from edge.documents import vds, vds_nc
from edge.documents.trust import TrustList
from tests.edge.documents.pki import issue, trust_list
from tests.fuzz.altering import altered_forever

VECTORS = Path(__file__).parents[1] / "vectors"
SEALS = tuple(
    bytes.fromhex(json.loads(line)["seal"]).decode("latin-1")
    for line in (VECTORS / "vds-public.jsonl").read_text().splitlines()
)
NC_SEAL = (VECTORS / "vds-nc-worked-example.json").read_text().strip()
ALPHABET = "\x00\x01\x02\x03\x04\x30\x7f\x80\x81\x82\xdc\xfe\xff" + '{}[]":,0A\\u\ud7ff'

if __name__ == "__main__":
    trust = TrustList.from_bytes(trust_list(issue("TS", serial=0x32)))
    for payload in altered_forever((*SEALS, NC_SEAL), ALPHABET):
        for reader in (vds, vds_nc):
            document = reader.parse(payload, today=date(2026, 11, 22), trust=trust, health=True)
            assert tuple(verdict.check for verdict in document.verdicts) == reader.CHECKS
            json.dumps(document.fields)
