"""What operators ask of kiosks: written down, signed and sent until it is answered or has expired.

Owns the table `command` and what is signed for a kiosk besides receipts. Whoever issues a command only writes it down
and needs no key; the collectors sign and send, one command of a kiosk after the other, again and again. Always true:
counters of one kiosk grow, also after the database was restored, since they begin at the time of day; an answer is
kept only if the kiosk signed it, and the first one counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import uuid6
from sqlalchemy import Connection, Engine, Row, and_, func, or_, select, update

from central import database
from central.tables import command, kiosk_key
from edge.errors import LandfallError
from edge.printable import printable
from edge.seal import Signer
from edge.wire.commands import (
    COMMAND_TYP,
    DESIRED_TYP,
    LEAST_TRIAL_S,
    MAX_COMMAND_BYTES,
    MOST_TRIAL_S,
    Command,
    CommandName,
    Desired,
    Reply,
    Reported,
)
from edge.wire.messages import encode
from edge.wire.topics import command_topic, desired_topic

ISSUE_LOCK = 0x4F524452  # "ORDR": in which commands of one kiosk get their counters
SETTINGS = "settings"  # not a command on the wire but `desired`, kept by the broker
NAMES = (*(name.value for name in CommandName), SETTINGS)
EXPIRES = timedelta(minutes=15)
AGAIN = timedelta(seconds=20)  # after which an unanswered command is sent once more
TRIAL_S = 300.0
_BY = re.compile(r"[ -~]{1,64}")
_KEPT_DETAIL = 300
_RESULTS = {"settled": "done", "rolled_back": "failed", "refused": "refused"}


@dataclass(frozen=True, slots=True)
class Issued:
    """One command with what became of it; without `result` it is open, or has expired."""

    id: str
    kiosk: str
    name: str
    arguments: dict[str, Any]
    by: str
    issued_at: str
    expires_at: str
    sent_at: str | None
    attempts: int
    result: str | None
    detail: str
    content: dict[str, Any] | None
    replied_at: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """A signed message that has to go out."""

    topic: str
    payload: str
    is_retained: bool


def issue(
    engine: Engine,
    kiosk: str,
    name: str,
    arguments: Mapping[str, Any],
    by: str,
    now: datetime,
    *,
    expires: timedelta = EXPIRES,
) -> str:
    """Write a command down and return its id; a collector sends it.

    `by` is who asks. Raises `LandfallError` for a kiosk or command that is not known, or arguments that cannot be sent:
    a collector meets what is written down again and again, and must never stumble over it.
    Settings do not expire: the broker keeps the last for a kiosk that is away.
    """
    if name not in NAMES:
        raise LandfallError(f"{name!r} is no command", remedy=f"use {', '.join(NAMES)}")
    if not _BY.fullmatch(by):
        raise LandfallError("who asks must be 1-64 printable ASCII characters")
    id, written = str(uuid6.uuid7()), _written(name, arguments)
    with database.writing(engine) as connection:
        known = select(kiosk_key.c.kid).where(kiosk_key.c.kiosk == kiosk, kiosk_key.c.revoked_at.is_(None))
        database.stand_in_line(connection, ISSUE_LOCK, kiosk)
        if connection.execute(known).first() is None:
            raise LandfallError(f"{kiosk} is not registered here", remedy="see `landfall-central kiosk list`")
        last = connection.scalar(select(func.max(command.c.counter)).where(command.c.kiosk == kiosk)) or 0
        connection.execute(
            command.insert().values(
                id=id,
                kiosk=kiosk,
                name=name,
                counter=max(last + 1, int(now.timestamp() * 1000)),
                arguments=written.decode(),
                issued_by=by,
                issued_at=database.rfc3339(now),
                expires_at="" if name == SETTINGS else database.rfc3339(now + expires),
                attempts=0,
                detail="",
            )
        )
    return id


def _written(name: str, arguments: Mapping[str, Any]) -> bytes:
    """Return arguments as they are kept; raise `LandfallError` for such as no kiosk could read."""
    trial_s, settings = arguments.get("trial_s", TRIAL_S), arguments.get("settings", {})
    if name == SETTINGS and not isinstance(settings, Mapping):
        raise LandfallError("settings must be a table")
    is_number = isinstance(trial_s, int | float) and not isinstance(trial_s, bool)
    if name == SETTINGS and not (is_number and math.isfinite(trial_s) and LEAST_TRIAL_S <= trial_s <= MOST_TRIAL_S):
        raise LandfallError(f"a trial lasts {LEAST_TRIAL_S:g}-{MOST_TRIAL_S:g} s")
    try:
        written = msgspec.json.encode(dict(arguments))
        msgspec.json.decode(written)
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise LandfallError("the arguments hold something that cannot be sent") from None
    if len(written) > MAX_COMMAND_BYTES:
        raise LandfallError(f"the arguments are larger than {MAX_COMMAND_BYTES} bytes")
    return written


def list_commands(engine: Engine, *, kiosk: str = "", name: str = "", limit: int = 100) -> list[Issued]:
    """Return the latest commands, of one kiosk or one name, the newest first, without what diagnostics brought."""
    chosen = select(command).order_by(command.c.issued_at.desc(), command.c.counter.desc()).limit(limit)
    if kiosk:
        chosen = chosen.where(command.c.kiosk == kiosk)
    if name:
        chosen = chosen.where(command.c.name == name)
    with database.reading(engine) as connection:
        return [_issued(row, with_content=False) for row in connection.execute(chosen)]


def show_command(engine: Engine, id: str) -> Issued | None:
    """Return one command with its answer, or None."""
    with database.reading(engine) as connection:
        row = connection.execute(select(command).where(command.c.id == id)).first()
    return None if row is None else _issued(row, with_content=True)


def due(engine: Engine, now: datetime, signer: Signer) -> list[Order]:
    """Return what has to be sent now, signed, and note that it was; of several collectors one gets each.

    Of the commands of a kiosk the oldest open one goes, since a kiosk refuses one that is older than its last; of
    settings only the newest count.
    """
    at, before = database.rfc3339(now), database.rfc3339(now - AGAIN)
    is_due = or_(command.c.sent_at.is_(None), command.c.sent_at <= before)
    with database.reading(engine) as connection:
        if not connection.execute(select(command.c.id).where(_open(at), is_due).limit(1)).first():
            return []
    orders = []
    with database.writing(engine) as connection:
        for row in _next_of_each_kiosk(connection, at):
            sent = update(command).where(command.c.id == row.id, is_due, command.c.result.is_(None))
            if connection.execute(sent.values(sent_at=at, attempts=command.c.attempts + 1)).rowcount:
                orders.append(_order(row, at, signer))
    return orders


def take_reply(engine: Engine, reply: Reply, now: datetime) -> bool:
    """Keep the kiosk's answer to its own command; return whether it was the first."""
    content = msgspec.json.encode(reply.content).decode() if reply.content else None
    with database.writing(engine) as connection:
        return _answer(connection, reply.id, reply.kiosk, reply.result.value, reply.detail, content, now)


