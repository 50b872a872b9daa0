"""The tables of the watcher: the fleet's present state, its history, and who is watching.

Owns names, types, keys and indexes, as `central.tables` does for records. Always true: nothing of a traveller is in
them; moments are RFC 3339 text, but those of samples are Unix seconds, since samples are put together by arithmetic.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, PrimaryKeyConstraint, Table, Text

from central.tables import metadata

# `health` is a `central.fleet.report.Report` as JSON. The kiosk is connected while `offline_at` is null, since
# `connected_at` where that is known.
fleet_kiosk = Table(
    "fleet_kiosk",
    metadata,
    Column("kiosk", Text, primary_key=True),
    Column("heard_at", Text, nullable=False),
    Column("connected_at", Text),
    Column("offline_at", Text),
    Column("health_at", Text),
    Column("health", Text),
    Column("clock_offset_s", Float),
    Column("queue_trend_per_h", Float, nullable=False),
)

# One row holds what was worst in a bucket of `resolution_s` that begins at `at_s` (Unix seconds).
sample = Table(
    "sample",
    metadata,
    Column("kiosk", Text, nullable=False),
    Column("resolution_s", Integer, nullable=False, autoincrement=False),
    Column("at_s", BigInteger, nullable=False, autoincrement=False),
    Column("queue", Float),
    Column("oldest_s", Float),
    Column("latency_s", Float),
    Column("temperature_c", Float),
    Column("memory_available_bytes", Float),
    Column("disk_free_bytes", Float),
    Column("sync_p95_s", Float),
    PrimaryKeyConstraint("kiosk", "resolution_s", "at_s"),
)

# When a boot was, as its kiosk told in an amendment: CLOCK_BOOTTIME 0 was between `earliest` (null: not known) and
# `latest`. A boot may be told of several times; all of it is true.
boot_clock = Table(
    "boot_clock",
    metadata,
    Column("kiosk", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("earliest", Text),
    Column("latest", Text, nullable=False),
    PrimaryKeyConstraint("kiosk", "boot_id", "epoch", "sequence", "hash"),
)

# Who does a work that one process alone may do; whoever does not renew in time has lost it. `working_since` is null
# while the holder cannot do it, for want of a broker.
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("working_since", Text),
    Column("renewed_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
)
