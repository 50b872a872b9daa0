"""`landfall-central acceptance` and its verbs: list and print the acceptance reports of kiosks.

Owns those words and what they print. Exit status of `print`: 1 when there is no report.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from central import database
from central.acceptance import Kept, page, reports
from central.command_line import database_named, kiosk_named, kiosk_options, print_json
from edge.errors import LandfallError


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add `acceptance` to the verbs of `landfall-central`."""
    about = "what technicians and kiosks found when the kiosks were set up"
    group = verbs.add_parser("acceptance", help=about).add_subparsers(required=True, metavar="VERB")
    listing = group.add_parser("list", parents=[common], help="list the reports, oldest first")
    listing.add_argument("--site", default="", help="only of this border post; with --kiosk")
    listing.add_argument("--kiosk", default="", help="only of this kiosk")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(call=_list)
    show = group.add_parser(
        "print", parents=[common, kiosk_options()], help="print a kiosk's latest report, for the file"
    )
    show.add_argument("--record", type=int, metavar="N", help="not the latest, but the one in this audit record")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(call=_print)


def _list(arguments: argparse.Namespace) -> int:
    kiosk = kiosk_named(arguments) if arguments.site or arguments.kiosk else ""
    with database.reading(database_named(arguments)) as connection:
        found = list(reports(connection, kiosk))
    if arguments.json:
        print_json(found)
        return 0
    for one in found:
        result = "accepted" if one.report.accepted else "NOT ACCEPTED"
        print(f"{one.report.signed_at[:16]}Z  {one.kiosk}  record {one.sequence}  {result}  by {one.report.by}")
    return 0


def _print(arguments: argparse.Namespace) -> int:
    kiosk = kiosk_named(arguments)
    with database.reading(database_named(arguments)) as connection:
        found: list[Kept] = [
            one for one in reports(connection, kiosk) if arguments.record is None or one.sequence == arguments.record
        ]
    if not found:
        raise LandfallError(f"there is no such acceptance report of {kiosk}", remedy="landfall-provision accept")
    print_json(found[-1]) if arguments.json else sys.stdout.write(page(found[-1]))
    return 0
