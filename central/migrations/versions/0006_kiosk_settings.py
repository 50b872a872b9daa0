"""What each kiosk reports of its settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "kiosk_settings",
        sa.Column("kiosk", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kiosk", name="pk_kiosk_settings"),
    )


def downgrade() -> None:
    """Go back: kiosks report again when they next connect."""
    op.drop_table("kiosk_settings")
