"""The wiring that technicians read is the one that the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.settings_table import with_table
from edge.wiring_table import wiring_table
from hw.settings import PANEL_PARTS

HARDWARE = Path(__file__).parents[2] / "docs" / "hardware.md"


def test_the_table_in_the_documentation_is_current() -> None:
    text = HARDWARE.read_text(encoding="utf-8")
    assert with_table(text, wiring_table()) == text, "run: python -m edge.wiring_table"


def test_every_part_has_a_row_that_says_what_it_is_for() -> None:
    rows = wiring_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(PANEL_PARTS)
    assert not [row for row in rows if row.startswith("|  |")]


def test_a_row_says_pin_and_place() -> None:
    assert "| lamp: passed | `green` | GPIO17 | 11 | driver or relay, on while the pin is high |" in wiring_table()


def test_a_text_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="settings:begin"):
        with_table("# Hardware", wiring_table())
