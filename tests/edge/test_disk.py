"""How much room the disk has, and what it is kept for."""

from __future__ import annotations

import os

import pytest

from edge.disk import MB, DiskBudget, RoomForStore, free_bytes
from edge.errors import StoreError, StoreFull
from edge.events import CrossingDraft, Room, RoomMeasured
from edge.wire.crossing import Outcome
from tests.edge.desk import Disk
from tests.edge.lane import moment

BUDGET = DiskBudget(photos_stop_below=500 * MB, reserve=40 * MB)


@pytest.mark.parametrize(
    ("free_mb", "room"),
    [(501, Room.PLENTY), (500, Room.PLENTY), (499, Room.SHORT), (40, Room.SHORT), (39, Room.NONE), (0, Room.NONE)],
)
def test_photos_stop_first_and_crossings_only_at_the_reserve(free_mb, room) -> None:
    assert BUDGET.room(free_mb * MB, Room.PLENTY) is room


@pytest.mark.parametrize(("free_mb", "room"), [(49, Room.NONE), (50, Room.SHORT), (600, Room.PLENTY)])
def test_a_lane_that_was_closed_opens_only_with_a_quarter_of_the_reserve_more(free_mb, room) -> None:
    assert BUDGET.room(free_mb * MB, Room.NONE) is room


def test_a_reserve_just_below_the_other_limit_still_opens_again() -> None:
    budget = DiskBudget(photos_stop_below=41 * MB, reserve=40 * MB)
    assert budget.room(45 * MB, Room.NONE) is Room.NONE
    assert budget.room(50 * MB, Room.NONE) is Room.PLENTY


def test_the_room_is_what_the_daemons_user_may_take(tmp_path) -> None:
    found = os.statvfs(tmp_path)
    assert 0 <= free_bytes(tmp_path) <= found.f_bfree * found.f_frsize


def test_a_folder_that_is_gone_is_an_error_of_the_store(tmp_path) -> None:
    with pytest.raises(StoreError, match="nowhere: No such file or directory; check the folder"):
        free_bytes(tmp_path / "nowhere")


class Store:
    """Room for a store on a disk that the test fills."""

    def __init__(self, tmp_path) -> None:
        self.disk = Disk()
        self.reusable_mb = 0
        self.told: list[RoomMeasured] = []
        self.audited: list[dict[str, object]] = []
        self.room = RoomForStore(
            tmp_path,
            BUDGET,
            free_bytes=self.disk,
            reusable_bytes=lambda: self.reusable_mb * MB,
            tell=self.told.append,
            audit=lambda event, **detail: self.audited.append(detail),
        )

    def measure(self, free_mb: float) -> int:
        """Measure with so much left on the disk; return how many times something was told."""
        self.disk.free_mb, before = free_mb, len(self.told)
        self.room.measure()
        return len(self.told) - before


def test_only_news_is_told_and_that_there_is_no_room_each_time(tmp_path) -> None:
    store = Store(tmp_path)
    assert [store.measure(free_mb) for free_mb in (600, 600.5, 602, 400, 20, 20)] == [1, 0, 1, 1, 1, 1]
    assert [detail["room"] for detail in store.audited] == ["short", "none"]


def test_what_the_store_can_use_again_is_room(tmp_path) -> None:
    store = Store(tmp_path)
    store.reusable_mb = 500
    store.measure(20)
    assert store.room.room is Room.PLENTY


def test_a_crossing_loses_its_photo_while_room_is_short_and_is_refused_at_the_reserve(tmp_path) -> None:
    store, outcome = Store(tmp_path), Outcome("passed", "rule")
    crossing = CrossingDraft("id", moment(), "entry", "desk", (), None, outcome, training=False, photo=b"jpeg")
    assert store.room.within_budget(crossing) == crossing
    store.disk.free_mb = 400
    kept = store.room.within_budget(crossing)
    assert (kept.photo, kept.photo_absent) == (None, "disk")
    store.disk.free_mb = 39
    with pytest.raises(StoreFull, match="39 MB are left, 40 MB are kept for what is on its way"):
        store.room.within_budget(crossing)
