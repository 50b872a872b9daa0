"""`landfall-central command` and its verbs: ask a kiosk for something, and see what came of it.

Owns those words and what they print. Always true: a command is only written down here; a collector signs and sends it.
"""

from __future__ import annotations

import argparse
import getpass
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from central import commands, database
from central.clock import utc_now
from central.command_line import database_named, kiosk_named, kiosk_options, print_json
from central.commands import SETTINGS, TRIAL_S, Issued
from central.registry import registered_kiosks
from edge.errors import LandfallError, SettingError
from edge.wire.commands import CommandName
from edge.wire.topics import Stream

_MOST_MINUTES = 60
_RENEW_TEXT = """Let a kiosk ask the centre now for its keys and for who was revoked, as it does each night by itself.
What it is given is verified as ever: this says when, and no more. A kiosk that is not connected learns it at night."""


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add `command` to the verbs of `landfall-central`."""
    about = "ask a kiosk to show itself, to tell how it is, to restart, to send again, to renew, or to take settings"
    group = verbs.add_parser("command", help=about).add_subparsers(required=True, metavar="VERB")

    def add(name: str, help: str, arguments: Callable[[argparse.Namespace], dict[str, Any]]) -> argparse.ArgumentParser:
        verb = group.add_parser(name, parents=[common, kiosk_options()], help=help)
        verb.set_defaults(call=_issue, name=name, arguments=arguments)
        return verb

    identify = add(CommandName.IDENTIFY, "let its panel blink and beep", lambda given: {"seconds": given.seconds})
    identify.add_argument("--seconds", type=int, default=10, metavar="N", help="for how long, 1-60 (default: 10)")
    add(CommandName.DIAGNOSTICS, "let it tell how it is; see `command show`", lambda _: {})
    add(CommandName.RESTART, "let its daemon start again, once nobody stands at a lane", lambda _: {})
    rewind = add(
        CommandName.REWIND, "let it send a stream again", lambda given: {"stream": given.stream, "from": given.first}
    )
    rewind.add_argument("--stream", choices=[stream.value for stream in Stream], required=True)
    rewind.add_argument("--from", dest="first", type=int, required=True, metavar="N", help="first record to send again")
    about = "let it ask for the centre's keys now, and not in the night"
    renew = group.add_parser(CommandName.RENEW, parents=[common], help=about, description=_RENEW_TEXT)
    renew.add_argument("--site", default="", help="name of the border post")
    renew.add_argument("--kiosk", default="", help="name of the kiosk at that post")
    renew.add_argument("--everywhere", action="store_true", help="every kiosk that is registered")
    renew.add_argument(
        "--within-min", type=float, default=10.0, metavar="MIN",
        help="with --everywhere: spread over so many minutes, 0-60, so that not all ask at once (default: %(default)g)",
    )  # fmt: skip
    renew.set_defaults(call=_renew)
    settings = add(SETTINGS, "let it try settings on top of its own file", _settings)
    settings.add_argument("file", type=Path, metavar="FILE", help="TOML as in kiosk.toml, but [lanes.NAME.policy]")
    settings.add_argument(
        "--trial-s", type=float, default=TRIAL_S, metavar="S",
        help="back to the old ones if the centre is not reached within so many seconds (default: %(default)g)",
    )  # fmt: skip

    listing = group.add_parser("list", parents=[common], help="list the latest commands")
    listing.add_argument("--site", default="", help="only of this border post; with --kiosk")
    listing.add_argument("--kiosk", default="", help="only of this kiosk")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(call=_list)
    show = group.add_parser("show", parents=[common], help="show one command and its answer")
    show.add_argument("id", metavar="ID", help="as `command list` prints it")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(call=_show)


def _issue(arguments: argparse.Namespace) -> int:
    given, engine = arguments.arguments(arguments), database_named(arguments)
    print(commands.issue(engine, kiosk_named(arguments), arguments.name, given, _who(), utc_now()))
    return 0


def _renew(arguments: argparse.Namespace) -> int:
    if arguments.everywhere == bool(arguments.site or arguments.kiosk):
        raise SettingError("", "--site and --kiosk, or --everywhere", "must say who is asked")
    if not 0 <= arguments.within_min <= _MOST_MINUTES:
        raise SettingError("", "--within-min", f"must be 0-{_MOST_MINUTES}")
    engine = database_named(arguments)
    if not arguments.everywhere:
        print(commands.issue(engine, kiosk_named(arguments), CommandName.RENEW, {}, _who(), utc_now()))
        return 0
    with database.reading(engine) as connection:
        kiosks = registered_kiosks(connection)
    for number, kiosk in enumerate(kiosks):
        given = {"after_s": round(arguments.within_min * 60 * number / len(kiosks), 1)}
        commands.issue(engine, kiosk, CommandName.RENEW, given, _who(), utc_now())
    print(f"{len(kiosks)} kiosks are asked, the last in {arguments.within_min:g} minutes.")
    print("Who is not connected now learns it at night.")
    return 0


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read settings from a file; raise `SettingError` for one that is no TOML, or has values that JSON cannot hold."""
    try:
        settings = tomllib.loads(arguments.file.read_text(encoding="utf-8"))
        msgspec.json.encode(settings)
    except OSError as error:
        raise SettingError(str(arguments.file), "", f"cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(str(arguments.file), "", f"is not TOML: {error}") from None
    return {"settings": settings, "trial_s": arguments.trial_s}


def _list(arguments: argparse.Namespace) -> int:
    kiosk = kiosk_named(arguments) if arguments.kiosk or arguments.site else ""
    found = commands.list_commands(database_named(arguments), kiosk=kiosk)
    if arguments.json:
        print_json(found)
        return 0
    for one in found:
        print(f"{one.id}  {one.kiosk}  {one.name}  {_state(one)}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    found = commands.show_command(database_named(arguments), arguments.id)
    if found is None:
        raise LandfallError(f"there is no command {arguments.id}", remedy="see `landfall-central command list`")
    if arguments.json:
        print_json(found)
        return 0
    print(f"{found.name} for {found.kiosk}, asked by {found.by} at {found.issued_at}")
    print(f"  {_state(found)}, sent {found.attempts} times, last at {found.sent_at or 'no time yet'}")
    if found.detail:
        print(f"  {found.detail}")
    if found.content:
        print_json(found.content)
    return 0


def _state(one: Issued) -> str:
    if one.result is not None:
        return f"{one.result} at {one.replied_at}"
    if one.expires_at and one.expires_at <= database.rfc3339(utc_now()):
        return f"no answer until it expired at {one.expires_at}"
    return "waits for its answer"


def _who() -> str:
    """Return who asks, as the machine knows them."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return name.encode("ascii", "replace").decode()[:64]
