"""Keys and questions: one key without Enter on a terminal, lines from a pipe, and an end of both."""

from __future__ import annotations

import io
import os
import pty
import termios
from collections.abc import Iterator

import pytest
from rich.console import Console

from edge.accept.keys import ENTER, Keys
from edge.accept.screen import ANSWER_S, Screen, Skipped
from tests.edge.accept.scene import Typist

WITHIN_S = 60.0


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Give both ends of a terminal: the technician's and the program's."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def screen(keys: Keys | Typist, monotonic=None) -> tuple[Screen, io.StringIO]:
    """Return a screen and what is on it."""
    text = io.StringIO()
    more = {} if monotonic is None else {"monotonic": monotonic}
    return Screen(keys, Console(file=text, width=80), lambda: None, **more), text  # type: ignore[arg-type]


def test_a_key_counts_without_enter_and_the_terminal_is_put_back(terminal: tuple[int, int]) -> None:
    here, there = terminal
    before = termios.tcgetattr(there)
    with Keys(there) as keys:
        os.write(here, b"Y")
        assert keys.pressed(WITHIN_S) == "y"
        os.write(here, b"\r")
        assert keys.pressed(WITHIN_S) == ENTER
        assert keys.pressed(0.01) == ""
    assert termios.tcgetattr(there) == before


def test_lines_of_a_pipe_count_by_their_first_letter_until_they_end() -> None:
    here, there = os.pipe()
    os.write(there, b"yes\n\nn")
    os.close(there)
    with Keys(here) as keys:
        assert [keys.pressed(WITHIN_S) for _ in range(3)] == ["y", ENTER, "n"]
        assert keys.pressed(0) == ""
        assert keys.has_ended
    os.close(here)


def test_whom_nobody_answers_goes_on_at_once() -> None:
    here, there = os.pipe()
    os.close(there)
    with Keys(here) as keys:
        asked, _ = screen(keys)
        with pytest.raises(Skipped):
            asked.ask("Is the amber lamp on?")
        assert asked.again() is False
    os.close(here)


def test_a_question_takes_yes_or_no_and_passes_over_other_keys() -> None:
    typist = Typist("xqn")
    asked, text = screen(typist, lambda: typist.now_s)
    assert asked.ask("Is the amber lamp on?") is False
    assert asked.inputs == 3
    assert "y = yes, n = no, s = skip" in text.getvalue()


def test_a_question_ends_by_itself() -> None:
    typist = Typist()
    asked, _ = screen(typist, lambda: typist.now_s)
    with pytest.raises(Skipped):
        asked.ask("Is the amber lamp on?")
    assert typist.now_s == pytest.approx(ANSWER_S, abs=1)


def test_where_no_line_counts_down_the_time_stands_beside_what_to_do() -> None:
    text = io.StringIO()
    console = Console(file=text, width=80, force_terminal=True, _environ={"TERM": "dumb"})
    Screen(Typist(""), console, lambda: None).wait_for("Press accept.", lambda: "pressed", 60)  # type: ignore[arg-type]
    assert "-> Press accept.  60 s, s = skip" in text.getvalue()


def test_a_wait_ends_when_it_was_done_when_time_is_up_or_when_it_is_skipped() -> None:
    typist = Typist("..s")
    waited, _ = screen(typist, lambda: typist.now_s)
    assert waited.wait_for("Press accept.", lambda: "pressed", 60) == "pressed"
    with pytest.raises(Skipped):
        waited.wait_for("Press accept.", lambda: None, 60)
    assert waited.wait_for("Press accept.", lambda: None, 60) is None
