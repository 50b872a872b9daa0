"""`landfall-central set-aside` and its verbs: which letters no key here opened, and trying them again.

Owns those words and what they print. Exit status of `retry`: 1 while a letter is left that does not open.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from central.clock import utc_now
from central.command_line import database_named, open_database, open_store, opening_keys, print_json, settings_with_keys
from central.set_aside import retry, sealed_letters

_RETRY_TEXT = """Open the letters that were set aside, with the keys of the settings or with those that are named here.
Nothing is asked of a kiosk, and collectors may go on working. Safe to run again, and after it was interrupted."""


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add `set-aside` to the verbs of `landfall-central`."""
    about = "letters that were set aside sealed, since no key here opened them"
    group = verbs.add_parser("set-aside", help=about).add_subparsers(required=True, metavar="VERB")
    listing = group.add_parser("list", parents=[common], help="list how many, of which kiosk, sealed to which key")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(call=_list)
    again = group.add_parser("retry", parents=[common], help="open what opens by now", description=_RETRY_TEXT)
    again.add_argument(
        "--opening-key",
        type=Path,
        action="append",
        metavar="FILE",
        help="a private key to open with, opening.key.json; repeat for each (default: those of the settings)",
    )
    again.add_argument("--json", action="store_true", help="print JSON")
    again.set_defaults(call=_retry)


def _list(arguments: argparse.Namespace) -> int:
    found = sealed_letters(database_named(arguments))
    if arguments.json:
        print_json(found)
        return 0
    for one in found:
        print(f"{one.kiosk}: {one.count} letters, {one.first[:10]} to {one.last[:10]}")
        print(f"  {one.reason}")
        print(f"  key {one.kid or 'not named'}")
    if not found:
        print("Nothing is set aside.")
    return 0


def _retry(arguments: argparse.Namespace) -> int:
    from central.progress import progress_bar
    from edge.seal import Opener

    settings = settings_with_keys(arguments.config)
    opener = Opener(opening_keys(settings, arguments.opening_key))
    engine = open_database(settings)
    with progress_bar("Opening") as show:
        retried = retry(engine, opener, lambda: open_store(engine, settings), utc_now(), show)
    engine.dispose()
    if arguments.json:
        print_json(retried)
        return 1 if retried.left else 0
    print(f"{retried.opened} letters opened, {retried.left.total()} left")
    for reason, count in sorted(retried.left.items()):
        print(f"! {count}: {reason}")
    if retried.left:
        print("Which keys are missing: landfall-central set-aside list")
    return 1 if retried.left else 0
