"""How much room the disk has, and what it is kept for."""

from __future__ import annotations

import os

import pytest

from edge.disk import MB, DiskBudget, free_bytes
from edge.errors import StoreError
from edge.events import Room

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
