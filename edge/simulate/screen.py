"""What `landfall simulate` shows: progress while people cross, and the count at the end.

Owns words and columns. Always true: it fits 80 columns; a count that is not right says so in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from edge.simulate.figures import Figures
from hw.simulated.scenario import about, shipped


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function `(left, of)`; the bar is on standard error, on a terminal alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda left, of: bar.update(task, completed=left, total=of)


def print_scenarios() -> None:
    """Print the scenarios that ship with the package, and what they say of themselves."""
    table = Table("Scenario", Column("What happens", overflow="fold"), box=None, pad_edge=False, header_style="bold")
    for name in shipped():
        table.add_row(name, about(name))
        table.add_row("", "")
    Console(highlight=False).print(table)


def print_figures(figures: Figures, scenario: str) -> None:
    """Print the count of a simulation."""
    console = Console(highlight=False)
    console.print(Text(f"Simulation of {scenario}", "bold"))
    table = Table(
        "", Column("", justify="right"), Column("", overflow="fold"), box=None, show_header=False, pad_edge=False
    )
    for name, number, words in _rows(figures):
        table.add_row(name, number, words)
    console.print(table)
    console.print(f"Digest {figures.digest}", soft_wrap=True)
    if figures.is_right:
        console.print(Text("One crossing for each traveller who left.", "green"))
    else:
        counted = figures.crossings - figures.voided
        console.print(Text(f"WRONG: {figures.travellers} travellers left, {counted} crossings count.", "bold red"))


def _rows(figures: Figures) -> Iterator[tuple[str, str, str]]:
    yield "Travellers who left", str(figures.travellers), ""
    yield "Crossings captured", str(figures.crossings), ""
    yield "Passed", str(figures.passed), ""
    yield "Referred", str(figures.referred), ""
    yield "Voided", str(figures.voided), ""
    yield "Documents shown again", str(figures.shown_again), ""
    yield "Faults met", str(sum(figures.faults.values())), _list(figures.faults)
    yield "Photos", str(figures.photos), ""
    yield "Photos absent", str(sum(figures.photos_absent.values())), _list(figures.photos_absent)
    for number in figures.groups:
        yield "Counted in the group", str(number), ""
    yield "Slowest scan to green", f"{figures.slowest_green_s:.2f} s", "not counting an officer's time"


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items())
