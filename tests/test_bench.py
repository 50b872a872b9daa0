"""How figures are reported; the figures themselves are for `make bench`."""

from __future__ import annotations

import json
import sys

import pytest

import bench.__main__ as report
from bench.row import Row, medians_us


@pytest.mark.parametrize(
    ("figure", "bar", "bar_is", "is_met"),
    [
        (2, 2, "most", True),
        (2.1, 2, "most", False),
        (3, 3, "least", True),
        (2.9, 3, "least", False),
        (9, None, "most", None),
    ],
)
def test_a_bar_is_met_or_missed(figure, bar, bar_is, is_met) -> None:
    assert Row("x", figure, "us", bar=bar, bar_is=bar_is).is_met is is_met


def test_a_median_of_fewer_than_five_rounds_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 5 rounds"):
        medians_us(int, calls=1, rounds=4)


def test_contenders_take_turns() -> None:
    order: list[str] = []
    took = medians_us(lambda: order.append("ours"), lambda: order.append("theirs"), calls=1, rounds=5)
    assert order == ["ours", "theirs"] * 5
    assert len(took) == 2


def test_every_benchmark_is_found() -> None:
    assert {"mrz", "bcbp", "dcc", "cache"} <= report.benchmarks().keys()
    assert not {"row", "__main__"} & report.benchmarks().keys()


@pytest.mark.parametrize(
    ("row", "exit_status"),
    [
        (Row("fast enough", 4, "x", bar=3, bar_is="least"), 0),
        (Row("too slow", 2, "x", bar=3, bar_is="least"), 1),
        (Row("a busy machine", 200, "us", bar=100), 0),
        (Row("no bar", 200, "us"), 0),
    ],
)
def test_a_missed_ratio_is_the_exit_status_and_all_is_written(row, exit_status, monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setattr(report, "benchmarks", lambda: {"one": lambda quick: [row]})
    monkeypatch.setattr(sys, "argv", ["bench", "--quick", "--output", str(tmp_path / "new" / "bench.json")])
    assert report.main() == exit_status
    written = json.loads((tmp_path / "new" / "bench.json").read_text())
    assert written["quick"] is True
    assert [(one["what"], one["is_met"]) for one in written["benchmarks"]["one"]] == [(row.what, row.is_met)]
    assert row.what in capsys.readouterr().out


def test_an_unknown_benchmark_is_named(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "nothing"])
    with pytest.raises(SystemExit):
        report.main()
    assert "no benchmark nothing; there are " in capsys.readouterr().err
