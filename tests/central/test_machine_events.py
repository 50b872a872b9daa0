"""What kiosks put on record of themselves: when a boot was, and who opened the case."""

from __future__ import annotations

import pytest

from central.database import moment
from central.fleet import view
from edge.wire import record
from tests.central.centre import Centre
from tests.harness.kiosk_records import FakeKiosk


@pytest.fixture
def centre(engine):
    return Centre(engine)


@pytest.fixture
def kiosk(centre):
    kiosk = FakeKiosk()
    centre.register(kiosk)
    return kiosk


def dated(kiosk, boot_id, earliest, latest):
    detail = {"boot_id": boot_id, "at_boottime_0": [earliest, latest]}
    return kiosk.append(record.AMENDMENT, {"amends": boot_id, "kind": "clock", "detail": detail})


def test_a_crossing_of_a_boot_without_the_time_is_dated_later(centre, kiosk):
    clock = {"state": "unset", "error_bound_s": None, "boot_id": "b1", "boottime_s": 90.0}
    centre.receive(kiosk, kiosk.start_epoch(), kiosk.crossing(clock=clock))
    assert view.true_time(centre.engine, kiosk.name, "b1", 90.0) is None
    centre.receive(kiosk, dated(kiosk, "b1", "2026-03-01T08:00:00.000Z", "2026-03-01T09:00:00.000Z"))
    found = view.true_time(centre.engine, kiosk.name, "b1", 90.0)
    assert (found.earliest, found.latest) == (
        moment("2026-03-01T08:01:30.000Z"),
        moment("2026-03-01T09:01:30.000Z"),
    )


def test_an_amendment_that_comes_twice_or_late_dates_its_boot_once(centre, kiosk):
    first, hole, told = kiosk.start_epoch(), kiosk.crossing(), dated(kiosk, "b1", None, "2026-03-01T09:00:00.000Z")
    centre.receive(kiosk, first, told)
    centre.receive(kiosk, told)
    centre.receive(kiosk, hole)
    found = view.true_time(centre.engine, kiosk.name, "b1", 0.0)
    assert (found.earliest, found.latest) == (None, moment("2026-03-01T09:00:00.000Z"))


def test_two_kiosks_may_have_boots_of_one_name(centre, kiosk):
    other = FakeKiosk("utopia/lane-2")
    centre.register(other)
    centre.receive(kiosk, kiosk.start_epoch(), dated(kiosk, "b1", None, "2026-03-01T09:00:00.000Z"))
    assert view.true_time(centre.engine, other.name, "b1", 0.0) is None


NONSENSE = {
    "no detail": {},
    "detail is a word": {"detail": "b1"},
    "no interval": {"detail": {"boot_id": "b1"}},
    "three moments": {"detail": {"boot_id": "b1", "at_boottime_0": ["", "", ""]}},
    "no moment": {"detail": {"boot_id": "b1", "at_boottime_0": [None, "soon"]}},
    "no zone": {"detail": {"boot_id": "b1", "at_boottime_0": [None, "2026-03-01T09:00:00"]}},
    "backwards": {"detail": {"boot_id": "b1", "at_boottime_0": ["2026-03-01T09:00:00Z", "2026-03-01T08:00:00Z"]}},
    "a boot of nulls": {"detail": {"boot_id": "\x00", "at_boottime_0": [None, "2026-03-01T09:00:00Z"]}},
    "kind is a number": {"kind": 7},
}


@pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE.keys())
def test_an_amendment_of_another_form_is_kept_and_dates_nothing(centre, kiosk, said):
    letter = {"amends": "b1", "kind": "clock"} | said
    taken = centre.receive(kiosk, kiosk.start_epoch(), kiosk.append(record.AMENDMENT, letter))
    assert (taken.held[0].held_up_to, taken.noticed) == (2, ())
    assert view.true_time(centre.engine, kiosk.name, "b1", 0.0) is None


def test_an_opened_case_a_forced_door_and_old_settings_are_incidents_once_each(centre, kiosk):
    kiosk.stream = "audit"
    events = ["kiosk_started", "case_opened", "case_closed", "door_forced", "settings_rolled_back", {"a": 1}]
    told = [kiosk.append(record.AUDIT, {"event": event, "detail": {}}) for event in events]
    centre.receive(kiosk, *told)
    centre.receive(kiosk, *told)
    assert centre.incidents() == [
        ("door_forced", 4, 1),
        ("settings_rolled_back", 5, 1),
        ("tamper", 2, 1),
    ]
