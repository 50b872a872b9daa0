"""With which keys of the centre each kiosk works."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "key_uptake",
        sa.Column("kiosk", sa.Text(), nullable=False),
        sa.Column("opening_key", sa.Text(), nullable=False),
        sa.Column("receipt_keys", sa.Text(), nullable=False),
        sa.Column("heads", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kiosk", name="pk_key_uptake"),
    )


def downgrade() -> None:
    """Go back: every kiosk tells it again when it starts."""
    op.drop_table("key_uptake")
