"""Write man pages and completions of the commands, from the parsers that the commands use themselves.

debian/manuals.py FOLDER VERSION UNIX_TIME
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

import central.cli
import edge.cli
import provisioning.cli

PARSERS = {
    "landfall": edge.cli.command_parser,
    "landfall-central": central.cli.command_parser,
    "landfall-provision": provisioning.cli.command_parser,
}
# Where each shell looks, and what it calls the file.
SHELLS = {
    "bash": "bash-completion/completions/{name}",
    "zsh": "zsh/vendor-completions/_{name}",
    "fish": "fish/vendor_completions.d/{name}.fish",
}


def manual(parser: argparse.ArgumentParser, version: str, day: str) -> str:
    """Return the page of section 1 for a command."""
    page = Manpage(parser, format="single-commands-section")
    page.description = (parser.description or "").rstrip(".")
    page.source, page.date, page.manual = f"Landfall {version}", day, "Landfall"
    return f"{page}\n"


def main(folder: Path, version: str, at: float) -> None:
    """Write all of them below a folder."""
    day = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
    for name, make in PARSERS.items():
        _write(folder / "man" / f"{name}.1", manual(make(), version, day))
        for shell, place in SHELLS.items():
            _write(folder / place.format(name=name), shtab.complete(make(), shell=shell))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
