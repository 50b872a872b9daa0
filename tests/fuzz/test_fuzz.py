"""Every fuzzer for a moment, and what longer runs found."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.__main__ import TARGETS, seconds_for
from tests.fuzz.altering import LONGEST
from tests.fuzz.cases import keep, kept


@pytest.mark.parametrize("name", TARGETS)
def test_every_parser_holds_for_a_moment(name) -> None:
    chance = random.Random(name)
    for _ in range(100):
        TARGETS[name].check(TARGETS[name].altered(chance))


@pytest.mark.parametrize("name", TARGETS)
def test_every_parser_reads_its_own_seeds(name) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].check(TARGETS[name].make(seed))


@pytest.mark.parametrize(("name", "payload"), list(kept()))
def test_what_broke_a_parser_once_does_not_do_it_again(name, payload) -> None:
    seconds_for(TARGETS[name], payload, limit_s=8 * TARGETS[name].limit_s)  # a busy machine is no fault


def test_a_kept_input_comes_back_as_it_was(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("tests.fuzz.cases.FOLDER", tmp_path)
    for payload in (b"\xff\x00", "text \ud7ff", ""):
        keep("mrz", payload)
    assert sorted(kept(), key=repr) == [("mrz", ""), ("mrz", "text \ud7ff"), ("mrz", b"\xff\x00")]
    assert list(tmp_path.iterdir())


def test_no_altered_input_is_longer_than_a_reader_may_send() -> None:
    chance = random.Random(1)
    assert all(len(TARGETS["bcbp"].altered(chance)) <= LONGEST for _ in range(300))
