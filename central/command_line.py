"""What every verb of `landfall-central` needs: the kiosk that was named, the database, and JSON for programs.

Owns no verb. Always true: what is printed for programs is one JSON document on standard output.
"""

from __future__ import annotations

import argparse
import sys

import msgspec
from sqlalchemy import Engine

from central import database
from central.config import Settings
from edge.errors import ContractError, SettingError
from edge.wire.topics import kiosk_id


def kiosk_named(arguments: argparse.Namespace) -> str:
    """Return `<site>/<kiosk>` of `--site` and `--kiosk`; raise `SettingError` for what no kiosk can be called."""
    try:
        return kiosk_id(arguments.site, arguments.kiosk)
    except ContractError as error:
        raise SettingError("", "--site and --kiosk", f"are not right: {error.message}") from None


def open_database(settings: Settings) -> Engine:
    """Return the database of these settings, its tables up to date."""
    engine = database.connect(settings.database.url, lock_timeout_s=settings.database.lock_timeout_s)
    database.upgrade(engine)
    return engine


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")
