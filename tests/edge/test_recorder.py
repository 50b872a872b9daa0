"""What the one writer of the store does when room or time run out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from edge.cache import Cache
from edge.errors import StoreFull
from edge.events import DecisionDraft, KeyWasDropped, Recorded, RecordFailed, Room, RoomMeasured, StoreReady, VoidDraft
from edge.recorder import KEY_DROPPED
from edge.wire.crossing import MAX_PHOTO_BYTES
from hw.devices import Guidance
from tests.edge.desk import Desk, FakeClock

PHOTO = random.Random(1).randbytes(40_000)  # of nobody, and as hard to deflate as a JPEG


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    with Desk(tmp_path / "cache.db") as desk:
        yield desk


# --- room -------------------------------------------------------------------------------------------------------------


def test_with_plenty_of_room_a_crossing_has_its_photo(desk) -> None:
    assert isinstance(desk.cross("a", PHOTO), Recorded)
    assert desk.letters("crossing")[-1]["photo"]["evidence_sequence"] == 2
    assert desk.head("evidence").count == 2


def test_a_crossing_says_what_is_not_right_with_its_photo_once_somebody_looked(desk) -> None:
    for id, quality in (("a", None), ("b", ()), ("c", (Guidance.TOO_DARK,))):
        desk.cross(id, PHOTO, quality)
    photos = [letter["photo"] for letter in desk.letters("crossing")[-3:]]
    assert [photo.get("quality", "nobody looked") for photo in photos] == ["nobody looked", [], ["too_dark"]]


def test_when_room_gets_short_photos_stop_and_crossings_go_on(desk) -> None:
    desk.disk.free_mb = 499
    assert isinstance(desk.cross("a", PHOTO, ()), Recorded)
    assert desk.letters("crossing")[-1]["photo"] == {"absent": "disk"}
    assert desk.head("evidence").count == 1
    assert desk.wait_for(RoomMeasured, lambda event: event.room is Room.SHORT)


def test_why_there_is_no_photo_otherwise_is_not_overwritten(desk) -> None:
    desk.disk.free_mb = 499
    desk.cross("a")
    assert desk.letters("crossing")[-1]["photo"] == {"absent": "off"}


def test_at_the_reserve_no_crossing_is_taken_and_the_failure_says_why(desk) -> None:
    desk.disk.free_mb = 39.9
    failed = desk.cross("a", PHOTO)
    assert isinstance(failed, RecordFailed)
    assert failed.reason == "no room on the disk: 39 MB are left, 40 MB are kept for what is on its way"
    assert desk.head("crossing").next_sequence == desk.head("evidence").next_sequence == 2


def test_at_the_reserve_an_officers_decision_is_still_recorded(desk) -> None:
    desk.cross("a")
    desk.disk.free_mb = 39
    desk.recorder.record(DecisionDraft("b", desk.clock.now(), "a", "passed"))
    assert desk.wait_for(Recorded, lambda event: event.id == "b")


def test_lanes_hear_without_asking_that_there_is_no_room_and_as_long_as_there_is_none(desk) -> None:
    desk.disk.free_mb = 39
    for _ in range(3):
        desk.wait_for(RoomMeasured, lambda event: event.room is Room.NONE)


def test_a_probe_at_the_reserve_writes_nothing_and_does_not_open_the_lane(desk) -> None:
    desk.disk.free_mb = 39
    desk.wait_for(RoomMeasured, lambda event: event.room is Room.NONE)
    for _ in range(20):
        desk.recorder.probe()
    assert isinstance(desk.cross("a"), RecordFailed)
    assert desk.audited("store_probed") == []
    desk.disk.free_mb = 51
    desk.recorder.probe()
    desk.wait_for(StoreReady)
    assert isinstance(desk.cross("b"), Recorded)
    assert len(desk.audited("store_probed")) == 1


def test_each_change_of_room_is_audited_once(desk) -> None:
    for free_mb in (499, 39, 45, 39, 499, 501):
        desk.disk.free_mb = free_mb
        desk.cross(f"{free_mb}")
    desk.wait_until(lambda: len(desk.audited("disk_room_changed")) == 4)
    assert [one["room"] for one in desk.audited("disk_room_changed")] == ["short", "none", "short", "plenty"]


def test_released_records_stay_while_there_is_room_and_go_early_when_it_is_short(desk) -> None:
    for id in "abc":
        desk.cross(id, PHOTO)
    desk.receive("crossing")
    desk.receive("evidence", 3)
    assert (desk.head("crossing").count, desk.head("evidence").count) == (4, 4)
    desk.disk.free_mb = 499
    desk.wait_until(lambda: (desk.head("crossing").count, desk.head("evidence").count) == (0, 1))


def test_what_the_centre_does_not_hold_is_never_deleted_to_make_room(desk) -> None:
    for id in "abc":
        desk.cross(id, PHOTO)
    desk.receive("crossing", 2)
    desk.disk.free_mb = 1
    desk.wait_until(lambda: desk.head("crossing").purged_up_to == 2)
    desk.wait_for(RoomMeasured)
    desk.wait_for(RoomMeasured)
    assert (desk.head("crossing").count, desk.head("evidence").count) == (2, 4)


def test_receipts_make_room_at_once_and_the_lane_can_open(desk) -> None:
    for id in "abc":
        desk.cross(id, PHOTO)
    desk.disk.free_mb = 39
    assert isinstance(desk.cross("d"), RecordFailed)
    desk.receive("evidence")
    desk.wait_until(lambda: desk.head("evidence").count == 0)


def test_a_receipt_that_a_full_disk_did_not_take_is_taken_once_it_can_be(desk, monkeypatch) -> None:
    for number in range(3):
        desk.cross(f"{number}", PHOTO)
    refused = []

    def refuse_twice(cache: Cache, stream: str, up_to: int, at: float) -> None:
        if len(refused) < 2:
            refused.append(stream)
            raise StoreFull("the disk is full")
        hold(cache, stream, up_to, at)

    hold = Cache.hold
    monkeypatch.setattr(Cache, "hold", refuse_twice)
    desk.receive("evidence", 4)
    desk.wait_until(lambda: desk.head("evidence").held_up_to == 4)
    assert refused == ["evidence", "evidence"]


def test_room_inside_the_store_counts_although_the_disk_does_not_see_it(desk) -> None:
    for number in range(40):
        desk.cross(f"{number}", PHOTO)
    desk.disk.free_mb = 499.5
    desk.receive("evidence")
    desk.wait_for(RoomMeasured, lambda event: event.room is Room.PLENTY and event.free_bytes > 500_000_000)


# --- time -------------------------------------------------------------------------------------------------------------


def amendments(desk: Desk) -> list[dict]:
    return [letter for letter in desk.letters("crossing") if letter.get("kind") == "clock"]


def test_when_the_clock_becomes_known_an_amendment_dates_the_boots_records(tmp_path) -> None:
    clock = FakeClock()
    clock.at, clock.state = datetime(1970, 1, 1, 0, 2, tzinfo=UTC), "unset"
    with Desk(tmp_path / "cache.db", clock) as desk:
        desk.cross("a")
        clock.pass_s(60)
        clock.at, clock.state = datetime(2026, 3, 1, 12, tzinfo=UTC), "synchronised"
        desk.wait_until(lambda: len(amendments(desk)) == 1)
        desk.cross("b")
    (amendment,) = amendments(desk)
    assert amendment["amends"] == amendment["detail"]["boot_id"] == clock.boot_id
    began = [datetime.fromisoformat(text) for text in amendment["detail"]["at_boottime_0"]]
    assert began[0] < datetime(2026, 3, 1, 12, tzinfo=UTC) - timedelta(seconds=160) < began[1]
    assert began[1] - began[0] < timedelta(seconds=0.1)
    crossing = next(letter for letter in desk.letters("crossing") if letter["id"] == "a")
    assert (crossing["clock"]["state"], crossing["clock"]["boottime_s"]) == ("unset", 100.0)


def test_a_boot_that_never_knew_the_time_is_dated_by_its_neighbours(tmp_path) -> None:
    clock = FakeClock()
    known = clock.at
    with Desk(tmp_path / "cache.db", clock) as desk:
        desk.cross("a")
    clock.at, clock.state, clock.boottime_s = datetime(1970, 1, 1, tzinfo=UTC), "unset", 10.0
    clock.boot_id = lost = "22222222-2222-4222-8222-222222222222"
    with Desk(tmp_path / "cache.db", clock) as desk:
        desk.cross("b")
    clock.at, clock.state, clock.boottime_s = known + timedelta(hours=5), "synchronised", 10.0
    clock.boot_id = "33333333-3333-4333-8333-333333333333"
    with Desk(tmp_path / "cache.db", clock) as desk:
        desk.wait_until(lambda: len(amendments(desk)) == 1)
    (amendment,) = amendments(desk)
    assert amendment["amends"] == lost
    first, last = (datetime.fromisoformat(text) for text in amendment["detail"]["at_boottime_0"])
    assert known - timedelta(seconds=1) < first <= known
    assert abs(last - (known + timedelta(hours=5) - timedelta(seconds=20))) < timedelta(seconds=1)


def test_a_boot_is_dated_once_and_not_at_all_when_its_time_was_known(tmp_path) -> None:
    clock = FakeClock()
    for _ in range(3):
        with Desk(tmp_path / "cache.db", clock) as desk:
            desk.cross(f"{clock.boottime_s}")
            desk.recorder.probe()
            desk.wait_for(StoreReady)
        clock.pass_s(30)
    assert amendments(desk) == []


@pytest.mark.parametrize("jump", [timedelta(days=3650), timedelta(days=-14)])
def test_a_jump_of_the_clock_neither_shortens_nor_lengthens_how_long_released_records_stay(desk, jump) -> None:
    desk.cross("a")
    desk.receive("crossing")
    desk.clock.at += jump
    desk.recorder.probe()
    desk.clock.pass_s(3599)
    desk.recorder.probe()
    desk.receive("audit")
    assert desk.head("crossing").count == 2
    desk.clock.pass_s(2)
    desk.wait_until(lambda: desk.head("crossing").count == 0)


def test_released_records_grow_no_older_while_the_machine_is_off(tmp_path) -> None:
    clock = FakeClock()
    with Desk(tmp_path / "cache.db", clock) as desk:
        desk.cross("a")
        desk.receive("crossing")
        clock.pass_s(3000)
    clock.at += timedelta(days=30)
    clock.boottime_s, clock.boot_id = 5.0, "22222222-2222-4222-8222-222222222222"
    with Desk(tmp_path / "cache.db", clock) as desk:
        desk.cross("b")
        assert desk.head("crossing").count == 3
        clock.pass_s(700)
        desk.wait_until(lambda: desk.head("crossing").purged_up_to == 2)


# --- letters ----------------------------------------------------------------------------------------------------------


def test_what_was_late_is_voided_by_an_amendment(desk) -> None:
    desk.cross("a")
    desk.recorder.record(VoidDraft("b", desk.clock.now(), "a"))
    assert desk.wait_for(Recorded, lambda event: event.id == "b").position.sequence == 3
    void = desk.letters("crossing")[-1]
    assert (void["kind"], void["amends"], void["detail"]) == ("void", "a", {"reason": "recorded_too_late"})


def test_the_largest_photo_that_a_lane_takes_is_opened_by_the_centre(desk) -> None:
    desk.cross("a", random.Random(2).randbytes(MAX_PHOTO_BYTES))
    assert desk.letters("evidence")[-1]["crossing"] == "a"


def test_a_dropped_key_signs_the_alarm_and_nothing_after_it_not_even_after_a_restart(tmp_path) -> None:
    with Desk(tmp_path / "cache.db") as desk:
        desk.cross("a")
        desk.recorder.drop_key("case_opened", panel="panel")
        assert desk.wait_for(KeyWasDropped).is_new
        assert isinstance(desk.cross("b"), RecordFailed)
        desk.recorder.audit("later")
        desk.recorder.probe()
        assert isinstance(desk.cross("c"), RecordFailed)
        assert desk.letters("audit")[-1]["detail"] == {"panel": "panel", "key_dropped": True}
    with Desk(tmp_path / "cache.db", ready=KeyWasDropped) as desk:
        assert isinstance(desk.cross("d"), RecordFailed)
        desk.recorder.keep(KEY_DROPPED, "")
    with Desk(tmp_path / "cache.db") as desk:
        assert isinstance(desk.cross("e"), Recorded)
