"""How `landfall check` shows its lines, each as it comes.

Owns words, colours and columns. Always true: it fits 80 columns, and colour is never the only difference.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from edge.check.line import Line, State
from edge.screen import looked_at

_STYLES = {State.OK: "green", State.WARN: "yellow", State.FAILED: "bold red"}


class CheckScreen:
    """A terminal on which lines appear as they come, and below them what is waited for."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._waiting = self._console.status("")

    def tell(self, text: str) -> None:
        """Show what is waited for, until the next line; nothing of it stays."""
        self._waiting.update(Text(text))
        self._waiting.start()

    def print_lines(self, lines: Iterable[Line]) -> list[Line]:
        """Print lines as they come, and the sum at last; return them."""
        found = []
        try:
            for line in lines:
                self._waiting.stop()
                found.append(line)
                style = _STYLES[line.state]
                self._console.print(looked_at(line.what, line.state.value, style, line.detail, line.remedy))
        finally:
            self._waiting.stop()
        counts = [sum(line.state is state for line in found) for state in State]
        self._console.print(Text(f"{counts[0]} ok, {counts[1]} warnings, {counts[2]} failed", "bold"))
        return found
