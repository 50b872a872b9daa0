"""`--version` of every command.

Owns how it is printed. The installed package is asked for it only when somebody wants to know: that reads files.
"""

from __future__ import annotations

import argparse
from typing import Any


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add `--version`, which prints the command's name and Landfall's version."""
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="print the version and end")


class _ShowVersion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(parser.prog, version("landfall"))
        parser.exit()
