"""Alembic's steps from an empty database to the tables of `central.tables`; run by `central.database.upgrade`."""
