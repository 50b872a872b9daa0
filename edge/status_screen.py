"""How `landfall status` shows the health of a running kiosk.

Owns its lines and columns; the words for sizes and the care with strange text are those of `edge.screen`. Always true:
it fits 80 columns, colour is never the only difference, and what the kiosk does not know has no line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from edge.screen import ago, plain, print_queue, size

_EXPIRES_SOON = timedelta(days=30)
_HOT_CELSIUS = 80.0  # from here on the firmware slows the processor down
_FEW_HOURS = 48.0
_OPEN_FOR = {"decide": "waits for a decision", "void": "can be voided", "void_form": "is a form that can be voided"}


def print_status(answer: dict[str, Any]) -> None:
    """Print the health of a running kiosk."""
    console = Console(highlight=False)
    console.print(Text(f"Kiosk {answer['kiosk']}  version {answer['version']}  {answer['at']}", "bold"))
    table = Table(Column(min_width=8), Column(overflow="fold"), box=None, pad_edge=False, show_header=False)
    for name, text in _lines(answer):
        table.add_row(name, text)
    console.print(table)
    console.print(_devices(answer))
    print_queue({"kiosk": answer["kiosk"], "streams": answer["queue"]})


def _lines(answer: dict[str, Any]) -> Iterator[tuple[str, Text]]:
    uplink, store, clock = answer["uplink"], answer["store"], answer["clock"]
    since = ago(clock["boottime_s"] - uplink["since_s"]) if uplink["since_s"] else ""
    yield "Uplink", Text.assemble(_state(uplink["state"], "connected"), f" {since} (", plain(uplink["reason"]), ")")
    yield "Receipt", Text(uplink.get("last_receipt_at", "none since the start"))
    for what, count in uplink["troubles"].items():
        yield "Trouble", Text.assemble(plain(what), (f": {count}", "yellow"))
    if practice := answer.get("practice"):
        words = f"crossings are marked and not counted, for {practice['left_s']:.0f} s more"
        yield "Practice", Text(words, "bold yellow")
    for group in answer.get("groups", ()):
        yield "Group", _group(group)
    for crossing in answer.get("crossings", ()):
        said = ", ".join(_OPEN_FOR[word] for word in crossing["words"] if word in _OPEN_FOR)
        yield "Crossing", plain(f"{crossing['lane']}: {crossing['crossing']} {said}")
    yield "Store", Text.assemble(_state(store["state"], "ready"), *_store(store))
    yield "Room", Text(", ".join(_room(store)))
    bound = f"error bound {clock['error_bound_s']:.3f} s" if "error_bound_s" in clock else "error bound unknown"
    yield "Clock", Text.assemble(_state(clock["state"], "synchronised"), f"  {bound}")
    if expires_at := answer.get("keys", {}).get("certificate_expires_at"):
        yield "Expires", _expiry(expires_at, answer["at"])
    machine = answer.get("machine", {})
    if shown := list(_machine(machine)):
        yield "Machine", Text(", ").join(shown)
    if "boots" in machine:
        end = machine.get("last_end", "")
        ended = Text.assemble(", the one before ended: ", _state(end, "clean")) if end else Text()
        yield "Boots", Text.assemble(str(machine["boots"]), ended, f", up {ago(machine.get('uptime_s', 0))}")


def _group(group: dict[str, Any]) -> Text:
    expected = f" of {group['expected']}" if group["expected"] is not None else ""
    conveyance = group["conveyance"] or {}
    by = " ".join(filter(None, (conveyance.get(part) for part in ("kind", "name", "number"))))
    return plain(f"{group['lane']}: {group['count']}{expected} crossings{', ' if by else ''}{by}")


def _store(store: dict[str, Any]) -> Iterator[Text | str]:
    if error := store.get("error"):
        yield " "
        yield plain(error)
    yield f"  set aside: {store['tombstones']}"
    if store.get("damaged_files"):
        yield Text(f", damaged files: {store['damaged_files']}", "yellow")
    if "sync_p95_ms" in store:
        yield f", a commit takes {store['sync_p95_ms']:.0f} ms (95 of 100)"


def _room(store: dict[str, Any]) -> Iterator[str]:
    if "free_bytes" in store:
        yield f"{size(store['free_bytes'])} free"
    hours = store.get("hours_left")
    if hours is None:
        yield "for how long is not known yet"
    else:
        yield f"for {ago(3600 * hours)} at this pace" + (" (little)" if hours < _FEW_HOURS else "")


def _expiry(expires_at: str, at: str) -> Text:
    left = datetime.fromisoformat(expires_at) - datetime.fromisoformat(at)
    if left < timedelta():
        return Text(f"the certificate EXPIRED on {expires_at[:10]}; renew it", "bold red")
    style = "yellow" if left < _EXPIRES_SOON else ""
    return Text(f"the certificate on {expires_at[:10]}, in {left.days} days", style)


def _machine(machine: dict[str, Any]) -> Iterator[Text]:
    if (celsius := machine.get("cpu_celsius")) is not None:
        yield Text(f"{celsius:.0f} °C", "bold red" if celsius >= _HOT_CELSIUS else "")
    if (free := machine.get("memory_free_bytes")) is not None:
        yield Text(f"{size(free)} of memory free")
    if (used := machine.get("card_life_used_percent")) is not None:
        yield Text(f"card {used} % worn", "bold red" if used >= 90 else "")
    for word in machine.get("throttled", ()):
        yield Text(f"{word.upper()} now", "bold red")
    for word in machine.get("throttled_since_boot", ()):
        if word not in machine.get("throttled", ()):
            yield Text(f"{word} since the boot", "yellow")


def _devices(answer: dict[str, Any]) -> Table:
    error = Column("Last error", overflow="fold")
    table = Table("Device", "State", "Since", "Lost", error, box=None, pad_edge=False, header_style="bold")
    for name, device in answer["devices"].items():
        since = ago(answer["clock"]["boottime_s"] - device["since_s"]) if device.get("since_s") else ""
        state = _state(device["state"], "ready", "lane")
        if device.get("case") == "open":
            state = Text.assemble(state, " ", ("case OPEN", "bold red"))
        if (door := device.get("door", "closed")) != "closed":
            state = Text.assemble(state, f" door {door.replace('_', ' ')}")
        table.add_row(name, state, since, str(device.get("losses") or ""), plain(device.get("error", "")))
    return table


def _state(state: str, *good: str) -> Text:
    return Text(state, "green" if state.startswith(good) and "closed" not in state else "bold red")
