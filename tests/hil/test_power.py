"""The machine loses its power while travellers pass; who saw green is on the card."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hil.machine import Machine
from tests.hil.post import Post
from tests.hil.test_devices import mrz

CUTS = 3


def test_whoever_saw_green_is_on_the_card_after_each_power_cut(
    parts: Path, card: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    passed = 0
    for cut in range(CUTS + 1):
        with Machine(parts, tmp_path_factory.mktemp("machine"), card) as machine:
            machine.ask("plug")
            post = Post(machine)
            if cut == 0:
                post.start_centre()
            post.start_kiosk()
            captured = post.captured()
            assert passed <= captured <= passed + cut, (
                "a crossing may be there whose lamp nobody saw, never the other way"
            )
            post.landfall("queue", "verify")
            for ordinal in range(3):
                post.passes(mrz(100 * cut + ordinal + 1))
                passed += 1
            machine.scan(mrz(100 * cut + 99))  # the power goes while this one is on the way
            machine.cut_power()


def test_a_machine_whose_watchdog_hears_nothing_starts_again(
    parts: Path, card: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Machine(parts, tmp_path_factory.mktemp("machine"), card) as machine:
        machine.run("/bin/sh", "-c", "exec 3>/dev/watchdog; sleep 0.1")  # opened, and never heard of again
        machine.wait_for_restart(180)
