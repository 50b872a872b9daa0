"""Scenario files are found by name or path, and checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw.devices import DeviceError
from hw.simulated.scenario import Scenario, load


@pytest.mark.parametrize("name", ["demo", "misreads"])
def test_a_scenario_that_ships_is_found_by_its_name(name: str):
    assert isinstance(load(name), Scenario)


def test_no_name_is_the_demonstration():
    assert load("") == load("demo")


def test_a_scenario_is_found_by_its_path(tmp_path: Path):
    (tmp_path / "mine.toml").write_text("seed = 5\ncount = 2\n")
    assert load(str(tmp_path / "mine.toml")) == Scenario(seed=5, count=2)


def test_a_scenario_that_is_not_there_is_refused_with_the_names_of_those_that_are():
    with pytest.raises(DeviceError, match="nowhere cannot be read; give a file, or one of: demo, misreads"):
        load("nowhere")


@pytest.mark.parametrize("text", ["seed = ", "colour = 'red'", "seed = -1", 'documents = ["TD9"]', "documents = []"])
def test_a_scenario_that_makes_no_sense_is_refused(tmp_path: Path, text: str):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(DeviceError, match=r"bad\.toml"):
        load(str(tmp_path / "bad.toml"))
