"""Write man pages and completions of the commands, from the parsers that the commands use themselves.

debian/manuals.py FOLDER VERSION UNIX_TIME
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
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
# What no parser knows: exit statuses, files, and where to read on.
STATUSES = {
    "landfall": (("0", "good, or done"), ("1", "something was found wrong"), ("2", "change what the message names")),
    "landfall-central": (("0", "good, or done"), ("1", "not done, or something was found wrong"), ("2", "a setting")),
    "landfall-provision": (("0", "done"), ("1", "not yet, or not accepted"), ("2", "mend what the message names")),
}
FILES = {
    "landfall": (
        ("/etc/landfall/kiosk.toml", "the kiosk's settings"),
        ("/var/lib/landfall/", "crossings that the centre does not hold yet, and reports of acceptance"),
        ("/run/landfall/control.sock", "through which the running kiosk is asked"),
    ),
    "landfall-central": (
        ("/etc/landfall/central.toml", "the centre's settings"),
        ("/etc/landfall/broker/", "configuration and access list of the broker"),
        ("/var/lib/landfall-revocation/revoked.pem", "who is no longer let in; never edit it"),
    ),
    "landfall-provision": (
        ("/etc/landfall/keys/", "the keys of this machine, which never leave it"),
        ("/etc/landfall/install.json", "how far an installation got"),
        ("/etc/landfall/authority/", "at the centre: what issues certificates and signs bundles"),
    ),
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
    statuses = (*STATUSES[parser.prog], ("130", "stopped at the keyboard"))
    others = ", ".join(f"{name}(1)" for name in PARSERS if name != parser.prog)
    return f"{page}\n.SH EXIT STATUS\n{_list(statuses)}.SH FILES\n{_list(FILES[parser.prog])}.SH SEE ALSO\n{others}\n"


def complete_paths(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Let shells complete files and folders wherever the command takes one; return the parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                complete_paths(verb)
        elif action.type is Path:
            action.complete = shtab.DIRECTORY if action.metavar == "FOLDER" else shtab.FILE
    return parser


def _list(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(f".TP\n.B {name}\n{text}\n" for name, text in rows)


def main(folder: Path, version: str, at: float) -> None:
    """Write all of them below a folder."""
    day = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
    for name, make in PARSERS.items():
        _write(folder / "man" / f"{name}.1", manual(make(), version, day))
        for shell, place in SHELLS.items():
            _write(folder / place.format(name=name), shtab.complete(complete_paths(make()), shell=shell))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
