"""The watcher's tables: present state, history, when boots were, leases, alerts and what has to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "fleet_kiosk",
        _text("kiosk"),
        _text("heard_at"),
        _text("connected_at", nullable=True),
        _text("offline_at", nullable=True),
        _text("health_at", nullable=True),
        _text("health", nullable=True),
        sa.Column("clock_offset_s", sa.Float(), nullable=True),
        sa.Column("queue_trend_per_h", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("kiosk", name="pk_fleet_kiosk"),
    )
    op.create_table(
        "sample",
        _text("kiosk"),
        sa.Column("resolution_s", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_s", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in METRICS),
        sa.PrimaryKeyConstraint("kiosk", "resolution_s", "at_s", name="pk_sample"),
    )
    op.create_table(
        "boot_clock",
        _text("kiosk"),
        _text("boot_id"),
        _text("epoch"),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("hash"),
        _text("earliest", nullable=True),
        _text("latest"),
        sa.PrimaryKeyConstraint("kiosk", "boot_id", "epoch", "sequence", "hash", name="pk_boot_clock"),
    )
    op.create_table(
        "lease",
        *(_text(name) for name in ("name", "holder", "renewed_at", "expires_at")),
        _text("working_since", nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    _create_alerts()


METRICS = (
    "queue",
    "oldest_s",
    "latency_s",
    "temperature_c",
    "memory_available_bytes",
    "disk_free_bytes",
    "sync_p95_s",
)


def _create_alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        *(_text(name) for name in ("code", "scope", "subject", "severity", "what", "remedy", "since")),
        *(
            _text(name, nullable=True)
            for name in ("opened_at", "gone_at", "closed_at", "told_at", "acknowledged_at", "acknowledged_by")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sqlite_autoincrement=True,
    )
    is_open = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_alert_open",
        "alert",
        ["code", "scope", "subject"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_alert_closed_at", "alert", ["closed_at"])
    op.create_table(
        "silence",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        *(_text(name) for name in ("code", "scope", "made_by", "made_at", "until")),
        sa.PrimaryKeyConstraint("id", name="pk_silence"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "notification",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        *(_text(name) for name in ("channel", "body", "made_at")),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _text("next_at"),
        _text("sent_at", nullable=True),
        _text("given_up_at", nullable=True),
        _text("error"),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notification_next_at", "notification", ["next_at"])


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)
