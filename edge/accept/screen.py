"""What a technician sees and answers: one sentence to do, how long there is for it, and what came of it.

Owns words, colours, columns and keys. Always true: it fits 80 columns; colour is never the only difference; nothing is
redrawn when the output is no terminal; every wait ends by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from edge.accept.keys import ENTER, Keys
from edge.accept.running import POLL_S
from edge.screen import looked_at, plain
from edge.wire.acceptance import Acceptance, Finding, Verdict, is_accepted

WIDTH = 80
ANSWER_S = 180.0
INDENT = 8
_STYLES = {
    Verdict.OK: "green",
    Verdict.WARN: "yellow",
    Verdict.FAILED: "bold red",
    Verdict.SKIPPED: "yellow",
}
_END = {True: "bold green", False: "bold red"}
Found = TypeVar("Found")


class Skipped(Exception):
    """The technician did not do what was asked for, and said so."""


class Screen:
    """The terminal; `inputs` counts what was typed.

    `meanwhile` is called again and again while an answer is awaited, and `monotonic` is the clock of every wait.
    """

    def __init__(
        self,
        keys: Keys,
        console: Console,
        meanwhile: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys, self._console, self._meanwhile, self._monotonic = keys, console, meanwhile, monotonic
        self.inputs = 0

    def title(self, number: int, of: int, words: str) -> None:
        """Begin a step."""
        self._console.print()
        self._console.print(Text(f"{number} of {of}  {words}", "bold"))

    def say(self, words: str, style: str = "") -> None:
        """Say something."""
        self._console.print(Padding(Text(words, style), (0, 0, 0, INDENT)))

    def finding(self, finding: Finding) -> None:
        """Show what came of something."""
        word, style = finding.verdict.value, _STYLES[finding.verdict]
        self._console.print(looked_at(finding.what, word, style, finding.detail, finding.remedy))

    def wait_for(self, instruction: str, look: Callable[[], Found | None], within_s: float) -> Found | None:
        """Say what to do and look until it was done; return what was found, or None when time is up.

        Raises `Skipped` when the technician presses `s`.
        """
        self._keys.forget()
        if self._console.is_dumb_terminal:  # where no line is drawn again, and so none counts down
            instruction += f"  {within_s:.0f} s, s = skip"
        self._console.print(Padding(Text(f"-> {instruction}", "bold cyan"), (0, 0, 0, INDENT - 3)))
        until_s = self._monotonic() + within_s
        with Live(console=self._console, transient=True, auto_refresh=False) as line:
            shown_s = -1
            while (left_s := until_s - self._monotonic()) > 0:
                if self._console.is_terminal and int(left_s) != shown_s:
                    shown_s = int(left_s)
                    line.update(Text(f"{' ' * INDENT}{shown_s:3d} s left   s = skip", "dim"), refresh=True)
                if (found := look()) is not None:
                    return found
                if self._keys.pressed(POLL_S) == "s":
                    self.inputs += 1
                    raise Skipped
        return None

    def ask(self, question: str) -> bool:
        """Return the answer to a question that only eyes and ears can answer; raise `Skipped` without one."""
        return self._choose(f"{question}  y = yes, n = no, s = skip", {"y": True, "n": False})

    def again(self) -> bool:
        """Ask whether a step that failed shall be tried again."""
        if not self._keys.is_terminal:
            return False
        try:
            return self._choose("r = try again, Enter = go on", {"r": True, ENTER: False})
        except Skipped:
            return False

    def _choose(self, question: str, answers: dict[str, bool]) -> bool:
        self._keys.forget()
        self._console.print(Padding(Text(f"?  {question}", "bold cyan"), (0, 0, 0, INDENT - 3)))
        until_s = self._monotonic() + ANSWER_S
        while self._monotonic() < until_s and not self._keys.has_ended:
            self._meanwhile()
            key = self._keys.pressed(POLL_S)
            self.inputs += bool(key)
            if key == "s":
                break
            if key in answers:
                return answers[key]
        raise Skipped

    def summary(self, report: Acceptance, took_s: float, *, is_whole: bool) -> None:
        """Show what came of everything; what is not whole is no acceptance, however good it is."""
        counts = {verdict: sum(one.verdict is verdict for one in report.findings) for verdict in Verdict}
        words = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
        self._console.print()
        is_good = is_accepted(report.findings)
        word = ("ACCEPTED" if is_good else "NOT ACCEPTED") if is_whole else ("Good" if is_good else "Not good")
        self._console.print(
            Text(word if is_whole else f"{word}; not all was checked, nothing was signed", _END[is_good])
        )
        self._console.print(plain(f"{words}; {report.inputs} keys pressed, {took_s:.0f} s"))
        for one in report.findings:
            if one.verdict in (Verdict.FAILED, Verdict.SKIPPED):
                self.finding(one)
