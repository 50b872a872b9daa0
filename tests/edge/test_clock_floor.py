"""The clock is set forward to a time that is certainly past, and otherwise left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.clock import installed_s
from edge.clock_floor import floor_s, raise_clock
from edge.errors import LandfallError
from tests.edge.test_config import LEAST, parsed


class Clock:
    """A clock that can be set."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self.settings: list[float] = []

    def set(self, to_s: float) -> None:
        self.settings.append(to_s)


@pytest.mark.parametrize(("now_s", "settings"), [(99.9, [100.0]), (0.0, [100.0]), (100.0, []), (1e9, [])])
def test_a_clock_behind_the_floor_is_set_to_it_and_no_other_is_touched(now_s, settings) -> None:
    clock = Clock(now_s)
    assert raise_clock(100.0, now_s=lambda: clock.now_s, set_s=clock.set) is bool(settings)
    assert clock.settings == settings


def test_a_clock_that_may_not_be_set_says_what_is_needed() -> None:
    def refuse(to_s: float) -> None:
        raise PermissionError(1, "Operation not permitted")

    with pytest.raises(LandfallError, match="cannot be set: Operation not permitted; CAP_SYS_TIME is needed"):
        raise_clock(100.0, now_s=lambda: 0.0, set_s=refuse)


@pytest.fixture
def store(tmp_path) -> Path:
    store = tmp_path / "cache.db"
    store.touch()
    return store


def floor_of(store: Path, not_before: str = "2026-01-01") -> float:
    text = LEAST.replace("[store]", f'[store]\npath = "{store}"') + f'\n[clock]\nnot_before = "{not_before}"\n'
    return floor_s(parsed(text))


def test_the_floor_is_the_installation_or_the_setting_for_a_kiosk_without_a_store(tmp_path) -> None:
    assert floor_of(tmp_path / "none" / "cache.db") == installed_s()
    late = datetime.fromtimestamp(installed_s(), UTC) + timedelta(days=40)
    midnight = datetime(late.year, late.month, late.day, tzinfo=UTC)
    assert floor_of(tmp_path / "none" / "cache.db", f"{late:%Y-%m-%d}") == midnight.timestamp()


def test_the_last_write_to_the_store_raises_the_floor(store) -> None:
    written_s = installed_s() + 86_400
    os.utime(store, (0, 1000))
    log = store.with_name("cache.db-wal")
    log.touch()
    os.utime(log, (0, written_s))
    assert floor_of(store) == written_s


@pytest.mark.parametrize("written_s", [0, 4_294_967_295 + 1e9])
def test_a_file_that_an_upset_clock_dated_does_not_count(store, written_s) -> None:
    os.utime(store, (0, written_s))
    assert floor_of(store) == installed_s()


def test_a_clock_that_is_right_is_left_alone_by_the_command(tmp_path, store) -> None:
    config = tmp_path / "kiosk.toml"
    config.write_text(LEAST, encoding="utf-8")
    command = [sys.executable, "-m", "edge.clock_floor", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "clock is not behind its floor" in done.stderr


def test_a_wrong_setting_is_one_sentence_and_status_2(tmp_path) -> None:
    command = [sys.executable, "-m", "edge.clock_floor", "--config", str(tmp_path / "none.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
