"""What a receipt means, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from edge.cache import Head, Unreadable
from edge.events import EpochEnded, ReceiptAccepted, UplinkTrouble
from edge.seal import Signer, Verifier
from edge.uplink.receipts import Known, Meaning, Weighed, judge, weigh_carried
from edge.wire.messages import RECEIPT_TYP, Receipt, encode

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


class Store:
    """What weighing needs of a store: one stream of nine records, the centre's newest generation."""

    def __init__(self, *, hash_at: str = OURS, held_up_to: int = 5, generation: str = "") -> None:
        self._head = Head("crossing", "e2", 10, OURS, held_up_to)
        self._own = Unreadable("crossing", 7, hash_at, "damaged")
        self._generation = generation

    def heads(self) -> dict:
        return {"crossing": self._head}

    def first_after(self, stream: str, sequence: int, *, limit: int, max_bytes: int) -> list:
        assert (stream, limit) == ("crossing", 1)
        return [self._own]

    def state(self, key: str) -> str | None:
        return self._generation or None


CENTRE = OKPKey.generate_key("Ed25519")


def carried(said: Receipt, *, key: OKPKey = CENTRE, typ: str = RECEIPT_TYP, store: Store | None = None) -> Weighed:
    """Weigh a receipt that came on a stick."""
    token = Signer(key).sign(encode(said), typ)
    return weigh_carried(token, "utopia/lane-1", Verifier([CENTRE]), store or Store())


def test_a_carried_receipt_releases_what_one_by_mqtt_would() -> None:
    weighed = carried(RECEIPT)
    assert weighed.meaning == "held"
    assert weighed.consequences == [ReceiptAccepted("crossing", "e2", 7, "2026-02", False, at=RECEIPT.at)]
    assert weighed.position == {"kiosk": "utopia/lane-1", "stream": "crossing", "epoch": "e2", "held_up_to": 7}


@pytest.mark.parametrize(
    ("said", "store", "meaning", "consequences"),
    [
        ({"kiosk": "utopia/lane-2"}, {}, "foreign_kiosk", [UplinkTrouble("crossing", "foreign_kiosk")]),
        ({"stream": "audit"}, {}, "foreign_kiosk", [UplinkTrouble("audit", "foreign_kiosk")]),
        ({}, {"generation": "2026-03"}, "old_generation", [UplinkTrouble("crossing", "old_generation")]),
        ({}, {"held_up_to": 7}, "no_news", []),
        ({}, {"hash_at": ""}, "unreadable_here", []),
        (
            {},
            {"hash_at": OTHER},
            "forked",
            [UplinkTrouble("crossing", "forked"), EpochEnded("crossing", "e2", "forked")],
        ),
        (
            {"held_up_to": 10},
            {},
            "rolled_back",
            [UplinkTrouble("crossing", "rolled_back"), EpochEnded("crossing", "e2", "rolled_back")],
        ),
    ],
)
def test_a_carried_receipt_that_does_not_fit_is_reported(said, store, meaning, consequences) -> None:
    weighed = carried(receipt(**said), store=Store(**store))
    assert (weighed.meaning, weighed.consequences) == (meaning, consequences)


@pytest.mark.parametrize("token", ["", "a.b.c", "é.b.c", "x" * 4000])
def test_what_is_no_receipt_is_not_valid_and_releases_nothing(token) -> None:
    weighed = weigh_carried(token, "utopia/lane-1", Verifier([CENTRE]), Store())
    assert (weighed.meaning, weighed.consequences) == ("not_valid", [UplinkTrouble("receipt", "not_valid")])
    assert weighed.position == {}


@pytest.mark.parametrize("forged", [{"key": OKPKey.generate_key("Ed25519")}, {"typ": "landfall-status"}])
def test_a_receipt_that_the_centre_did_not_sign_as_one_is_not_valid(forged) -> None:
    assert carried(RECEIPT, **forged).meaning == "not_valid"
