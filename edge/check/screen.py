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


def print_lines(lines: Iterable[Line]) -> list[Line]:
    """Print lines as they come, and the sum at last; return them."""
    console, found = Console(highlight=False), []
    for line in lines:
        found.append(line)
        console.print(looked_at(line.what, line.state.value, _STYLES[line.state], line.detail, line.remedy))
    counts = [sum(line.state is state for line in found) for state in State]
    console.print(Text(f"{counts[0]} ok, {counts[1]} warnings, {counts[2]} failed", "bold"))
    return found
