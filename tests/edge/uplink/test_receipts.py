"""What a receipt means, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.uplink.receipts import Known, Meaning, judge
from edge.wire.messages import Receipt

OURS, OTHER = "a" * 64, "b" * 64
RECEIPT = Receipt("utopia/lane-1", "crossing", "e2", 7, OURS, "2026-02", "2026-03-01T00:00:00.000Z")
KNOWN = Known("utopia/lane-1", "crossing", "e2", 10, 5, "2026-02", "e2", OURS)


def receipt(**changed: object) -> Receipt:
    """Return the receipt with some fields changed."""
    return Receipt(**{**{name: getattr(RECEIPT, name) for name in RECEIPT.__struct_fields__}, **changed})


@pytest.mark.parametrize(
    ("said", "known", "meaning"),
    [
        ({}, {}, Meaning.HELD),
        ({"held_up_to": 9}, {}, Meaning.HELD),
        ({"forked": True}, {}, Meaning.HELD),
        ({"generation": "2026-03"}, {}, Meaning.HELD),
        ({"generation": "2026-01"}, {}, Meaning.OLD_GENERATION),
        ({}, {"generation": ""}, Meaning.HELD),
        ({"held_up_to": 5}, {}, Meaning.NO_NEWS),
        ({"held_up_to": 0, "hash_at": ""}, {}, Meaning.NO_NEWS),
        ({"held_up_to": 10}, {}, Meaning.ROLLED_BACK),
        ({"held_up_to": 2**62}, {}, Meaning.ROLLED_BACK),
        ({"held_up_to": 10, "epoch": "e1"}, {}, Meaning.FOREIGN_EPOCH),
        ({"epoch": "e1"}, {}, Meaning.FOREIGN_EPOCH),
        ({"epoch": "e1"}, {"epoch_at": "e1"}, Meaning.HELD),
        ({"hash_at": OTHER}, {}, Meaning.FORKED),
        ({"hash_at": ""}, {}, Meaning.FORKED),
        ({"kiosk": "utopia/lane-2"}, {}, Meaning.FOREIGN_KIOSK),
        ({"stream": "audit"}, {}, Meaning.FOREIGN_KIOSK),
        ({"kiosk": "utopia/lane-2", "held_up_to": 99}, {}, Meaning.FOREIGN_KIOSK),
    ],
)
def test_a_receipt_means(said, known, meaning) -> None:
    assert judge(receipt(**said), replace(KNOWN, **known)) is meaning


SMALL = st.integers(0, 12)
WORDS = st.sampled_from(["e1", "e2"])


@given(SMALL, SMALL, SMALL, WORDS, WORDS, st.sampled_from([OURS, OTHER, ""]), st.sampled_from([OURS, OTHER, ""]))
def test_nothing_is_released_that_the_centre_did_not_name_by_its_hash(
    up_to, held, next_, epoch, at, hash_at, own
) -> None:
    known = replace(KNOWN, held_up_to=held, next_sequence=next_, epoch_at=at, hash_at=own)
    if judge(receipt(held_up_to=up_to, epoch=epoch, hash_at=hash_at), known) is Meaning.HELD:
        assert held < up_to < next_ and hash_at == own and epoch == at
