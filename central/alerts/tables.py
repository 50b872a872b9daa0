"""The tables of alerts, silences and what has to be told.

Owns names, types, keys and indexes, as `central.tables` does for records. Always true: nothing of a traveller is in
them; of one fault in one place no two alerts are open.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from central.tables import metadata

_serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only an INTEGER primary key by itself

# `scope` is a kiosk, a site followed by `/*`, or `centre`. `since` is when it was first seen, `opened_at` when it had
# lasted long enough (null: not yet), `gone_at` since when it is no longer seen (null: it still is), `told_at` when
# somebody was told last.
alert = Table(
    "alert",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("code", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("opened_at", Text),
    Column("gone_at", Text),
    Column("closed_at", Text),
    Column("told_at", Text),
    Column("acknowledged_at", Text),
    Column("acknowledged_by", Text),
    sqlite_autoincrement=True,
)
_is_open = alert.c.closed_at.is_(None)
Index(
    "ix_alert_open",
    alert.c.code,
    alert.c.scope,
    alert.c.subject,
    unique=True,
    sqlite_where=_is_open,
    postgresql_where=_is_open,
)
Index("ix_alert_closed_at", alert.c.closed_at)

# Nobody is told of what fits; `code` and `scope` may be `*`.
silence = Table(
    "silence",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("code", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("until", Text, nullable=False),
    sqlite_autoincrement=True,
)

# What has to be told, once a channel, until it was or until it is too late to be of use.
notification = Table(
    "notification",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("channel", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Text, nullable=False),
    Column("sent_at", Text),
    Column("given_up_at", Text),
    Column("error", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_notification_next_at", notification.c.next_at)
