"""From blank machines to kiosks that pass travellers: a centre, one kiosk by code, one by stick, and later years.

The table that it prints says who typed how much, and how long each step took.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.field.journey import ADDRESSES, GOAL_INPUTS, GOAL_S, Journey
from tests.field.machines import (
    LANES,
    LONG_AGO,
    LONG_AGO_TEXT,
    ROOT,
    FromPackages,
    FromTree,
    Origin,
    Post,
    scenario,
    switch_on_network,
)
from tests.harness.systemd_machine import is_possible
from tests.packaging.debian_root import built, made_newer, make_later

COLUMNS = 80
DIST = ROOT / "dist"


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[Origin], Journey]]:
    """Return what switches on a centre and two kiosks on which there is nothing yet."""
    if not is_possible():
        pytest.skip("needs root, systemd and unshare")
    stick = tmp_path / "stick"
    stick.mkdir()
    with ExitStack() as stack:

        def switch_on(origin: Origin) -> Journey:
            files = {"/root/lanes.toml": LANES, LONG_AGO: LONG_AGO_TEXT}
            centre = Post("centre", origin.machine(tmp_path / "centre", "centre", files, stick))
            kiosks = {}
            for name in ADDRESSES:
                files = {"/etc/landfall/scenario.toml": scenario(1, 1)}
                kiosks[name] = Post(name, origin.machine(tmp_path / name, "kiosk", files, stick))
            posts = [stack.enter_context(post) for post in (centre, *kiosks.values())]
            for post in posts:
                post.log_in()
            switch_on_network(centre)
            return Journey(origin, centre, kiosks, stick)

        yield switch_on


def travel(journey: Journey) -> None:
    """Go the whole way."""
    by_code, by_stick = ADDRESSES
    journey.found_the_centre()
    journey.write_bundle(by_code)
    journey.set_up_by_code(by_code)
    journey.accept(by_code)
    journey.crossings_received(by_code)
    journey.write_bundle(by_stick)
    journey.set_up_by_stick(by_stick)
    journey.accept(by_stick)
    journey.crossings_received(by_stick)
    journey.certificate_renews_itself(by_code)
    journey.revoke(by_stick)
    journey.upgrade_with_a_backlog(by_code)


def nothing_is_lost(journey: Journey) -> None:
    by_code, by_stick = ADDRESSES
    found = journey.count(by_code)
    bad = {name: found[name] for name in ("lost", "duplicated", "surplus", "chain_breaks", "unheld")}
    assert bad == dict.fromkeys(bad, 0)
    assert (found["stored"], found["training"]) == (journey.came[by_code] - 1, 1), "the first one was practice"
    refused = journey.count(by_stick)
    assert refused["stored"] == journey.came[by_stick] - 1 - 3, "what it had sent before stays"
    assert refused["unheld"] >= 3 and refused["chain_breaks"] == 0


def is_shown(journey: Journey, capsys: pytest.CaptureFixture[str]) -> None:
    text = journey.table.text()
    with capsys.disabled():
        print(f"\n{text}", end="")
    for name in ADDRESSES:
        typed, seconds = journey.table.set_up(name)
        assert typed < GOAL_INPUTS, f"{name}: {typed} inputs\n{text}"
        assert seconds < GOAL_S
    screens = [journey.centre.screen, *(kiosk.screen for kiosk in journey.kiosks.values())]
    assert max(len(line) for line in text.splitlines()) <= COLUMNS
    for screen in screens:
        assert "Traceback" not in screen


def whole_way(journey: Journey, capsys: pytest.CaptureFixture[str]) -> None:
    travel(journey)
    nothing_is_lost(journey)
    is_shown(journey, capsys)


@pytest.mark.journey
@pytest.mark.timeout(600)
def test_two_kiosks_are_set_up_from_nothing_work_and_are_upgraded_with_nothing_lost(
    begin: Callable[[Origin], Journey], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = tmp_path / "later"
    shutil.copytree(ROOT / "edge", later / "edge", ignore=shutil.ignore_patterns("__pycache__"))
    make_later(later / "edge")
    whole_way(begin(FromTree(later)), capsys)


@pytest.mark.debian
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_the_same_with_the_packages_on_a_debian_release(
    begin: Callable[[Origin], Journey], suite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journey = begin(FromPackages(suite))
    for name in FromPackages.NAMES.values():
        shutil.copy(built(name, DIST), journey.stick)
    made_newer(built("landfall-kiosk", DIST), "9.0", tmp_path / "later")
    (journey.stick / "newer").mkdir()
    (newer,) = (tmp_path / "later").glob("*.deb")
    shutil.move(newer, journey.stick / "newer")
    whole_way(journey, capsys)
