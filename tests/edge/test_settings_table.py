"""The table of settings that people read is the one that the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.settings_table import BEGIN, END, settings_table, with_table

README = Path(__file__).parents[2] / "README.md"


def test_the_table_in_the_readme_is_current() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_table(text) == text, "run: python -m edge.settings_table"


def test_every_setting_has_a_meaning() -> None:
    rows = [line for line in settings_table().splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_table_of_the_file_has_its_section() -> None:
    titles = [line.split("`")[1] for line in settings_table().splitlines() if line.startswith("**")]
    assert titles == [
        "[kiosk]", "[[lanes]]", "[lanes.policy]", "[[lanes.readers]]", "[lanes.camera]", "[lanes.panel]",
        "[documents]", "[store]", "[keys]", "[uplink]", "[clock]", "[control]", "[power]",
    ]  # fmt: skip


def test_a_row_says_value_default_and_meaning() -> None:
    assert "| `port` | 1-65535 | `8883` | its port for MQTT over TLS |" in settings_table()
    assert "| `keep_receipted_h` | a number from 0 to 8784 | must be given |" in settings_table()


def test_the_text_around_the_table_is_kept() -> None:
    made = with_table(f"before\n{BEGIN}\nOUTDATED\n{END}\nafter\n")
    assert made.startswith(f"before\n{BEGIN}\n**`[kiosk]`**") and made.endswith(f"{END}\nafter\n")
    assert "OUTDATED" not in made
    assert with_table(made) == made


@pytest.mark.parametrize("text", ["", BEGIN, END])
def test_a_text_without_markers_is_refused(text) -> None:
    with pytest.raises(ValueError, match="settings:begin"):
        with_table(text)
