"""The battery-backed clock, from a copy of the kernel's files."""

from __future__ import annotations

import pytest

from hw.rtc import rtc_time_s


def test_the_clock_tells_unix_time(tmp_path) -> None:
    (tmp_path / "class/rtc/rtc0").mkdir(parents=True)
    (tmp_path / "class/rtc/rtc0/since_epoch").write_text("1767225600\n")
    assert rtc_time_s(tmp_path) == 1767225600.0


@pytest.mark.parametrize("text", [None, "", "no answer\n"])
def test_a_clock_that_is_not_there_tells_nothing(tmp_path, text) -> None:
    if text is not None:
        (tmp_path / "class/rtc/rtc0").mkdir(parents=True)
        (tmp_path / "class/rtc/rtc0/since_epoch").write_text(text)
    assert rtc_time_s(tmp_path) is None
