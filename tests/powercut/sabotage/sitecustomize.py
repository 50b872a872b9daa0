"""Spoils how a kiosk syncs, to show that the power cuts notice. Only the harness puts this folder on PYTHONPATH.

`LANDFALL_SABOTAGE` says how: `NORMAL` and `OFF` are SQLite's own words; `LATE` syncs each commit properly, but in the
background, so that the lamp does not wait for it.
"""

import os
import sqlite3
import threading

_HOW = os.environ.get("LANDFALL_SABOTAGE", "")


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Spoilt(sqlite3.Connection):
    def execute(self, sql, *parameters):
        words = sql.upper().split()
        if words[:2] == ["PRAGMA", "SYNCHRONOUS"]:
            sql = f"PRAGMA synchronous = {'NORMAL' if _HOW == 'LATE' else _HOW}"
        result = super().execute(sql, *parameters)
        if _HOW == "LATE" and words == ["COMMIT"]:
            path = super().execute("PRAGMA database_list").fetchone()[2]
            threading.Thread(target=_sync, args=(path + "-wal",), daemon=True).start()
        return result


if _HOW:
    _connect = sqlite3.connect
    sqlite3.connect = lambda *words, **options: _connect(*words, **{"factory": _Spoilt, **options})
