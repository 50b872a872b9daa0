"""What the verbs of `landfall queue` show: tables, one sentence about what to do, and progress bars.

Owns words, columns and bars. Always true: it fits 80 columns; a bar is shown only on a terminal, and on standard error,
so that what is printed can be piped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from edge.queue.chain import ChainReport
from edge.queue.export import Exported
from edge.screen import plain, print_queue, size

STEPS = 500  # of a bar: drawing must not cost more than the work
_MEANINGS = {
    "held": ("accepted", "green"),
    "no_news": ("known already", "green"),
    "unreadable_here": ("its record cannot be read here; a later receipt covers it", "yellow"),
    "old_generation": ("REFUSED: the centre has said otherwise since; fetch a new file", "bold red"),
    "foreign_kiosk": ("REFUSED: of another kiosk", "bold red"),
    "foreign_epoch": ("REFUSED: of an epoch that this store does not have there", "bold red"),
    "rolled_back": ("REFUSED: the centre holds more; this store is an older copy", "bold red"),
    "forked": ("REFUSED: the centre holds another record there (a cloned card?)", "bold red"),
    "not_valid": ("REFUSED: not signed by this kiosk's centre", "bold red"),
}


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function `(what, done, total)`; each `what` has a bar of its own, gone again when all is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    tasks: dict[str, Any] = {}
    shown: dict[str, int] = {}

    def show(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total)
        elif done < total and done - shown[what] < total / STEPS:
            return
        shown[what] = done
        bars.update(tasks[what], completed=done, total=total)

    with bars:
        yield show


def print_stats(figures: dict[str, Any]) -> None:
    """Print what is kept, what has waited longest, and for how long there is room."""
    print_queue(figures)
    console = Console(highlight=False)
    console.print(Text.assemble("Oldest    ", _oldest(figures["oldest_unreceipted"])))
    console.print(Text.assemble("Room      ", _room(figures["room"])))


def _oldest(oldest: dict[str, Any] | None) -> str:
    if oldest is None:
        return "nothing awaits its receipt"
    name = f"{oldest['stream']} {oldest['sequence']}"
    if oldest["time"] is None:
        return f"{name} awaits its receipt and cannot be read: landfall queue verify"
    age_s = oldest["age_s"]
    since = f"for {_long(age_s / 3600)}" if age_s is not None and age_s >= 0 else "(the clock was wrong)"
    return f"{name} of {_time(oldest['time'])} awaits its receipt {since}"


def _room(room: dict[str, Any]) -> str:
    free = f"{room['free_bytes'] / 1e9:.1f} GB are free"
    if room["hours"] is None:
        return f"{free}; for how long is unknown, there is too little history"
    return f"for {_long(room['hours'])} at the pace of the last days; {free}"


def print_rows(rows: Iterable[dict[str, Any]]) -> None:
    """Print a list of records."""
    table = Table(Column("Position", justify="right"), "Type", "Time (UTC)", "Way", "Outcome", "Practice",
                  Column("Size", justify="right"), "Held", box=None, pad_edge=False, header_style="bold")  # fmt: skip
    for row in rows:
        table.add_row(
            str(row["sequence"]), _type(row["type"]), _time(row["time"]), row["direction"], row["outcome"],
            "yes" if row["training"] else "", size(row["bytes"]),
            Text("yes", "green") if row["receipted"] else Text("no", "yellow"),
        )  # fmt: skip
    console = Console(highlight=False)
    if table.row_count:
        console.print(table)
    else:
        console.print("no such records")


def print_details(found: dict[str, Any]) -> None:
    """Print everything of one record that is not sealed."""
    console = Console(highlight=False)
    table = Table("Field", Column("Value", overflow="fold"), box=None, pad_edge=False, show_header=False)
    for name in ("time", "direction", "outcome", "training", "receipted", "id", "bytes"):
        table.add_row(name, _word(found[name]))
    table.add_row("hash", found["hash"])
    for name in ("prev", "sha256", "epoch", "replaces", "reason"):
        if value := found["claims"].get(name):
            table.add_row(name, value)
    for part in ("envelope", "letter"):
        for name, value in (found[part] or {"bytes": 0}).items():
            table.add_row(f"{part}.{name}", str(value))
    console.print(Text(f"{found['stream']} {found['sequence']}  {_type(found['type'])}", "bold"))
    console.print(table)


def print_chain(report: ChainReport) -> None:
    """Print what a walk over the chain found, and what to do about a break."""
    console = Console(highlight=False)
    console.print(Text(f"Kiosk {report.kiosk}", "bold"))
    table = Table("Stream", "From", "To", "Records", "Set aside", "Breaks", box=None, pad_edge=False)
    for name, stream in report.streams.items():
        breaks = Text(str(stream.breaks), "bold red" if stream.breaks else "green")
        range_ = (str(stream.first), str(stream.last)) if stream.records else ("", "")
        table.add_row(name, *range_, str(stream.records), str(stream.tombstones), breaks)
    console.print(table)
    for one in report.breaks:
        console.print(Text.assemble(("BREAK     ", "bold red"), f"{one.stream} {one.sequence}: {one.reason}"))
    if report.is_whole:
        console.print(Text("The chain is whole.", "green"))
        return
    hidden = sum(stream.breaks for stream in report.streams.values()) - len(report.breaks)
    if hidden > 0:
        console.print(f"... and {hidden} more")
    console.print(
        "The chain is not whole. Delete nothing: copy the folder of the store, let the kiosk run (it sets aside what "
        "it cannot read), and report the positions to the centre."
    )


def print_exported(exported: Exported, *, is_own_disk: bool) -> None:
    """Print which files were written, what is in them, and what to do with them."""
    console = Console(highlight=False, soft_wrap=True)
    if exported.files:
        for section in exported.sections:
            range_ = f"{section.stream} {section.first} to {section.last}"
            console.print(f"Records   {range_}: {section.records}, {size(section.bytes)}")
        for path in exported.files:
            console.print(Text.assemble("File      ", str(path)))
        console.print(f"Written and read back: {size(exported.bytes)}. Unmount the stick before pulling it out.")
        console.print("At the centre: landfall-central import FOLDER")
    else:
        console.print("Nothing awaits its receipt, so nothing was written.")
    if exported.unreadable:
        console.print(
            Text(f"{exported.unreadable} positions cannot be read and are left out: landfall queue verify", "yellow")
        )
    if is_own_disk and exported.files:
        console.print(Text("This is the kiosk's own disk. Is the stick mounted?", "yellow"))


def print_receipts(answers: list[dict[str, Any]]) -> None:
    """Print what the kiosk says of each receipt."""
    console = Console(highlight=False)
    for answer in answers:
        word, style = _MEANINGS.get(answer["meaning"], (answer["meaning"], "bold red"))
        place = f"{answer['kiosk']} {answer['stream']} up to {answer['held_up_to']}: " if "stream" in answer else ""
        console.print(Text.assemble("Receipt   ", plain(place), (word, style)))


def _type(name: str) -> str:
    """Return `crossing` for `org.landfall.crossing.v1`."""
    parts = name.split(".")
    return parts[2] if len(parts) == 4 else name


def _time(text: str) -> str:
    return text[:19].replace("T", " ")


def _word(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _long(hours: float) -> str:
    if hours >= 24 * 365:
        return "more than a year"
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    return f"{hours:.0f} h" if hours >= 1 else f"{hours * 60:.0f} min"
