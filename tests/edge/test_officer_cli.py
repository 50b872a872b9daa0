"""What an officer types at the questions reaches the kiosk, also when it refuses at first."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any

import pytest

from edge import officer_cli
from edge.cli import main
from edge.errors import LandfallError
from tests.edge.test_entry_form import ANSWERS, FIELDS


class Kiosk:
    """Stands for the daemon: refuses what is keyed in so many times, then takes it."""

    def __init__(self, refusals: int) -> None:
        self._refusals = refusals
        self.taken: list[dict[str, Any]] = []

    def ask(self, options: argparse.Namespace, verb: str, **arguments: Any) -> dict[str, Any]:
        if verb == "outcome":
            return {"state": "recorded", "sequence": 7, "result": "passed"}
        if verb == "enter" and self._refusals:
            self._refusals -= 1
            raise LandfallError("the kiosk refused: lane left is collecting; try again in a moment")
        if verb == "enter":
            self.taken.append(arguments["typed"])
        return {"lane": "left", "id": "id-1", "state": "manual"}


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Callable[[Kiosk, list[str]], int]:
    def run(kiosk: Kiosk, answers: list[str]) -> int:
        left = iter(answers)
        monkeypatch.setattr(officer_cli, "_ask", kiosk.ask)
        monkeypatch.setattr("builtins.input", lambda prompt: next(left))
        options = argparse.Namespace(no_document=False, written_at="", stdin=False, json=False)
        return officer_cli._enter(options)

    return run


def test_what_was_typed_is_not_lost_when_the_lane_is_busy(enter, capsys) -> None:
    kiosk = Kiosk(refusals=2)
    assert enter(kiosk, [*ANSWERS, "", "", "y"]) == 0
    assert kiosk.taken == [FIELDS]
    said = capsys.readouterr().out
    assert said.count("lane left is collecting; try again in a moment") == 2
    assert "Crossing id-1: passed, recorded at position 7" in said


def test_an_officer_who_gives_up_records_nothing(enter, capsys) -> None:
    kiosk = Kiosk(refusals=1)
    assert enter(kiosk, [*ANSWERS, "y", "n"]) == 1
    assert kiosk.taken == []
    assert capsys.readouterr().out.endswith("Nothing was recorded.\n")


def test_no_field_of_a_traveller_can_stand_on_a_command_line_where_the_shell_and_sudo_keep_it(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["enter", "--help"])
    flags = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert flags == {
        *("--help", "--lane", "--officer", "--config", "--json"),
        *("--stdin", "--no-document", "--written-at", "--direction", "--result"),
    }
