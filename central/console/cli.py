"""`landfall-central console`, `account ...` and `audit verify`: parses, calls one function, prints.

Owns the words on the screen for these verbs; exit status and errors are those of `central.cli`. Always true: a password
is read from the terminal without echo or from standard input, never from an argument, which every user of the machine
could read.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import TYPE_CHECKING

import msgspec

from central import config, database
from central.clock import utc_now
from central.command_line import database_named, open_database
from central.console import accounts, audit, throttle
from central.console.accounts import By
from central.console.rights import Role
from edge.errors import LandfallError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    Verbs = argparse._SubParsersAction[ArgumentParser]


def add_verbs(verbs: Verbs, common: ArgumentParser) -> None:
    """Add the console's verbs to those of `landfall-central`."""
    console = verbs.add_parser("console", parents=[common], help="show the fleet to central operations until SIGTERM")
    console.set_defaults(call=_console)

    account = verbs.add_parser("account", help="who may sign in to the console").add_subparsers(
        required=True, metavar="VERB"
    )
    named = argparse.ArgumentParser(add_help=False)
    named.add_argument("name", metavar="NAME", help="name of the account")
    secret = argparse.ArgumentParser(add_help=False)
    secret.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    role = argparse.ArgumentParser(add_help=False)
    role.add_argument("--role", required=True, choices=[str(role) for role in Role], help="what it may do")

    add = account.add_parser("add", parents=[common, named, role, secret], help="make an account")
    add.set_defaults(call=_add)
    listing = account.add_parser("list", parents=[common], help="list accounts")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(call=_list)
    password = account.add_parser("password", parents=[common, named, secret], help="give an account a new password")
    password.set_defaults(call=_password)
    change = account.add_parser("role", parents=[common, named, role], help="give an account another role")
    change.set_defaults(call=_role)
    codes = account.add_parser("totp", parents=[common, named], help="ask an account for one-time codes, or no more")
    codes.add_argument("--off", action="store_true", help="ask no more: the authenticator was lost")
    codes.set_defaults(call=_totp)
    for verb, call, what in (
        ("disable", _disable, "let an account sign in no more"),
        ("enable", _enable, "let an account sign in again"),
        ("unlock", _unlock, "let an account try again at once after failed sign-ins"),
    ):
        account.add_parser(verb, parents=[common, named], help=what).set_defaults(call=call)

    log = verbs.add_parser("audit", help="the console's audit log").add_subparsers(required=True, metavar="VERB")
    verify = log.add_parser("verify", parents=[common], help="find out whether an entry is missing or was altered")
    verify.add_argument("--noted", metavar="SEQUENCE:HASH", help="an entry that the journal has and that must be there")
    verify.set_defaults(call=_audit_verify)


def _console(arguments: argparse.Namespace) -> int:
    from central.console.serve import serve

    settings = config.load(arguments.config)
    engine = open_database(settings)
    if not accounts.everyone(engine):
        print("No account yet: make one with `landfall-central account add NAME --role technician`.", file=sys.stderr)
    serve(engine, settings.console, settings.fleet)
    engine.dispose()
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from central.console.passwords import Passwords

    engine, role = database_named(arguments), Role(arguments.role)
    accounts.add(engine, arguments.name, role, _new_password(arguments), Passwords(), _by())
    print(f"{arguments.name}: {role}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    everyone = accounts.everyone(database_named(arguments))
    if arguments.json:
        print(msgspec.json.encode(everyone).decode())
        return 0
    for one in everyone:
        codes = "password and code" if one.has_totp else "password"
        state = f"disabled {one.disabled_at}" if one.disabled_at else f"since {one.created_at}"
        print(f"{one.name}  {one.role}  {codes}  {state}")
    return 0


def _password(arguments: argparse.Namespace) -> int:
    from central.console.passwords import Passwords

    engine = database_named(arguments)
    accounts.set_password(engine, arguments.name, _new_password(arguments), Passwords(), _by())
    print(f"{arguments.name}: the password is new, and all its sessions have ended")
    return 0


def _role(arguments: argparse.Namespace) -> int:
    accounts.set_role(database_named(arguments), arguments.name, Role(arguments.role), _by())
    print(f"{arguments.name}: {arguments.role}")
    return 0


def _disable(arguments: argparse.Namespace) -> int:
    accounts.disable(database_named(arguments), arguments.name, _by())
    print(f"{arguments.name}: disabled, and all its sessions have ended")
    return 0


def _enable(arguments: argparse.Namespace) -> int:
    accounts.enable(database_named(arguments), arguments.name, _by())
    print(f"{arguments.name}: enabled")
    return 0


def _totp(arguments: argparse.Namespace) -> int:
    engine = database_named(arguments)
    if arguments.off:
        accounts.set_totp(engine, arguments.name, None, _by())
        print(f"{arguments.name}: signs in with the password alone")
        return 0
    from central.console.totp import new_secret

    secret, uri = new_secret(arguments.name)
    accounts.set_totp(engine, arguments.name, secret, _by())
    print(f"{arguments.name}: needs a one-time code from now on. Key for the authenticator, shown once:")
    print(f"  {secret}")
    print(f"  {uri}")
    return 0


def _unlock(arguments: argparse.Namespace) -> int:
    by = _by()
    with database.writing(database_named(arguments)) as connection:
        if accounts.find(connection, arguments.name) is None:
            raise LandfallError(f"there is no account {arguments.name}", remedy="see `landfall-central account list`")
        throttle.forget(connection, arguments.name)
        audit.append(connection, by.deed("account unlocked", arguments.name), by.now)
    print(f"{arguments.name}: may try again at once")
    return 0


def _audit_verify(arguments: argparse.Namespace) -> int:
    found = audit.verify(database_named(arguments), _noted(arguments.noted) if arguments.noted else None)
    if found.broken_at:
        print(f"! entry {found.broken_at}: {found.reason}")
        return 1
    print(f"{found.head.sequence} entries, none missing or altered; the last one is")
    print(f"  {found.head.sequence}:{found.head.hash}")
    return 0


def _noted(text: str) -> audit.Head:
    sequence, _, digest = text.partition(":")
    if not (sequence.isascii() and sequence.isdecimal() and digest):
        raise LandfallError(f"--noted {text} is not SEQUENCE:HASH", remedy="take both from a journal line `audit ...`")
    return audit.Head(int(sequence), digest)


def _new_password(arguments: argparse.Namespace) -> str:
    if arguments.password_stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("New password: ")
    if getpass.getpass("The same again: ") != password:
        raise LandfallError("the two passwords differ", remedy="try again")
    return password


def _by() -> By:
    return By(audit.COMMAND_LINE, utc_now())
