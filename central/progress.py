"""Progress bars for work of the centre that takes its time.

Owns how a bar looks. Always true: it is shown only on a terminal, and on standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

STEPS = 500  # of a bar: drawing must not cost more than the work


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function `(done, total)`; the bar is gone again when all is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        shown = 0

        def show(done: int, total: int) -> None:
            nonlocal shown
            if done >= total or done - shown >= total / STEPS:
                shown = done
                bar.update(task, completed=done, total=total)

        yield show
