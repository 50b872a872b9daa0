"""The first tables: the register, records and their branches, counts, and what to look at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go forward."""
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    waiting = sa.text("branch IS NULL")
    op.create_table(
        "kiosk_key",
        sa.Column("kiosk", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public_jwk", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("kiosk", "kid", name="pk_kiosk_key"),
    )
    op.create_table(
        "branch",
        *_epoch(),
        sa.Column("branch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root_sequence", sa.BigInteger(), nullable=False),
        sa.Column("held_up_to", sa.BigInteger(), nullable=False),
        sa.Column("hash_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kiosk", "stream", "epoch", "branch", name="pk_branch"),
    )
    op.create_table(
        "record",
        *_epoch(),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("prev", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("time", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("branch", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("letter", sa.Text(), nullable=True),
        sa.Column("plaintext", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("kiosk", "stream", "epoch", "sequence", "hash", name="pk_record"),
    )
    op.create_index(
        "ix_record_waiting",
        "record",
        ["kiosk", "stream", "epoch", "sequence"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "crossing",
        *_epoch(),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kiosk", "stream", "epoch", "sequence", "hash", name="pk_crossing"),
    )
    op.create_index("ix_crossing_id", "crossing", ["kiosk", "id"])
    op.create_table(
        "epoch_start",
        *_epoch(),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("previous_epoch", sa.Text(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kiosk", "stream", "epoch", "hash", name="pk_epoch_start"),
    )
    op.create_table(
        "rejected",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rejected"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "incident",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        *_epoch(),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.Text(), nullable=False),
        sa.Column("last_seen", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("kind", "kiosk", "stream", "epoch", "sequence", name="uq_incident"),
    )
    op.create_table(
        "centre",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_centre"),
    )


def _epoch() -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in ("kiosk", "stream", "epoch")]
