"""The tables of the centre.

Owns names, types, keys and indexes; `central.migrations` builds the same ones step by step, and a test compares the
two. Always true: everything works the same on SQLite and PostgreSQL; moments are RFC 3339 text in UTC with
milliseconds, so they sort; what a traveller showed is in `record.plaintext` (and in `crossing` only what counting
needs).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={"ix": "ix_%(column_0_label)s", "uq": "uq_%(table_name)s", "pk": "pk_%(table_name)s"}
)

_serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only an INTEGER primary key by itself

kiosk_key = Table(
    "kiosk_key",
    metadata,
    Column("kiosk", Text, nullable=False),
    Column("kid", Text, nullable=False),
    Column("public_jwk", Text, nullable=False),
    Column("added_at", Text, nullable=False),
    Column("revoked_at", Text),
    PrimaryKeyConstraint("kiosk", "kid"),
)

# Branch 0 is the trunk, and its row is the lock of the epoch: no prefix moves without it. A root of 0 says that the
# epoch has not been founded yet. Every branch ends in a record without a successor.
branch = Table(
    "branch",
    metadata,
    Column("kiosk", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("branch", Integer, nullable=False, autoincrement=False),
    Column("root_sequence", BigInteger, nullable=False),
    Column("held_up_to", BigInteger, nullable=False),
    Column("hash_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    PrimaryKeyConstraint("kiosk", "stream", "epoch", "branch"),
)

# `hash` is the record's place in the chain (of a tombstone: of what it replaces). `branch` is null while the record
# waits for one before it. `state` is a name of `central.chain.Standing`.
record = Table(
    "record",
    metadata,
    Column("kiosk", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("time", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("branch", Integer),
    Column("reason", Text, nullable=False),
    Column("envelope", Text, nullable=False),
    Column("letter", Text),
    Column("plaintext", LargeBinary),
    PrimaryKeyConstraint("kiosk", "stream", "epoch", "sequence", "hash"),
)
_waiting = record.c.branch.is_(None)
Index(
    "ix_record_waiting",
    record.c.kiosk,
    record.c.stream,
    record.c.epoch,
    record.c.sequence,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)

crossing = Table(
    "crossing",
    metadata,
    Column("kiosk", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("training", Boolean, nullable=False),
    PrimaryKeyConstraint("kiosk", "stream", "epoch", "sequence", "hash"),
)
Index("ix_crossing_id", crossing.c.kiosk, crossing.c.id)

# What each epoch's first record said of the epoch before it.
epoch_start = Table(
    "epoch_start",
    metadata,
    Column("kiosk", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("previous_epoch", Text, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("last_hash", Text, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("kiosk", "stream", "epoch", "hash"),
)

rejected = Table(
    "rejected",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

incident = Table(
    "incident",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("kiosk", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_seen", Text, nullable=False),
    Column("last_seen", Text, nullable=False),
    Column("closed_at", Text),
    UniqueConstraint("kind", "kiosk", "stream", "epoch", "sequence"),
)

# What operators ask of kiosks. `expires_at` is empty for settings, `result` null until the kiosk has answered;
# `content` is what diagnostics brought, as JSON.
command = Table(
    "command",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kiosk", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("issued_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("sent_at", Text),
    Column("attempts", Integer, nullable=False),
    Column("result", Text),
    Column("detail", Text, nullable=False),
    Column("content", Text),
    Column("replied_at", Text),
    UniqueConstraint("kiosk", "counter"),
)

# What each kiosk last reported of its settings: a `central.kiosk_settings.KioskSettings` as JSON.
kiosk_settings = Table(
    "kiosk_settings",
    metadata,
    Column("kiosk", Text, primary_key=True),
    Column("settings", Text, nullable=False),
)

centre = Table(
    "centre",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# A kiosk that may enrol once: `code_hash` and `salt` are all that is kept of its code. `keys` is the hash of the keys
# that used it, and `answer` what they got: asked again by the same keys it is given again.
invitation = Table(
    "invitation",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("kiosk", Text, nullable=False),
    Column("salt", Text, nullable=False),
    Column("code_hash", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("closed_at", Text),
    Column("closed", Text, nullable=False),
    Column("keys", Text, nullable=False),
    Column("answer", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_invitation_kiosk", invitation.c.kiosk, invitation.c.id)

# With which keys of the centre a kiosk works, as its last birth said. `receipt_keys` is a list of key ids, `heads` how
# far each stream went when `opening_key` was first named: {stream: [epoch, sequence]}; both are JSON.
key_uptake = Table(
    "key_uptake",
    metadata,
    Column("kiosk", Text, primary_key=True),
    Column("opening_key", Text, nullable=False),
    Column("receipt_keys", Text, nullable=False),
    Column("heads", Text, nullable=False),
    Column("noted_at", Text, nullable=False),
)

# Every certificate that the centre issued. `keys` is the hash of the keys that it was issued for.
certificate = Table(
    "certificate",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("keys", Text, nullable=False),
    Column("issued_at", Text, nullable=False),
    Column("not_after", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("revoked_at", Text),
    Column("reason", Text, nullable=False),
)
Index("ix_certificate_name", certificate.c.name)
