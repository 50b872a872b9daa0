"""Invitations and certificates: how kiosks become known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Go forward."""
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "invitation",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        *_texts("kiosk", "salt", "code_hash", "made_at", "expires_at"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.Text(), nullable=True),
        *_texts("closed", "keys", "answer"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_invitation_kiosk", "invitation", ["kiosk", "id"])
    op.create_table(
        "certificate",
        *_texts("serial", "name", "keys", "issued_at", "not_after", "chain"),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        *_texts("reason"),
        sa.PrimaryKeyConstraint("serial", name="pk_certificate"),
    )
    op.create_index("ix_certificate_name", "certificate", ["name"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]
