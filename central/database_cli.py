"""`landfall-central database`, `backup` and `restore`: its tables, who may do what with them, and a copy of it.

Owns these words and what they print. Always true: `grants` opens no database; what it prints is for psql.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from central import config, grants
from central.clock import utc_now
from central.command_line import database_named
from central.grants import Program


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add `database`, `backup` and `restore` to the verbs of `landfall-central`."""
    backup = verbs.add_parser("backup", parents=[common], help="write a copy of the database while collectors work")
    backup.add_argument("file", type=Path, metavar="FILE", help="a new file; travellers are in it, keys are not")
    backup.set_defaults(call=_backup)
    restore = verbs.add_parser("restore", parents=[common], help="fill an empty database from a backup")
    restore.add_argument("file", type=Path, metavar="FILE", help="what `landfall-central backup` wrote")
    restore.set_defaults(call=_restore)

    group = verbs.add_parser("database", help="look after the database").add_subparsers(required=True, metavar="VERB")
    upgrade = group.add_parser("upgrade", parents=[common], help="bring the tables up to date; collectors do so too")
    upgrade.set_defaults(call=_upgrade)
    about = "print the SQL that lets a program do its work on PostgreSQL, and nothing else"
    printed = group.add_parser("grants", help=about)
    printed.add_argument("program", choices=[str(program) for program in Program], help="whose work")
    printed.add_argument("--role", default="", help="its role (default: landfall-console, landfall-watch)")
    printed.set_defaults(call=_grants)


def _backup(arguments: argparse.Namespace) -> int:
    from central.backup import back_up, note_backup

    url, begun_at = config.load(arguments.config).database.url, utc_now()
    size = back_up(url, arguments.file)
    note_backup(url, begun_at)
    print(f"{arguments.file}: {size / 1e6:.1f} MB; keys are not in it, and it is not encrypted")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from central.backup import restore

    restore(config.load(arguments.config).database.url, arguments.file)
    print("restored; start the collectors, and kiosks send again what the backup does not know")
    return 0


def _upgrade(arguments: argparse.Namespace) -> int:
    database_named(arguments)  # which brings its tables up to date
    print("the database is up to date")
    return 0


def _grants(arguments: argparse.Namespace) -> int:
    print("\n".join(grants.statements(Program(arguments.program), arguments.role)))
    return 0
