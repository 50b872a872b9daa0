"""`landfall check` and `landfall diagnose`.

Owns their options and exit status: 0 when nothing failed, 1 when something did.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.unit_credentials import environment

AddOption = Callable[[argparse.ArgumentParser], None]


def add_verbs(verbs: Any, add_config: AddOption, add_json: AddOption) -> None:
    """Add `check` and `diagnose`."""
    check = verbs.add_parser(
        "check",
        help="check settings, keys, devices and the way to the centre, and say what to do",
        epilog="Exit status: 0 nothing failed, 1 something did. A running kiosk is not disturbed.",
    )
    add_config(check)
    add_json(check)
    check.set_defaults(run=_check)
    diagnose = verbs.add_parser(
        "diagnose",
        help="write what is needed to find a fault into one file, without travellers and keys",
        epilog="In it: check, settings, versions, health, the kiosk's journal, what the kernel says of hardware.",
    )
    add_config(diagnose)
    diagnose.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where to write it [here]")
    diagnose.set_defaults(run=_diagnose)


def _check(options: argparse.Namespace) -> int:
    from edge.check.line import State
    from edge.check.run import check
    from edge.check.screen import CheckScreen
    from edge.screen import print_json

    if options.json:
        found = list(check(options.config, environment()))
        print_json(found)
    else:
        screen = CheckScreen()
        found = screen.print_lines(check(options.config, environment(), screen.tell))
    return 1 if any(line.state is State.FAILED for line in found) else 0


def _diagnose(options: argparse.Namespace) -> int:
    from edge.check.run import check, running
    from edge.check.screen import CheckScreen
    from edge.commands.start import settings_in_force
    from edge.diagnose import utc_now, write_tarball

    of_unit = environment()
    settings = settings_in_force(options.config, of_unit)
    screen = CheckScreen()
    found = screen.print_lines(check(options.config, of_unit, screen.tell))
    path = write_tarball(options.out, settings, found, running(settings), utc_now())
    print(f"written: {path}")
    print("It holds no traveller and no key. Send it to the centre.")
    return 0
