"""What operators ask of kiosks, and what came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "command",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kiosk", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("content", sa.Text()),
        sa.Column("replied_at", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_command"),
        sa.UniqueConstraint("kiosk", "counter", name="uq_command"),
    )


def downgrade() -> None:
    """Go back: what was asked is forgotten."""
    op.drop_table("command")