def take_reported(engine: Engine, reported: Reported, now: datetime) -> bool:
    """Take from what a kiosk reports what came of its last desired settings; return whether that was news."""
    result = _RESULTS.get(reported.state)
    if result is None or not reported.id:
        return False
    detail = reported.detail or "the settings are in force"
    with database.writing(engine) as connection:
        return _answer(connection, reported.id, reported.kiosk, result, detail, None, now)


def _answer(
    connection: Connection, id: str, kiosk: str, result: str, detail: str, content: str | None, now: datetime
) -> bool:
    open_one = and_(command.c.id == id, command.c.kiosk == kiosk, command.c.result.is_(None))
    values = {"result": result, "detail": printable(detail)[:_KEPT_DETAIL], "replied_at": database.rfc3339(now)}
    return bool(connection.execute(update(command).where(open_one).values(**values, content=content)).rowcount)


def _open(at: str) -> Any:
    return and_(command.c.result.is_(None), or_(command.c.name == SETTINGS, command.c.expires_at > at))


def _next_of_each_kiosk(connection: Connection, at: str) -> Sequence[Row[Any]]:
    """Return the oldest open command, and the newest open settings, of each kiosk."""
    is_settings = command.c.name == SETTINGS
    firsts = select(command.c.kiosk, func.min(command.c.counter)).where(_open(at), ~is_settings)
    first = dict(connection.execute(firsts.group_by(command.c.kiosk)).all())
    lasts = select(command.c.kiosk, func.max(command.c.counter)).where(is_settings)
    last = dict(connection.execute(lasts.group_by(command.c.kiosk)).all())
    rows = connection.execute(select(command).where(_open(at)).order_by(command.c.counter))
    return [row for row in rows if row.counter == (last if row.name == SETTINGS else first).get(row.kiosk)]


def _order(row: Row[Any], at: str, signer: Signer) -> Order:
    arguments = msgspec.json.decode(row.arguments)
    if row.name == SETTINGS:
        settings, trial_s = arguments.get("settings", {}), float(arguments.get("trial_s", TRIAL_S))
        desired = Desired(row.id, row.kiosk, row.counter, at, trial_s, settings)
        return Order(desired_topic(row.kiosk), signer.sign(encode(desired), DESIRED_TYP), True)
    given = Command(row.id, row.kiosk, row.name, row.counter, row.issued_at, row.expires_at, arguments)
    return Order(command_topic(row.kiosk, row.name), signer.sign(encode(given), COMMAND_TYP), False)


def _issued(row: Row[Any], *, with_content: bool) -> Issued:
    return Issued(
        id=row.id,
        kiosk=row.kiosk,
        name=row.name,
        arguments=msgspec.json.decode(row.arguments),
        by=row.issued_by,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        sent_at=row.sent_at,
        attempts=row.attempts,
        result=row.result,
        detail=row.detail,
        content=msgspec.json.decode(row.content) if with_content and row.content else None,
        replied_at=row.replied_at,
    )
