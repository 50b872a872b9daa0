"""Altered seals: VDS and VDS-NC.

The certificate inside a VDS-NC, which anybody may have made, is altered by itself too. Looked for: an exception, a
check without its one verdict, a field that JSON cannot carry.
"""

from __future__ import annotations

import base64
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
CERTIFICATE_BYTES = BYTES + "\x05\x06\x0a\x0c\x13\x17\x2a\x31\x55\xa0\xa3"
SIGNS = '{}[]":,0A\\u\ud7ff'


AUTHORITY = issue("UT")
ISSUED = issue("TS", issuer=AUTHORITY, usages=("2.23.136.1.1.14.1",))


@cache
def trust() -> TrustList:
    """Return a list with one signer of Utopia, and one authority."""
    listed = trust_list(issue("TS", serial=0x32), authorities=[{"certificate": AUTHORITY.base64, "state": "UTO"}])
    return TrustList.from_bytes(listed)


def with_certificate(altered: Payload) -> Payload:
    """Return the worked example with another certificate in it."""
    der = (
        altered.encode("latin-1", "replace")
        if isinstance(altered, str)
        else altered.decode().encode("latin-1", "replace")
    )
    seal = json.loads(NC_SEAL)
    seal["sig"]["cer"] = base64.urlsafe_b64encode(der).decode().rstrip("=")
    return json.dumps(seal)


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
    Target("certificate", (ISSUED.der.decode("latin-1"),), CERTIFICATE_BYTES, check_vds_nc, with_certificate),
)
