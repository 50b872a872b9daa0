"""From where each account of the console usually signs in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "familiar",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "mark", name="pk_familiar"),
        sa.ForeignKeyConstraint(["account"], ["account.name"], name="fk_familiar_account"),
    )


def downgrade() -> None:
    """Go back: everybody is a stranger until the next sign-in."""
    op.drop_table("familiar")
