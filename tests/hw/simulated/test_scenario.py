"""Scenario files are found by name or path, and checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw.devices import DeviceError
from hw.simulated.scenario import Scenario, about, load, shipped

SHIPPED = ["airport-hour", "demo", "ferry-300", "misreads", "small-boat"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_scenario_that_ships_is_found_by_its_name_and_says_what_it_is(name: str):
    assert isinstance(load(name), Scenario)
    assert about(name).endswith((".", "?"))


def test_these_scenarios_ship():
    assert shipped() == SHIPPED


def test_a_program_may_write_a_scenario_as_json(tmp_path: Path):
    (tmp_path / "mine.json").write_text('{"seed": 5, "witness": "seen.jsonl"}')
    assert load(str(tmp_path / "mine.json")) == Scenario(seed=5, witness=str(tmp_path / "seen.jsonl"))


def test_no_name_is_the_demonstration():
    assert load("") == load("demo")


def test_a_scenario_is_found_by_its_path(tmp_path: Path):
    (tmp_path / "mine.toml").write_text("seed = 5\ncount = 2\n")
    assert load(str(tmp_path / "mine.toml")) == Scenario(seed=5, count=2)


def test_a_scenario_that_is_not_there_is_refused_with_the_names_of_those_that_are():
    with pytest.raises(DeviceError, match="nowhere cannot be read; give a file, or one of: airport-hour, demo"):
        load("nowhere")


@pytest.mark.parametrize("text", ["seed = ", "colour = 'red'", "seed = -1", 'documents = ["TD9"]', "documents = []"])
def test_a_scenario_that_makes_no_sense_is_refused(tmp_path: Path, text: str):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(DeviceError, match=r"bad\.toml"):
        load(str(tmp_path / "bad.toml"))
