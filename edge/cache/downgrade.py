"""A store that is taken back to the tables of an older Landfall, so that the older one can be installed again.

Owns nothing but the order: lock, step back, close. Always true: it happens in one transaction or not at all, no record
is touched, and a store that a daemon has open is left alone. What a step does is in `schema`.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from edge.cache.cache import take_lock
from edge.cache.schema import connect, migrate_back, store_error


def downgrade(path: Path, to: int) -> int:
    """Take a store back to version `to` of its tables and return the version that it has then, which may be older.

    Raises `StoreError` when another process has it open, when it cannot be read, and for versions that never were.
    """
    lock = take_lock(path)
    try:
        connection = connect(path)
        try:
            return migrate_back(connection, to)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    finally:
        os.close(lock)
