"""Accounts of the console: made on the command line, changed there or by their owner.

Owns the rows of `account`. Who is signed in is the matter of `central.console.sessions`. Always true: every change
stands in the audit log, in the same transaction; an account is disabled and never removed, since the log names it; a
change of password, role or second factor ends the account's sessions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from central import database
from central.console import audit
from central.console.audit import Deed
from central.console.rights import RIGHTS, Right, Role
from central.console.tables import account, session
from edge.errors import LandfallError

if TYPE_CHECKING:
    from central.console.passwords import Passwords

NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")


@dataclass(frozen=True, slots=True)
class Account:
    """One account as screens show it."""

    name: str
    role: Role
    has_totp: bool
    created_at: str
    disabled_at: str | None

    def may(self, right: Right) -> bool:
        """Tell whether the account's role has a right."""
        return right in RIGHTS[self.role]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in is compared with."""

    password_hash: str = field(repr=False)
    totp_secret: str | None = field(repr=False)
    totp_last_step: int


@dataclass(frozen=True, slots=True)
class By:
    """Who makes a change, from where, and when."""

    actor: str
    now: datetime
    address: str = ""

    def deed(self, action: str, subject: str, detail: str = "") -> Deed:
        """Return the entry of the audit log for something that this somebody did."""
        return Deed(self.actor, action, subject, detail, self.address)


def add(engine: Engine, name: str, role: Role, password: str, passwords: Passwords, by: By) -> None:
    """Make an account; raise `LandfallError` for a name that is taken or not fit, or a password not good enough."""
    if not NAME.fullmatch(name):
        raise LandfallError(
            f"{name!r} is no name for an account",
            remedy="take 2 to 32 lower case letters, digits, dots and dashes, a letter first",
        )
    row = {
        "name": name,
        "role": role.value,
        "password_hash": passwords.hash(password, account=name),
        "totp_last_step": 0,
        "created_at": database.rfc3339(by.now),
    }
    with database.writing(engine) as connection:
        if find(connection, name) is not None:
            raise LandfallError(f"there is an account {name} already", remedy="see `landfall-central account list`")
        connection.execute(insert(account), row)
        audit.append(connection, by.deed("account added", name, role.value), by.now)


def everyone(engine: Engine) -> list[Account]:
    """Return all accounts by name, the disabled ones too."""
    with database.reading(engine) as connection:
        return [_account(row) for row in connection.execute(select(account).order_by(account.c.name)).mappings()]


def find(connection: Connection, name: str) -> Account | None:
    """Return an account, or None."""
    if not NAME.fullmatch(name):  # PostgreSQL takes no text with a NUL, not even to look for it
        return None
    row = connection.execute(select(account).where(account.c.name == name)).mappings().first()
    return _account(row) if row else None


def credentials(connection: Connection, name: str, *, is_locked: bool = False) -> Credentials | None:
    """Return what a sign-in is compared with; None for an account that is not there or is disabled.

    `is_locked` keeps everybody else from changing the account until the transaction ends.
    """
    if not NAME.fullmatch(name):
        return None
    columns = (account.c.password_hash, account.c.totp_secret, account.c.totp_last_step)
    query = select(*columns).where(account.c.name == name, account.c.disabled_at.is_(None))
    row = connection.execute(query.with_for_update() if is_locked else query).first()
    return Credentials(*row) if row else None


def set_password(engine: Engine, name: str, password: str, passwords: Passwords, by: By, *, keep: str = "") -> None:
    """Give an account a new password and end its sessions, except the one whose id hashes to `keep`."""
    changed = {"password_hash": passwords.hash(password, account=name)}
    _change(engine, name, changed, by, "password changed", keep=keep)


def set_role(engine: Engine, name: str, role: Role, by: By) -> None:
    """Give an account another role."""
    _change(engine, name, {"role": role.value}, by, "role changed", role.value)


def disable(engine: Engine, name: str, by: By) -> None:
    """Let an account sign in no more."""
    _change(engine, name, {"disabled_at": database.rfc3339(by.now)}, by, "account disabled")


def enable(engine: Engine, name: str, by: By) -> None:
    """Let an account sign in again."""
    _change(engine, name, {"disabled_at": None}, by, "account enabled")


def set_totp(engine: Engine, name: str, secret: str | None, by: By, *, step: int = 0, keep: str = "") -> None:
    """Ask an account for one-time codes of a secret from now on, later than time step `step`; None asks no more."""
    changed = {"totp_secret": secret, "totp_last_step": step}
    _change(engine, name, changed, by, "one-time codes on" if secret else "one-time codes off", keep=keep)


def _change(
    engine: Engine, name: str, changed: Mapping[str, Any], by: By, action: str, detail: str = "", *, keep: str = ""
) -> None:
    with database.writing(engine) as connection:
        done = connection.execute(update(account).where(account.c.name == name).values(**changed))
        if not done.rowcount:
            raise LandfallError(f"there is no account {name}", remedy="see `landfall-central account list`")
        connection.execute(delete(session).where(session.c.account == name, session.c.id_hash != keep))
        audit.append(connection, by.deed(action, name, detail), by.now)


def _account(row: Mapping[str, Any]) -> Account:
    return Account(
        row["name"], Role(row["role"]), row["totp_secret"] is not None, row["created_at"], row["disabled_at"]
    )
