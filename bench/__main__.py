"""Run every benchmark, print one table and write it as JSON: `make bench`, or `python -m bench [NAME ...] [--quick]`.

Owns the order and the report. Exit status 1 when a ratio misses its bar; absolute figures are reported, because a busy
machine would miss them too.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

import bench
from bench.row import Row

OUTPUT = Path("ci-output/bench.json")
_NOT_BENCHMARKS = {"__main__", "row"}


def benchmarks() -> dict[str, Callable[[bool], list[Row]]]:
    """Return `run` of each module of `bench` that has one, by the name of the module."""
    names = [found.name for found in pkgutil.iter_modules(bench.__path__) if found.name not in _NOT_BENCHMARKS]
    modules = {name: importlib.import_module(f"bench.{name}") for name in names}
    return {name: module.run for name, module in modules.items() if hasattr(module, "run")}


def printed(console: Console, name: str, rows: list[Row]) -> None:
    """Print the rows of one benchmark."""
    table = Table(title=name, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading, justify in (("What", "left"), ("Figure", "right"), ("Bar", "right"), ("Beside", "left"), ("", "left")):
        table.add_column(heading, justify=justify)
    for row in rows:
        bar = "" if row.bar is None else f"{row.bar_is} {row.bar:g}"
        beside = row.beside if row.theirs is None else f"{row.beside} {row.theirs:,.1f}"
        mark = {None: Text(""), True: Text("met", "green"), False: Text("MISSED", "bold red")}[row.is_met]
        table.add_row(Text(row.what), f"{row.figure:,.2f} {row.unit}", bar, Text(beside), mark)
    console.print(table)


def written(path: Path, found: dict[str, list[Row]], *, quick: bool) -> None:
    """Write the report for programs."""
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("landfall"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "quick": quick,
        "benchmarks": {
            name: [msgspec.to_builtins(row) | {"is_met": row.is_met} for row in found[name]] for name in found
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")


def main() -> int:
    """Run what was asked for."""
    known = benchmarks()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, side by side.")
    parser.add_argument("name", nargs="*", help=f"some of {', '.join(known)} [all]")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller amounts")
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"where the JSON goes [{OUTPUT}]")
    options = parser.parse_args()
    if unknown := set(options.name) - known.keys():
        parser.error(f"no benchmark {min(unknown)}; there are {', '.join(known)}")
    console, found = Console(highlight=False), {}
    for name in options.name or known:
        with console.status(f"{name} ..."):
            found[name] = known[name](options.quick)
        printed(console, name, found[name])
    written(options.output, found, quick=options.quick)
    return 1 if any(row.is_ratio and row.is_met is False for rows in found.values() for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
