"""Receipts that came on a stick: what they mean, and what follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.cache import CacheReader
from edge.carried_receipts import CarriedReceipts
from edge.events import ReceiptAccepted, UplinkTrouble
from edge.seal import Signer, Verifier
from edge.wire import messages
from tests.edge.desk import Desk
from tests.edge.lane import moment
from tests.harness.kiosk_records import new_signing_key

KIOSK, CENTRE = "utopia/lane-1", new_signing_key()


def carried() -> tuple[CarriedReceipts, list[object]]:
    """Return what judges receipts, and the list of what follows from them."""
    taken: list[object] = []
    return CarriedReceipts(KIOSK, Verifier([CENTRE]), lambda event, now: taken.append(event)), taken


def receipt_for(desk: Desk, signer: Signer) -> str:
    """Return a receipt for all crossings of a store."""
    head = desk.head("crossing")
    found = messages.Receipt(
        KIOSK, "crossing", head.epoch, head.next_sequence - 1, head.last_hash, "1", "2026-03-01T12:00:00Z"
    )
    return signer.sign(messages.encode(found), messages.RECEIPT_TYP)


def test_a_receipt_that_was_carried_is_followed_and_one_by_a_stranger_is_reported(tmp_path: Path) -> None:
    judge, taken = carried()
    with Desk(tmp_path / "cache.db") as desk:
        desk.cross("id-1")
        receipts = [receipt_for(desk, Signer(CENTRE)), receipt_for(desk, Signer(new_signing_key()))]
        reader = CacheReader.open(desk.path)
        try:
            answer = judge.answer(receipts, reader, moment())
        finally:
            reader.close()
    assert [one["meaning"] for one in answer["receipts"]] == ["held", "not_valid"]
    assert [type(event) for event in taken] == [ReceiptAccepted, UplinkTrouble]


@pytest.mark.parametrize("receipts", [None, "a.b.c", [1], {}], ids=["none", "text", "numbers", "object"])
def test_what_is_no_list_of_receipts_is_refused(receipts: Any) -> None:
    judge, taken = carried()
    assert judge.answer(receipts, None, moment()) == {"error": "receipts are a list of texts"}
    assert taken == []


def test_nothing_is_judged_before_the_store_is_open() -> None:
    judge, _ = carried()
    assert judge.answer([], None, moment()) == {"error": "the store is not open yet"}
