"""The acceptance reports that the centre holds, and the page that is printed of one."""

from __future__ import annotations

from typing import Any

import pytest

from central.acceptance import WIDTH, page, reports
from central.database import reading
from edge.wire import record
from tests.central.centre import Centre
from tests.harness.kiosk_records import FakeKiosk

REPORT: dict[str, Any] = {
    "by": "T-7",
    "began_at": "2026-03-01T12:00:00Z",
    "accepted": False,
    "inputs": 4,
    "findings": [
        {"what": "card", "verdict": "ok", "detail": "4 KiB synced in 3 ms", "measured": {"sync_p95_ms": 5.3}},
        {"what": "reader a-reader-with-a-long-name", "verdict": "failed", "detail": "x " * 110, "remedy": "plug it in"},
    ],
    "kiosk": "utopia/lane-1",
    "version": "0.1.0",
    "settings_sha256": "ab" * 32,
    "signed_at": "2026-03-01T12:04:00.000Z",
}


@pytest.fixture
def centre(engine):
    return Centre(engine)


@pytest.fixture
def kiosk(centre):
    kiosk = FakeKiosk(stream="audit")
    centre.register(kiosk)
    return kiosk


def accepted(kiosk, detail, event="acceptance"):
    return kiosk.append(record.AUDIT, {"event": event, "detail": detail})


def held(centre, kiosk=""):
    with reading(centre.engine) as connection:
        return list(reports(connection, kiosk))


def test_the_reports_of_a_kiosk_are_listed_in_their_order(centre, kiosk):
    began, first = kiosk.start_epoch(), accepted(kiosk, REPORT)
    other, second = accepted(kiosk, {}, "kiosk_started"), accepted(kiosk, {**REPORT, "accepted": True})
    centre.receive(kiosk, began, second, other, first)
    centre.receive(kiosk, first)
    assert [one.report.accepted for one in held(centre, kiosk.name)] == [False, True]
    assert held(centre, "utopia/lane-9") == []


def test_a_report_that_waits_for_a_record_before_it_is_not_there_yet(centre, kiosk):
    first, hole, last = kiosk.start_epoch(), accepted(kiosk, {}, "kiosk_started"), accepted(kiosk, REPORT)
    centre.receive(kiosk, first, last)
    assert held(centre) == []
    centre.receive(kiosk, hole)
    assert len(held(centre)) == 1


NONSENSE = {
    "no detail": None,
    "a list": [REPORT],
    "a name for a number": {**REPORT, "by": "ERIKSSON"},
    "what steers a terminal": {**REPORT, "findings": [{"what": "\x1b[2J", "verdict": "ok"}]},
    "nothing found": {**REPORT, "findings": []},
}


@pytest.mark.parametrize("detail", NONSENSE.values(), ids=NONSENSE.keys())
def test_what_is_no_report_is_passed_over_and_hides_no_other(centre, kiosk, detail):
    centre.receive(kiosk, kiosk.start_epoch(), accepted(kiosk, detail), accepted(kiosk, REPORT))
    assert [one.report.by for one in held(centre)] == ["T-7"]


def test_the_page_fits_80_columns_and_says_what_was_found_and_what_to_do(centre, kiosk):
    centre.receive(kiosk, kiosk.start_epoch(), accepted(kiosk, REPORT))
    (one,) = held(centre)
    text = page(one)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "Result      NOT ACCEPTED: 1 ok, 1 failed" in text
    assert "do: plug it in" in text
    assert "long-name" in text
    assert one.hash in text


def test_nothing_in_a_report_turns_a_line_of_the_page_around(centre, kiosk):
    odd = {"what": "card\u202e", "verdict": "ok", "detail": "\u2066slow"}
    centre.receive(kiosk, kiosk.start_epoch(), accepted(kiosk, {**REPORT, "findings": [odd]}))
    text = page(held(centre)[0])
    assert "\u202e" not in text
    assert "\u2066" not in text
