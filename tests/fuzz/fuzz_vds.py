"""Altered seals: VDS and VDS-NC.

Looked for: an exception, a check without its one verdict, a field that JSON cannot carry.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path

from edge.documents import vds, vds_nc
from edge.documents.trust import TrustList
from tests.edge.documents.pki import issue, trust_list
from tests.fuzz.altering import Payload, Target

VECTORS = Path(__file__).parents[1] / "vectors"
SEALS = tuple(
    bytes.fromhex(json.loads(line)["seal"]).decode("latin-1")
    for line in (VECTORS / "vds-public.jsonl").read_text().splitlines()
)
NC_SEAL = (VECTORS / "vds-nc-worked-example.json").read_text().strip()
BYTES = "\x00\x01\x02\x03\x04\x30\x7f\x80\x81\x82\xdc\xfe\xff"
SIGNS = '{}[]":,0A\\u\ud7ff'


@cache
def trust() -> TrustList:
    """Return a list with one signer of Utopia."""
    return TrustList.from_bytes(trust_list(issue("TS", serial=0x32)))


def check_vds(payload: Payload) -> None:
    """Read one payload as a VDS and assert what holds for every payload."""
    _check(vds, payload)


def check_vds_nc(payload: Payload) -> None:
    """Read one payload as a VDS-NC and assert what holds for every payload."""
    _check(vds_nc, payload)


def _check(standard, payload: Payload) -> None:
    document = standard.parse(payload, today=date(2026, 11, 22), trust=trust(), health=True)
    assert tuple(verdict.check for verdict in document.verdicts) == standard.CHECKS
    json.dumps(document.fields)


TARGETS = (
    Target("vds", SEALS, BYTES, check_vds),
    Target("vds-nc", (NC_SEAL,), SIGNS + BYTES, check_vds_nc),
)
