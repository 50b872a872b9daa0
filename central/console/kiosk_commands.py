"""What technicians ask of a kiosk from its page, and what came of it.

Owns the forms; commands are signed, sent and answered in `central.commands`. Always true: the console writes a command
down, with who asked for it, and needs no key for it; what a kiosk answered is shown as text.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from central import commands, database
from central.commands import SETTINGS, Issued
from central.console.visit import Visit, kiosk_named
from edge.wire.commands import CommandName

SHOWN = 20
IDENTIFY_S = 20
_TRIALS_S = {"60": 60.0, "300": 300.0, "1800": 1800.0}
_OFFERED = (CommandName.IDENTIFY, CommandName.DIAGNOSTICS, CommandName.RESTART, SETTINGS)


@dataclass(frozen=True, slots=True)
class Order:
    """A command with the one word for what became of it."""

    issued: Issued
    state: str


def orders(visit: Visit, kiosk: str) -> list[Order]:
    """Return the latest commands of a kiosk."""
    listed = commands.list_commands(visit.console.engine, kiosk=kiosk, limit=SHOWN)
    return [order_of(one, visit.now) for one in listed]


def order_of(issued: Issued, now: datetime) -> Order:
    """Return a command with the word for what became of it until now."""
    return Order(issued, _state(issued, database.rfc3339(now)))


def issue(visit: Visit) -> Response:
    """Write a command down, to be signed and sent by a collector."""
    kiosk, name = kiosk_named(visit).kiosk, visit.text("name")
    if name not in _OFFERED:
        raise HTTPException(400, "That is no command of this page.")
    arguments, engine = _arguments(visit, name), visit.console.engine
    visit.logged(
        f"command {name}",
        kiosk,
        "" if name != SETTINGS else msgspec.json.encode(arguments["settings"]).decode(),
        lambda: commands.issue(engine, kiosk, name, arguments, visit.by.actor, visit.now),
    )
    return RedirectResponse(f"/kiosk/{kiosk}#commands", 303)


def show(visit: Visit) -> Response:
    """Show one command with its answer."""
    one = kiosk_named(visit)
    id = visit.request.path_params["id"]
    found = commands.show_command(visit.console.engine, id) if id.isascii() and id.isprintable() else None
    if found is None or found.kiosk != one.kiosk:
        raise HTTPException(404, "There is no such command.")
    content = _indented(found.content) if found.content else ""
    values = {"one": one, "order": order_of(found, visit.now), "content": content}
    return visit.show("command.html", {**values, "asked": _indented(found.arguments)})


def _arguments(visit: Visit, name: str) -> dict[str, Any]:
    if name == CommandName.IDENTIFY:
        return {"seconds": IDENTIFY_S}
    if name != SETTINGS:
        return {}
    trial_s = _TRIALS_S.get(visit.text("trial_s"))
    if trial_s is None:
        raise HTTPException(400, "A trial lasts for one of the times that the page offers.")
    try:
        settings = tomllib.loads(visit.text("settings"))
        msgspec.json.encode(settings)
    except tomllib.TOMLDecodeError as error:
        raise HTTPException(400, f"The settings are not TOML: {error}.") from None
    except (TypeError, ValueError, RecursionError):
        raise HTTPException(400, "The settings hold something that cannot be sent, such as a date.") from None
    return {"settings": settings, "trial_s": trial_s}


def _state(one: Issued, at: str) -> str:
    if one.result is not None:
        return one.result
    if one.expires_at and one.expires_at <= at:
        return "not answered"
    return "sent" if one.sent_at else "waits for a collector"


def _indented(content: object) -> str:
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
