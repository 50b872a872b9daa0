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
from central.collector import utc_now
from central.command_line import database_named, kiosk_named, print_json
from central.commands import SETTINGS, TRIAL_S, Issued
from edge.errors import LandfallError, SettingError
from edge.wire.commands import CommandName
from edge.wire.topics import Stream


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add `command` to the verbs of `landfall-central`."""
    about = "ask a kiosk to show itself, to tell how it is, to restart, to send again, or to take settings"
    group = verbs.add_parser("command", help=about).add_subparsers(required=True, metavar="VERB")
    named = argparse.ArgumentParser(add_help=False)
    named.add_argument("--site", required=True, help="name of the border post")
    named.add_argument("--kiosk", required=True, help="name of the kiosk at that post")

    def add(name: str, help: str, arguments: Callable[[argparse.Namespace], dict[str, Any]]) -> argparse.ArgumentParser:
        verb = group.add_parser(name, parents=[common, named], help=help)
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
