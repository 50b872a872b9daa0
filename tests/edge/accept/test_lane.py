"""The steps at one lane: what the technician is asked, what is measured, and the remedy of each failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.accept.lane import LaneCheck, lane_steps
from edge.accept.screen import Skipped
from edge.wire.acceptance import Finding, Verdict
from hw.settings import ReaderSettings
from tests.edge.accept.scene import Lane, scene, settings

PASSPORT: dict[str, Any] = {
    "what": "document_read", "device": "passport", "framing": "raw", "took_ms": 91.6, "at_s": 10.0,
    "kind": "TD3", "source": "mrz", "checks": {"composite_check": "ok", "validity": "failed"},
}  # fmt: skip
MISREAD = {**PASSPORT, "checks": {"composite_check": "failed"}}
NOISE = {"what": "read_failed", "device": "passport", "reason": "half a message", "at_s": 9.0}
DECIDED: dict[str, Any] = {
    "what": "crossing_decided", "lane": "left", "result": "passed", "is_practice": True, "reasons": [], "at_s": 10.02,
}  # fmt: skip
RECORDED = {"what": "recorded", "stream": "crossing", "sequence": 7, "at_s": 10.05}
GREEN = {"what": "signal_shown", "lane": "left", "signal": "passed", "at_s": 10.06}
AMBER = {**GREEN, "signal": "call_officer"}
RECEIPT = {"what": "receipt_accepted", "stream": "crossing", "up_to": 7, "at_s": 10.35}
READER = ReaderSettings(name="passport", path="/dev/null")
READY = {"passport": {"state": "ready"}}


def check(folder: Path, kiosk: Lane, typed: str = "", tamper: str = "report") -> LaneCheck:
    """Return the check of the lane."""
    there = settings(folder, kiosk=f'tamper = "{tamper}"')
    return LaneCheck(scene(there, kiosk, typed)[0], there.lanes[0])


def by_name(findings: Any) -> dict[str, Finding]:
    """Return findings by what they are about."""
    return {one.what: one for one in findings}


def test_there_is_a_step_for_what_is_fitted_and_none_for_what_is_not(tmp_path: Path) -> None:
    full = settings(tmp_path)
    names = [step.name for step in lane_steps(scene(full, Lane())[0], full.lanes[0])]
    assert names == ["lamps", "buttons", "camera", "readers", "crossing", "case", "door"]
    bare = settings(tmp_path, lane="").lanes[0]
    bare = type(bare)(name="left", readers=bare.readers[:1])
    assert [step.name for step in lane_steps(scene(full, Lane())[0], bare)] == ["crossing"]


def test_a_crossing_is_followed_to_the_lamp_the_disk_and_the_centre(tmp_path: Path) -> None:
    kiosk = Lane([PASSPORT, DECIDED, RECORDED, GREEN, RECEIPT])
    at = check(tmp_path, kiosk, "yy")
    found = by_name(at.crossing(READER))
    assert {what: one.verdict for what, one in found.items()} == dict.fromkeys(
        ("reader passport", "crossing", "lamp green", "gate", "receipt"), Verdict.OK
    )
    assert found["reader passport"].measured == {"read_ms": 91.6, "tries": 1}
    assert found["crossing"].measured == {"disk_to_lamp_ms": 40, "scan_to_lamp_ms": 60}
    assert found["receipt"].measured == {"receipt_ms": 300}
    assert "failed: validity (the document's, not the reader's)" in found["reader passport"].detail


def test_a_crossing_that_is_no_practice_is_to_be_voided(tmp_path: Path) -> None:
    kiosk = Lane([PASSPORT, {**DECIDED, "is_practice": False}, RECORDED, GREEN, RECEIPT])
    at = check(tmp_path, kiosk, "yy")
    first = next(one for one in at.crossing(READER) if one.verdict is Verdict.FAILED)
    assert "landfall void --reason test" in first.remedy


def test_an_officer_who_is_called_is_no_fault_but_the_green_lamp_was_not_seen(tmp_path: Path) -> None:
    kiosk = Lane([PASSPORT, {**DECIDED, "result": "referred", "reasons": ["mrz.validity_failed"]}, RECORDED, AMBER])
    at = check(tmp_path, kiosk, "y")
    found = by_name(at.crossing(READER))
    assert found["crossing"].verdict is Verdict.WARN
    assert "mrz.validity_failed" in found["crossing"].detail
    assert "use a passport in date" in found["crossing"].remedy
    assert "lamp green" not in found


def test_without_a_receipt_the_centre_is_telephoned(tmp_path: Path) -> None:
    at = check(tmp_path, Lane([PASSPORT, DECIDED, RECORDED, GREEN]), "yy")
    found = by_name(at.crossing(READER))["receipt"]
    assert (found.verdict, found.detail) == (Verdict.FAILED, "none came within 60 s")
    assert "telephone the centre" in found.remedy


def test_a_crossing_that_does_not_get_onto_the_disk_is_said(tmp_path: Path) -> None:
    at = check(tmp_path, Lane([PASSPORT, DECIDED]))
    assert by_name(at.crossing(READER))["crossing"].detail == "it did not get onto the disk"


NOT_READ = {
    "not plugged in": ({"passport": {"state": "lost", "error": "not plugged in"}}, [], "ls -l /dev/serial/by-id"),
    "silent": (READY, [], "baud"),
    "noise": (READY, [NOISE], "framing"),
    "misread": (READY, [MISREAD, MISREAD], "clean the glass"),
    "another reader": (READY, [{**PASSPORT, "device": "boarding"}], "baud"),
}


@pytest.mark.parametrize(("devices", "happens", "remedy"), NOT_READ.values(), ids=NOT_READ.keys())
def test_a_reader_from_which_nothing_good_comes_has_its_remedy(
    tmp_path: Path, devices: dict[str, Any], happens: list[dict[str, Any]], remedy: str
) -> None:
    at = check(tmp_path, Lane(happens, devices=devices))
    (found,) = at.reads(READER)
    assert found.verdict is Verdict.FAILED
    assert remedy in found.remedy


def test_a_reader_that_is_pulled_out_meanwhile_ends_the_wait(tmp_path: Path) -> None:
    at = check(tmp_path, Lane([{"what": "device_lost", "device": "passport", "reason": "unplugged"}]))
    (found,) = at.reads(READER)
    assert (found.verdict, found.detail) == (Verdict.FAILED, "unplugged")


def test_a_document_that_needed_a_second_try_warns(tmp_path: Path) -> None:
    at = check(tmp_path, Lane([MISREAD], [PASSPORT]))
    (found,) = at.reads(READER)
    assert found.verdict is Verdict.WARN
    assert "it took 2 tries" in found.detail


def test_lamps_are_shown_asked_for_and_given_back(tmp_path: Path) -> None:
    kiosk = Lane()
    found = by_name(check(tmp_path, kiosk, "yn").lamps())
    assert kiosk.shown == [("left", "call_officer"), ("left", "ready"), ("left", "closed"), ("left", "ready")]
    assert found["lamp amber"].verdict is Verdict.OK
    assert "GPIO22" in found["lamp red"].remedy


def test_a_lamp_at_which_nobody_looks_is_given_back_all_the_same(tmp_path: Path) -> None:
    kiosk = Lane()
    with pytest.raises(Skipped):
        list(check(tmp_path, kiosk, "s").lamps())
    assert kiosk.shown == [("left", "call_officer"), ("left", "ready")]


def test_a_button_that_toggles_is_pressed_twice_and_one_press_is_not_enough(tmp_path: Path) -> None:
    press = {"what": "button_pressed", "device": "panel", "button": "manual"}
    assert by_name(check(tmp_path, Lane([press], [press])).buttons(["manual"]))["button manual"].verdict is Verdict.OK
    found = by_name(check(tmp_path, Lane([press])).buttons(["manual"]))["button manual"]
    assert found.detail == "1 of 2 presses were seen"
    assert "GPIO13" in found.remedy


@pytest.mark.parametrize(
    ("photo", "verdict", "remedy"),
    [
        ({"what": "photo_taken", "bytes": 39_900, "quality": [], "sharpness": 0.231}, Verdict.OK, ""),
        ({"what": "photo_taken", "bytes": 39_900, "quality": ["hold_still"]}, Verdict.WARN, "focus the lens"),
        ({"what": "photo_taken", "bytes": 39_900, "quality": ["backlight"]}, Verdict.WARN, "window"),
        ({"what": "photo_failed", "reason": "no answer"}, Verdict.FAILED, "ribbon cable"),
    ],
    ids=["good", "blurred", "backlit", "none"],
)
def test_a_photo_is_judged_and_what_is_not_right_has_its_remedy(
    tmp_path: Path, photo: dict[str, Any], verdict: Verdict, remedy: str
) -> None:
    of_another_crossing = {"what": "photo_taken", "request": "id-1", "bytes": 1, "quality": []}
    (found,) = check(tmp_path, Lane([of_another_crossing, {**photo, "request": "acceptance"}])).camera()
    assert found.verdict is verdict
    assert remedy in found.remedy


def test_how_sharp_a_photo_is_stands_in_the_report_as_a_number(tmp_path: Path) -> None:
    taken = {"what": "photo_taken", "request": "acceptance", "bytes": 40_000, "quality": [], "sharpness": 0.231}
    (found,) = check(tmp_path, Lane([taken])).camera()
    assert found.measured == {"photo_kb": 40.0, "photo_sharpness": 0.23}
    assert "sharpness 0.23" in found.detail
    (found,) = check(tmp_path, Lane([{**taken, "quality": ["nobody_there"], "sharpness": None}])).camera()
    assert found.measured == {"photo_kb": 40.0}


def test_the_case_is_opened_and_closed(tmp_path: Path) -> None:
    opened, closed = ({"what": f"case_{done}", "device": "panel"} for done in ("opened", "closed"))
    (found,) = check(tmp_path, Lane([opened], [closed])).case()
    assert found.verdict is Verdict.OK
    (found,) = check(tmp_path, Lane([opened])).case()
    assert found.detail == "the switch did not say that it was closed"


def test_a_case_that_would_drop_the_key_is_left_shut(tmp_path: Path) -> None:
    kiosk = Lane(devices={"panel": {"state": "ready", "case": "closed"}})
    (found,) = check(tmp_path, kiosk, tamper="drop_key").case()
    assert found.verdict is Verdict.WARN
    assert "agree with the centre" in found.remedy
