"""Altered documents of every kind, on the way that a kiosk takes: routing, framing, the trust list, the redaction.

Looked for: an exception; a document without verdicts; frames that depend on how the bytes were split; a redacted frame
of another length.
"""

from __future__ import annotations

import contextlib
from datetime import date

from edge.documents.read import read
from edge.documents.redact import redact
from edge.documents.trust import TrustList
from edge.errors import ContractError
from hw.framing import Family, Framer
from tests.edge.documents.pki import issue, trust_list
from tests.fuzz import fuzz_aamva, fuzz_bcbp, fuzz_dcc, fuzz_mrz, fuzz_vds
from tests.fuzz.altering import Payload, Target
from tests.hw.framing.samples import SAMPLES

MOST_IN_PIECES = 400
TODAY = date(2026, 11, 22)
DOCUMENTS = (
    *fuzz_mrz.SEEDS,
    *fuzz_bcbp.SEEDS,
    *fuzz_aamva.LICENCES,
    *fuzz_dcc.TEXTS[:2],
    *fuzz_vds.SEALS[:3],
    fuzz_vds.NC_SEAL,
)
MESSAGES = tuple(sample[0].decode("latin-1") for sample in SAMPLES.values())
ALPHABET = "]oLzM1P<@%;+{\xdc \r\n\x00\x01\x02\x03\x0e\x1c\x1eIA7"


def check_read(payload: Payload) -> None:
    """Route one payload."""
    document = read(payload, today=TODAY, unrecognised=(0, 5), health=True)
    assert document.verdicts
    assert document.is_understood or not document.of("ok") or document.kind in ("unknown",)


def check_framing(payload: Payload) -> None:
    """Frame one stream whole and in pieces, with the default framing and with one that is fixed."""
    raw = payload.encode("latin-1", "replace") if isinstance(payload, str) else payload
    for family in (Family.AUTO, tuple(Family)[len(raw) % len(Family)]):
        whole, pieces = Framer(family), Framer(family)
        at_once = whole.receive(raw) + whole.flush()
        assert not whole.is_waiting
        if len(raw) <= MOST_IN_PIECES:
            in_pieces = [item for at in range(0, len(raw), 7) for item in pieces.receive(raw[at : at + 7])]
            assert at_once == in_pieces + pieces.flush()


def check_redact(payload: Payload) -> None:
    """Redact one frame."""
    raw = payload.encode("latin-1", "replace") if isinstance(payload, str) else payload
    with contextlib.suppress(ValueError):  # signed
        assert len(redact(raw[:2000], seed=1, today=TODAY).frame) == len(raw[:2000])


def check_trust(payload: Payload) -> None:
    """Read one trust list."""
    raw = payload if isinstance(payload, bytes) else payload.encode("utf-8", "surrogatepass")
    with contextlib.suppress(ContractError):
        TrustList.from_bytes(raw)


TARGETS = (
    Target("read", DOCUMENTS, ALPHABET, check_read),
    Target("framing", MESSAGES, ALPHABET, check_framing),
    Target("redact", MESSAGES + DOCUMENTS[:12], ALPHABET, check_redact, limit_s=1.0),
    Target("trust", (trust_list(issue("TS")).decode(),), '{}[]":,0A=/\\u\x00', check_trust),
)
