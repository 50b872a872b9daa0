"""The whole of a guided check: order, what is skipped, what is tried again, and what a lost kiosk does to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.accept.run import plan, report_of, walk
from edge.accept.screen import Skipped
from edge.accept.step import Step, failed, ok
from edge.errors import LandfallError
from edge.wire.acceptance import Finding, Verdict, is_accepted
from tests.edge.accept.scene import Lane, scene, settings


def test_only_what_is_named_is_checked_and_a_wrong_name_tells_the_right_ones(tmp_path: Path) -> None:
    here = scene(settings(tmp_path), Lane())[0]
    assert [step.name for step in plan(here, ["case", "card"])] == ["card", "case"]
    with pytest.raises(LandfallError, match="this kiosk has: settings, clock, supply, card"):
        plan(here, ["lamp"])


def test_a_step_that_failed_is_made_again_when_the_technician_wants(tmp_path: Path) -> None:
    here, _, typist = scene(settings(tmp_path), Lane(), ".r")
    tries = iter([failed("card", "slow", "another"), ok("card")])

    def make() -> Iterator[Finding]:
        yield next(tries)

    found = list(walk(here, [Step("card", "The card", make)]))
    assert [one.verdict for one in found] == [Verdict.OK]
    assert typist.typed == []


def test_a_step_that_is_skipped_or_cannot_be_made_keeps_none_of_the_others_from_being_made(tmp_path: Path) -> None:
    kiosk = Lane()
    here, text, _ = scene(settings(tmp_path), kiosk, ".\n\n")

    def skip() -> Iterator[Finding]:
        raise Skipped
        yield

    def fail() -> Iterator[Finding]:
        yield ok("first")
        kiosk.is_gone = True
        kiosk.status()

    def last() -> Iterator[Finding]:
        yield ok("last")

    steps = [Step("case", "The case", skip), Step("clock", "The clock", fail), Step("card", "The card", last)]
    found = list(walk(here, steps))
    assert [(one.what, one.verdict.value) for one in found] == [
        ("case", "skipped"),
        ("first", "ok"),
        ("clock", "failed"),
        ("last", "ok"),
    ]
    assert found[2].remedy == "is it running?"
    assert "again once it can be looked at" in found[0].remedy
    assert not is_accepted(tuple(found))
    assert kiosk.practice == ["begun", "ended"]
    assert max(map(len, text.getvalue().splitlines())) <= 80


def test_practice_ends_also_when_the_technician_stops(tmp_path: Path) -> None:
    kiosk = Lane()
    here = scene(settings(tmp_path), kiosk)[0]

    def stop() -> Iterator[Finding]:
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        list(walk(here, [Step("case", "The case", stop)]))
    assert kiosk.practice == ["begun", "ended"]


def test_whatever_a_device_says_fits_the_report(tmp_path: Path) -> None:
    odd = failed("device \x1b[2J" + "x" * 90, "y" * 500, "z\n" * 200)
    report = report_of("T-7", "2026-03-01T12:00:00Z", 0, [odd], is_whole=True)
    assert (len(odd.what), len(odd.detail), len(odd.remedy)) == (60, 240, 240)
    assert "\x1b" not in odd.what
    assert report.accepted is False


def test_some_steps_alone_accept_nothing_however_good_they_are() -> None:
    assert report_of("T-7", "2026-03-01T12:00:00Z", 0, [ok("card")], is_whole=True).accepted
    some = report_of("T-7", "2026-03-01T12:00:00Z", 0, [ok("card")], is_whole=False)
    here, text, _ = scene(settings(Path("/")), Lane())
    here.screen.summary(some, 1.0, is_whole=False)
    assert not some.accepted
    assert "ACCEPTED" not in text.getvalue()
    assert "nothing was signed" in text.getvalue()
