"""What the command line shows: tables and verdicts for people, JSON for programs.

Owns words, colours and columns. Always true: it fits 80 columns; colour is never the only difference; nothing is
printed in colour when the output is no terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from edge.documents.verdict import Document, Result, Verdict
from hw.framing import FrameError

if TYPE_CHECKING:
    from hw.black_box import KeptMessage

_MARKS = {
    Result.OK: ("ok", "green"),
    Result.FAILED: ("FAILED", "bold red"),
    Result.DOUBTFUL: ("doubtful", "yellow"),
    Result.NOT_DONE: ("not done", "dim"),
}
_GRAVEST_FIRST = (Result.FAILED, Result.DOUBTFUL, Result.NOT_DONE, Result.OK)


def print_json(answer: object) -> None:
    """Print one JSON document on one line."""
    sys.stdout.write(msgspec.json.encode(answer).decode("utf-8") + "\n")


def print_document(document: Document) -> None:
    """Print the fields of a document, and one line for each check, the gravest first."""
    console = Console(highlight=False)
    if not document.is_understood:
        _print_not_understood(console, document)
        return
    console.print(Text.assemble(("Document  ", "bold"), f"{document.kind} (source {document.source})"))
    table = Table("Field", Column("Value", overflow="fold"), box=None, pad_edge=False, header_style="bold")
    for name, value in _flat(document.fields):
        table.add_row(plain(name), plain(value))
    console.print(table)
    console.print(_summary(document))
    console.print(_checks(document.verdicts))


def print_replayed(message: KeptMessage, outcomes: list[Document | FrameError], *, number: int, of: int) -> None:
    """Print what came of one message of a black box: no fields, whose content was made up; checks that are not ok."""
    console = Console(highlight=False)
    ended = "ended by silence" if message.is_quiet else "ended by itself"
    about = f"  {message.reader}, {message.day}, {message.length} bytes, framing {message.framing}, {ended}"
    console.print(Text.assemble((f"Message {number} of {of}", "bold"), about))
    if message.withheld:
        came = ", ".join(found.error or f"a frame of {found.length} bytes ({found.family})" for found in message.found)
        console.print(
            Text.assemble(("Withheld  ", "yellow"), plain(message.withheld), f"; it was {came or 'no frame'}")
        )
    for outcome in outcomes:
        if isinstance(outcome, FrameError):
            console.print(Text.assemble(("No frame  ", "bold red"), plain(outcome.reason)))
        elif not outcome.is_understood:
            _print_not_understood(console, outcome)
        else:
            console.print(Text.assemble(("Document  ", "bold"), f"{outcome.kind} (source {outcome.source})"))
            console.print(_summary(outcome))
            if unsettled := tuple(one for one in outcome.verdicts if one.result is not Result.OK):
                console.print(_checks(unsettled))
    if not outcomes and not message.withheld:
        console.print("Nothing    too few bytes for any message")
    console.print()


def _print_not_understood(console: Console, document: Document) -> None:
    why = "; ".join(dict.fromkeys(one.detail for one in document.of(Result.FAILED)))
    console.print(Text.assemble(("Not understood: ", "bold red"), plain(why)))


def _summary(document: Document) -> Text:
    """Return how many checks came to what, the gravest first."""
    counts = [(_MARKS[result], len(document.of(result))) for result in _GRAVEST_FIRST]
    parts = [(f"{count} {mark}", style) for (mark, style), count in counts if count]
    return Text.assemble(("Checks    ", "bold"), Text(", ").join(Text(*part) for part in parts))


def _checks(verdicts: Sequence[Verdict]) -> Table:
    table = Table("Check", "Verdict", Column("Why", overflow="fold"), box=None, pad_edge=False, header_style="bold")
    for verdict in sorted(verdicts, key=lambda one: _GRAVEST_FIRST.index(one.result)):
        mark, style = _MARKS[verdict.result]
        table.add_row(plain(verdict.check), Text(mark, style), plain(verdict.detail))
    return table


def _flat(fields: object, name: str = "") -> list[tuple[str, str]]:
    """Return nested fields as `legs[0].seat_number` and their values, in order."""
    if isinstance(fields, dict):
        return [row for key, value in fields.items() for row in _flat(value, f"{name}.{key}" if name else str(key))]
    if isinstance(fields, list | tuple):
        return [row for index, value in enumerate(fields) for row in _flat(value, f"{name}[{index}]")]
    return [(name, "" if fields is None else str(fields))]


def print_queue(figures: dict[str, Any]) -> None:
    """Print what a kiosk keeps, stream by stream."""
    console = Console(highlight=False)
    console.print(Text(f"Kiosk {figures['kiosk']}", "bold"))
    table = Table("Stream", "Awaiting receipt", "Kept", "Size", "Next", "Receipted to", box=None, pad_edge=False)
    for name, stream in figures["streams"].items():
        waiting = Text(str(stream["unreceipted"]), "yellow" if stream["unreceipted"] else "green")
        table.add_row(
            name, waiting, str(stream["kept"]), size(stream["bytes"]), str(stream["next_sequence"]),
            str(stream["held_up_to"]),
        )  # fmt: skip
    console.print(table)


def looked_at(what: str, word: str, style: str, detail: str, remedy: str) -> Table:
    """Return one line of a check: the word for how it is, what was looked at, what was found, and what to do."""
    columns = Column(width=7), Column(width=20, overflow="fold"), Column(overflow="fold")
    line = Table(*columns, box=None, pad_edge=False, show_header=False)
    line.add_row(Text(word, style), plain(what), plain(detail))
    if remedy:
        line.add_row("", "", Text.assemble(("do: ", "bold"), plain(remedy)))
    return line


def plain(text: str) -> Text:
    """Return text as it is, with what would steer the terminal or the layout made visible."""
    return Text("".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text))


def ago(seconds: float) -> str:
    """Return a time in its largest unit: `3 d`, `4 h`, `5 min`, `6 s`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def size(count: float) -> str:
    """Return a number of bytes in its largest decimal unit: `17 B`, `5 kB`, `64 MB`, `1.5 GB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
