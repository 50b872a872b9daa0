"""What Alembic runs for every command: use the connection, and the transaction, that the caller holds."""

from __future__ import annotations

from alembic import context

import central.alerts.tables
import central.console.tables
import central.fleet.tables  # noqa: F401  (they add their tables to the metadata)
from central.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
