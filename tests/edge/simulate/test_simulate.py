"""`landfall simulate`, with the real daemon in its process."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from edge.cli import main
from edge.errors import LandfallError
from edge.settings_table import with_table
from edge.simulate import run as run_module
from edge.simulate.figures import Figures, digest
from edge.simulate.kiosk import make
from edge.simulate.run import run
from edge.simulate.scenario_table import scenario_table
from edge.simulate.screen import print_figures
from hw.simulated.scenario import CameraScenario, Scenario, shipped

DOCS = Path(__file__).parents[3] / "docs" / "simulation.md"
QUICK = """
seed = 35
count = 5
interval_s = 0
boarding_pass_every = 0
officer_s = 0
keyed_every = 4
no_document_every = 5
refer_every = 5
patience_s = 3
camera = { is_fitted = false }
group = { expected = 5, conveyance = "vessel", name = "L'Express des Iles" }
faults = [{ kind = "early", every = 2 }, { kind = "repeat", every = 3 }, { kind = "together", every = 1 }]
"""
FIGURES = Figures(3, 3, 2, 1, 0, 1, 2, {"off": 1}, {"flip": 1}, [], 0.25, "ab" * 32)


def simulated(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["simulate", "--json", "--speed", "50", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_same_scenario_twice_gives_the_same_crossings(tmp_path: Path, capsys) -> None:
    (tmp_path / "quick.toml").write_text(QUICK)
    first, second = (simulated(["--scenario", str(tmp_path / "quick.toml")], capsys) for _ in range(2))
    assert (first["travellers"], first["crossings"], first["passed"], first["referred"]) == (5, 5, 4, 1)
    assert first["groups"] == [5]
    assert first["photos_absent"] == {"off": 5}
    assert first["digest"] == second["digest"]


def test_the_scenarios_that_ship_are_listed_in_80_columns(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["simulate", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:] if line.strip() and not line.startswith(" ")] == shipped()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--scenario", "nowhere"], "landfall: scenario: nowhere cannot be read"),
        (["--config", "/nowhere/kiosk.toml"], "landfall: /nowhere/kiosk.toml: cannot be read"),
    ],
)
def test_what_is_not_there_is_one_sentence_and_2(words, sentence, capsys) -> None:
    assert main(["simulate", *words]) == 2
    assert capsys.readouterr().err.startswith(sentence)


@pytest.mark.parametrize("words", [["--speed", "0"], ["--travellers", "0"], ["--speed", "nan"]])
def test_a_number_that_makes_no_sense_is_refused(words, capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["simulate", *words])


def test_a_kiosk_that_cannot_start_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    scenario = Scenario(count=1, camera=CameraScenario(is_fitted=False))
    kiosk = make(tmp_path / "kiosk", scenario, speed=1, config=None)
    (kiosk.folder / "record.key.json").unlink()
    with pytest.raises(LandfallError, match=r"the kiosk is not ready: .*record\.key\.json"):
        run(kiosk, lambda left, of: None)


def test_when_nobody_leaves_any_more_the_simulation_ends(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run_module, "_longest_turn_s", lambda kiosk: 0.0)
    scenario = Scenario(count=1, boarding_pass_every=0, camera=CameraScenario(delay_s=5))
    kiosk = make(tmp_path / "kiosk", scenario, speed=50, config=None)
    with pytest.raises(LandfallError, match="nobody left for"):
        run(kiosk, lambda left, of: None)


def test_the_count_is_shown_in_80_columns_and_a_wrong_one_says_so(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_figures(FIGURES, "mine.toml")
    right = capsys.readouterr().out
    assert max(map(len, right.splitlines())) <= 80
    assert "One crossing for each traveller who left." in right
    print_figures(msgspec.structs.replace(FIGURES, crossings=4), "mine.toml")
    assert "WRONG: 3 travellers left, 4 crossings count." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("crossings", "voided", "is_right"), [(3, 0, True), (4, 1, True), (4, 0, False), (2, 0, False)]
)
def test_one_crossing_that_counts_for_each_traveller_is_right(crossings: int, voided: int, is_right: bool) -> None:
    assert msgspec.structs.replace(FIGURES, crossings=crossings, voided=voided).is_right is is_right


def test_two_lanes_have_no_order_between_them_and_one_lane_has() -> None:
    one, other = ["entry", "desk"], ["exit", "desk"]
    assert digest([one, other], [], lanes=2) == digest([other, one], [], lanes=2)
    assert digest([one, other], [], lanes=1) != digest([other, one], [], lanes=1)


def test_the_tables_in_the_documentation_are_current_and_every_key_has_a_meaning() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert with_table(text, scenario_table()) == text, "run: python -m edge.simulate.scenario_table"
    assert [line for line in scenario_table().splitlines() if line.startswith("| `") and line.endswith("|  |")] == []
