"""`landfall-central database`: its tables, and who may do what with them.

Owns these words and what they print. Always true: `grants` opens no database; what it prints is for psql.
"""

from __future__ import annotations

import argparse
from typing import Any

from central import grants
from central.command_line import database_named
from central.grants import Program


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add `database` to the verbs of `landfall-central`."""
    group = verbs.add_parser("database", help="look after the database").add_subparsers(required=True, metavar="VERB")
    upgrade = group.add_parser("upgrade", parents=[common], help="bring the tables up to date; collectors do so too")
    upgrade.set_defaults(call=_upgrade)
    about = "print the SQL that lets a program do its work on PostgreSQL, and nothing else"
    printed = group.add_parser("grants", help=about)
    printed.add_argument("program", choices=[str(program) for program in Program], help="whose work")
    printed.add_argument("--role", default="", help="its role (default: landfall-console, landfall-watch)")
    printed.set_defaults(call=_grants)


def _upgrade(arguments: argparse.Namespace) -> int:
    database_named(arguments)  # which brings its tables up to date
    print("the database is up to date")
    return 0


def _grants(arguments: argparse.Namespace) -> int:
    print("\n".join(grants.statements(Program(arguments.program), arguments.role)))
    return 0
