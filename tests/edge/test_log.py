"""Log lines: one line an event, whatever is in it."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from edge.log import Log, Priority, tell_faults_by_kind_and_place


def logged(*words: object, **facts: object) -> str:
    """Return what one call writes."""
    stream = io.StringIO()
    Log(stream)(*words, **facts)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize(
    ("priority", "mark"), [(Priority.ERROR, 3), (Priority.WARNING, 4), (Priority.NOTICE, 5), (Priority.INFO, 6)]
)
def test_the_priority_stands_in_front_as_journald_wants_it(priority, mark) -> None:
    assert logged(priority, "kiosk started") == f"<{mark}>kiosk started\n"


def test_facts_are_key_and_value_and_quoted_where_they_hold_blanks() -> None:
    line = logged(Priority.INFO, "device lost", device="passport", reason="no such port", count=3)
    assert line == '<6>device lost device=passport reason="no such port" count=3\n'


@pytest.mark.parametrize("value", ["a\nb", "a\r\n<3>forged", "\n", "a\tb"])
def test_no_value_can_begin_a_line_of_its_own(value) -> None:
    line = logged(Priority.INFO, "event", reason=value)
    assert line.count("\n") == 1 and line.endswith("\n") and "\r" not in line


def test_a_log_writes_to_standard_error(capsys) -> None:
    Log()(Priority.INFO, "hello")
    assert capsys.readouterr().err == "<6>hello\n"


def test_each_line_is_written_at_once(tmp_path) -> None:
    with open(tmp_path / "log", "w", encoding="utf-8") as stream:
        Log(stream)(Priority.INFO, "hello")
        assert (tmp_path / "log").read_text(encoding="utf-8") == "<6>hello\n"


class Gone(io.StringIO):
    """A stream whose reader hung up."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_of_the_log_that_is_gone_stops_nothing() -> None:
    Log(Gone())(Priority.INFO, "uplink connected")


def test_a_fault_in_any_thread_is_told_by_kind_and_place_and_never_by_its_text(monkeypatch) -> None:
    for module, hook in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(module, hook, getattr(module, hook))
    stream = io.StringIO()
    tell_faults_by_kind_and_place(Log(stream))

    def fail() -> None:
        raise KeyError("ERIKSSON")

    thread = threading.Thread(target=fail, name="paho")
    thread.start()
    thread.join()
    try:
        fail()
    except KeyError as error:
        sys.excepthook(KeyError, error, error.__traceback__)
    lines = stream.getvalue().splitlines()
    assert [line.rpartition(":")[0] for line in lines] == [
        "<3>fault thread=paho error=KeyError at=test_log.py",
        "<3>fault thread=main error=KeyError at=test_log.py",
    ]
