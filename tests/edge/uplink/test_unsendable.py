"""What is asked of the recorder for records that cannot go out."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from edge.cache import Head, StoredRecord, Unreadable
from edge.events import RecordUnreadable
from edge.uplink.unsendable import TELL_AGAIN_S, Unsendable
from edge.wire.record import CROSSING, EPOCH, MAX_BATCH_BYTES


def record(sequence: int, epoch: str, type: str = CROSSING) -> StoredRecord:
    """Return a readable record."""
    return StoredRecord("crossing", epoch, sequence, "i", type, "t", "", "", False, f"h{sequence}", b"{}")


class Store:
    """A stream with some records that can be read, up to `last`; the others were purged or damaged."""

    def __init__(self, *records: StoredRecord, last: int, purged_up_to: int = 0, current: str = "e2") -> None:
        self._records = {one.sequence: one for one in records}
        self._head = Head("crossing", current, last + 1, "x", 0, purged_up_to)

    def heads(self) -> dict:
        return {"crossing": self._head}

    def first_after(self, stream: str, sequence: int, *, limit: int, max_bytes: int) -> list:
        reason = "purged" if sequence < self._head.purged_up_to else "damaged"
        places = range(sequence + 1, min(sequence + limit, self._head.next_sequence - 1) + 1)
        return [self._records.get(place, Unreadable(stream, place, "", reason)) for place in places]

    def told(self, after: int, limit: int = 3) -> list[RecordUnreadable]:
        """Return what is asked for when the next records are looked at."""
        told: list[RecordUnreadable] = []
        found = self.first_after("crossing", after, limit=limit, max_bytes=0)
        Unsendable(self, told.append, lambda *_: None).unreadable("crossing", found, 0.0)  # type: ignore[arg-type]
        return told


def epochs(told: list[RecordUnreadable]) -> list[tuple[int, str]]:
    return [(one.sequence, one.epoch) for one in told]


def test_a_lost_record_is_of_the_epoch_of_the_next_one() -> None:
    assert epochs(Store(record(1, "e1"), record(3, "e1"), last=3).told(1)) == [(2, "e1")]


def test_a_lost_record_before_the_beginning_of_an_epoch_is_of_the_one_before() -> None:
    assert epochs(Store(record(1, "e1"), record(3, "e2", EPOCH), last=3).told(1)) == [(2, "e1")]


def test_the_last_record_if_it_is_lost_is_of_the_epoch_of_the_one_before() -> None:
    assert epochs(Store(record(1, "e1"), last=2).told(1)) == [(2, "e1")]


def test_of_a_long_stretch_that_was_released_each_record_is_of_the_epoch_after_it() -> None:
    store = Store(record(9, "e1"), record(10, "e2", EPOCH), last=10, purged_up_to=8)
    assert epochs(store.told(0)) == [(1, "e1"), (2, "e1"), (3, "e1")]


def test_nothing_readable_anywhere_leaves_the_present_epoch() -> None:
    assert epochs(Store(last=9).told(0)) == [(1, "e2"), (2, "e2"), (3, "e2")]


def test_each_is_asked_for_once_and_again_after_a_while() -> None:
    told: list[RecordUnreadable] = []
    store = Store(record(1, "e1"), record(3, "e1"), last=3)
    unsendable = Unsendable(store, told.append, lambda *_: None)  # type: ignore[arg-type]
    found = store.first_after("crossing", 1, limit=2, max_bytes=0)
    for now_s in (1.0, 2.0, TELL_AGAIN_S):
        unsendable.unreadable("crossing", found, now_s)
    assert told == [RecordUnreadable("crossing", "e1", 2, "", "h1", "damaged")]
    unsendable.unreadable("crossing", found, 1.0 + TELL_AGAIN_S)
    assert len(told) == 2


@pytest.mark.parametrize(
    ("stream", "size", "is_given_up"),
    [
        ("crossing", MAX_BATCH_BYTES - 1, False),
        ("evidence", 40_000, False),
        ("evidence", MAX_BATCH_BYTES - 2, False),
        ("evidence", MAX_BATCH_BYTES - 1, True),
    ],
)
def test_what_is_too_large_for_this_broker_waits_and_a_photo_too_large_for_every_one_is_given_up(
    stream: str, size: int, is_given_up: bool
) -> None:
    told: list[RecordUnreadable] = []
    troubles: list[tuple[str, str]] = []
    store = Store(record(1, "e1"), record(2, "e1"), last=2)
    unsendable = Unsendable(store, told.append, lambda *trouble: troubles.append(trouble))  # type: ignore[arg-type]
    unsendable.too_large(stream, replace(record(2, "e1"), body=bytes(size)), 1.0)
    if is_given_up:
        assert (told, troubles) == ([RecordUnreadable("evidence", "e1", 2, "h2", "h1", "too_large")], [])
    else:
        assert (told, troubles) == ([], [(stream, "record_too_large_for_broker")])
