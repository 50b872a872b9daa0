"""The console's own tables: who may sign in, who is signed in, and what was done.

Owns their names, types and keys; `central.migrations` builds the same ones, and makes `audit_entry` refuse UPDATE and
DELETE by triggers. Always true: a password is here only as an argon2 hash and a session id only as SHA-256, so that
who reads the tables can sign in as nobody; moments are RFC 3339 text in UTC with milliseconds.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

from central.tables import metadata

# `totp_last_step` is the time step (RFC 6238, 4.2) of the last code that was taken: none is taken twice.
account = Table(
    "account",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("totp_secret", Text),
    Column("totp_last_step", BigInteger, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("disabled_at", Text),
)

session = Table(
    "session",
    metadata,
    Column("id_hash", Text, primary_key=True),
    Column("account", Text, ForeignKey("account.name", name="fk_session_account"), nullable=False),
    Column("created_at", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
)
Index("ix_session_account", session.c.account)

# From where an account signed in: SHA-256 of a browser's token, or of an address; see `central.console.familiar`.
familiar = Table(
    "familiar",
    metadata,
    Column("account", Text, ForeignKey("account.name", name="fk_familiar_account"), nullable=False),
    Column("mark", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
    PrimaryKeyConstraint("account", "mark"),
)

# Whom somebody tried to be and where from, as SHA-256: what is typed into the wrong field is not kept.
sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("subject", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("wait_until", Text, nullable=False),
    PrimaryKeyConstraint("subject"),
)

# `hash` is over all the others, `previous` is the hash of the entry before it: see `central.console.audit`.
audit_entry = Table(
    "audit_entry",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
