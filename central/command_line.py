"""What several verbs of `landfall-central` need: the kiosk that was named, database and keys, JSON for programs.

Owns no verb. Always true: what is printed for programs is one JSON document on standard output.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from central import config, database
from central.config import Settings
from central.journal import told
from central.remedies import remedy
from central.store import Store
from edge.errors import ContractError, LandfallError, SealError, SettingError
from edge.wire.topics import kiosk_id

if TYPE_CHECKING:
    from edge.seal import Opener, Signer

COLLECTOR_CREDENTIALS = Path("/run/credentials/landfall-collector.service")  # systemd.exec(5), Credentials


def kiosk_options() -> argparse.ArgumentParser:
    """Return the options of a verb that is about one kiosk, as one of its `parents`."""
    named = argparse.ArgumentParser(add_help=False)
    named.add_argument("--site", required=True, help="name of the border post")
    named.add_argument("--kiosk", required=True, help="name of the kiosk at that post")
    return named


def kiosk_named(arguments: argparse.Namespace) -> str:
    """Return `<site>/<kiosk>` of `--site` and `--kiosk`; raise `SettingError` for what no kiosk can be called."""
    try:
        return kiosk_id(arguments.site, arguments.kiosk)
    except ContractError as error:
        raise SettingError("", "--site and --kiosk", f"are not right: {error.message}") from None


def database_named(arguments: argparse.Namespace) -> Engine:
    """Return the database of the settings in `--config`, its tables up to date."""
    return open_database(config.load(arguments.config))


def open_database(settings: Settings) -> Engine:
    """Return the database of these settings, its tables up to date; raise `LandfallError` when it cannot be used."""
    engine = database.connect(settings.database.url, lock_timeout_s=settings.database.lock_timeout_s)
    try:
        database.upgrade(engine)
    except SQLAlchemyError as error:
        raise LandfallError(told(error), remedy=remedy(error)) from None
    return engine


def settings_with_keys(path: Path) -> Settings:
    """Return the settings for a verb that needs the collector's keys, which lie where its running unit has them."""
    if COLLECTOR_CREDENTIALS.is_dir():
        os.environ.setdefault("CREDENTIALS_DIRECTORY", str(COLLECTOR_CREDENTIALS))
    return config.load(path)


def open_store(engine: Engine, settings: Settings) -> Store:
    """Return the store of these settings, which begins a new life of the database."""
    limits = settings.collector
    return Store(
        engine,
        rejected_keep=limits.rejected_keep,
        most_epochs=limits.most_epochs,
        most_branches=limits.most_branches,
    )


def signer_and_opener(settings: Settings) -> tuple[Signer, Opener]:
    """Load the keys that sign receipts and open letters."""
    from edge.seal import Opener, Signer

    keys = settings.for_taking()
    # The oldest receipt key signs: while keys rotate, it is the one that every kiosk knows.
    signer = Signer(_private_keys(settings, "keys.receipt_key", keys.receipt_key, "Ed25519")[0])
    return signer, Opener(opening_keys(settings))


def opening_keys(settings: Settings, instead: Sequence[Path] | None = None) -> list[Any]:
    """Load the keys that open letters, those of the settings or of other files `instead`; raise `SettingError`."""
    files = settings.for_taking().opening_keys if instead is None else instead
    setting = "keys.opening_keys" if instead is None else "--opening-key"
    return [key for path in files for key in _private_keys(settings, setting, path, "X25519")]


def _private_keys(settings: Settings, setting: str, path: Path, curve: str) -> list[Any]:
    """Load the centre's own keys of a file; raise `SettingError` when one is not private, or of another curve."""
    from edge.seal import load_private_keys

    try:
        keys = load_private_keys(path)
    except SealError as error:
        raise SettingError(settings.file, setting, f"must name a private key: {error}") from None
    for key in keys:
        if key.curve_name != curve:
            raise SettingError(settings.file, setting, f"must name an {curve} key", got=f"{key.curve_name} in {path}")
    return keys


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")
