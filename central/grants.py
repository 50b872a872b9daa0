"""What the console and the watcher may do on PostgreSQL, each with a role of its own; no program else needs one.

Owns the list, and the statements made from it. Always true: neither role reads what a traveller showed
(`record.plaintext`, `record.letter`, `rejected`), changes who may sign records, or alters the audit log; a table that
is not named here is closed to both. SQLite knows no roles: whoever opens its file reads all of it.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Table

from central.alerts.tables import alert, notification, silence
from central.console.tables import account, audit_entry, familiar, session, sign_in_failure
from central.fleet.tables import boot_clock, fleet_kiosk, lease, sample
from central.tables import branch, centre, command, incident, kiosk_key, kiosk_settings, record


class Program(StrEnum):
    """A program that needs less than the owner of the tables may; its unit runs as `landfall-<program>`."""

    CONSOLE = "console"
    WATCH = "watch"


_KEEP = "SELECT, INSERT, UPDATE, DELETE"

GRANTS: dict[Program, dict[Table, str]] = {
    Program.CONSOLE: {
        **dict.fromkeys((fleet_kiosk, sample, lease, kiosk_settings, kiosk_key, branch, incident, centre), "SELECT"),
        record: "SELECT (kiosk, stream, branch)",
        notification: "SELECT (made_at, sent_at, given_up_at)",
        alert: "SELECT, UPDATE (acknowledged_at, acknowledged_by)",
        silence: "SELECT, INSERT, UPDATE (until, made_by)",
        command: "SELECT, INSERT",
        account: "SELECT, UPDATE (password_hash, totp_secret, totp_last_step)",
        session: "SELECT, INSERT, UPDATE (seen_at), DELETE",
        **dict.fromkeys((sign_in_failure, familiar), _KEEP),
        audit_entry: "SELECT, INSERT",
    },
    Program.WATCH: {
        **dict.fromkeys((fleet_kiosk, sample, lease, alert, silence, notification, incident), _KEEP),
        **dict.fromkeys((kiosk_key, branch, boot_clock, centre), "SELECT"),
        record: "SELECT (kiosk, stream, epoch, sequence, hash, time, received_at)",
    },
}


def statements(program: Program, role: str = "") -> list[str]:
    """Return the SQL that gives a role what its program needs and takes away everything else; the role must exist."""
    name = _quoted(role or f"landfall-{program}")
    grants = {table.name: privileges for table, privileges in GRANTS[program].items()} | {"alembic_version": "SELECT"}
    numbered = [table.name for table, privileges in GRANTS[program].items() if _is_numbered(table, privileges)]
    return [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name};",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {name};",
        *(f"GRANT {privileges} ON {table} TO {name};" for table, privileges in grants.items()),
        *(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO {name};" for table in numbered),
    ]


def _is_numbered(table: Table, privileges: str) -> bool:
    """Tell whether the database gives new rows a number."""
    return "INSERT" in privileges and "id" in table.c and table.c.id.autoincrement is True


def _quoted(role: str) -> str:
    return '"' + role.replace('"', '""') + '"'
