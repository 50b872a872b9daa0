"""What the command line shows: tables and verdicts for people, JSON for programs.

Owns words, colours and columns. Always true: it fits 80 columns; colour is never the only difference; nothing is
printed in colour when the output is no terminal.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from edge.documents.verdict import Document, Result

_MARKS = {
    Result.OK: ("ok", "green"),
    Result.FAILED: ("FAILED", "bold red"),
    Result.DOUBTFUL: ("doubtful", "yellow"),
    Result.NOT_DONE: ("not done", "dim"),
}


def print_json(answer: object) -> None:
    """Print one JSON document on one line."""
    sys.stdout.write(msgspec.json.encode(answer).decode("utf-8") + "\n")


def print_document(document: Document) -> None:
    """Print the fields of a document and one line for each check."""
    console = Console(highlight=False)
    if not document.is_understood:
        console.print(Text("Not understood.", "bold red"))
    else:
        console.print(Text.assemble(("Document  ", "bold"), f"{document.kind} (source {document.source})"))
        table = Table("Field", Column("Value", overflow="fold"), box=None, pad_edge=False, header_style="bold")
        for name, value in _flat(document.fields):
            table.add_row(_plain(name), _plain(value))
        console.print(table)
    table = Table("Check", "Verdict", Column("Why", overflow="fold"), box=None, pad_edge=False, header_style="bold")
    for verdict in document.verdicts:
        mark, style = _MARKS[verdict.result]
        table.add_row(_plain(verdict.check), Text(mark, style), _plain(verdict.detail))
    console.print(table)


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
            name, waiting, str(stream["kept"]), _size(stream["bytes"]), str(stream["next_sequence"]),
            str(stream["held_up_to"]),
        )  # fmt: skip
    console.print(table)


def print_status(answer: dict[str, Any]) -> None:
    """Print the health of a running kiosk."""
    console = Console(highlight=False)
    now_s = answer["clock"]["boottime_s"]
    uplink, store, clock = answer["uplink"], answer["store"], answer["clock"]
    console.print(Text(f"Kiosk {answer['kiosk']}  version {answer['version']}  {answer['at']}", "bold"))
    since = _since(now_s - uplink["since_s"]) if uplink["since_s"] else ""
    state = _state(uplink["state"], "connected")
    console.print(Text.assemble("Uplink    ", state, f" {since} (", _plain(uplink["reason"]), ")"))
    console.print(Text(f"Receipt   {uplink['last_receipt_at'] or 'none since the start'}"))
    state = _state(store["state"], "ready")
    console.print(
        Text.assemble("Store     ", state, " ", _plain(store["error"]), f"  set aside: {store['tombstones']}")
    )
    bound = "unknown" if clock["error_bound_s"] is None else f"{clock['error_bound_s']:.3f} s"
    console.print(Text.assemble("Clock     ", _state(clock["state"], "synchronised"), f"  error bound {bound}"))
    for what, count in uplink["troubles"].items():
        console.print(Text.assemble("Trouble   ", _plain(what), f": {count}"))
    error = Column("Last error", overflow="fold")
    table = Table("Device", "State", "Since", error, box=None, pad_edge=False, header_style="bold")
    for name, device in answer["devices"].items():
        since = _since(now_s - device["since_s"]) if device.get("since_s") else ""
        table.add_row(name, _state(device["state"], "ready", "lane"), since, _plain(device.get("error", "")))
    console.print(table)
    print_queue({"kiosk": answer["kiosk"], "streams": answer["queue"]})


def _state(state: str, *good: str) -> Text:
    return Text(state, "green" if state.startswith(good) and "closed" not in state else "bold red")


def _plain(text: str) -> Text:
    """Return text as it is, with what would steer the terminal or the layout made visible."""
    return Text("".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text))


def _since(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
