"""`landfall-central import`: take records that were carried here on a stick, and say what is missing.

Owns its words. Exit status: 1 when not everything is here.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from central.clock import utc_now
from central.command_line import open_database, open_store, print_json, settings_with_keys, signer_and_opener
from central.registry import Registry

if TYPE_CHECKING:
    from central.carried import Imported

_MISSING_SHOWN = 20


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add `import` to the verbs of `landfall-central`."""
    carried = verbs.add_parser("import", parents=[common], help="take records that were carried here on a stick")
    carried.add_argument("file", type=Path, metavar="FILE|FOLDER", help="what `landfall queue export` wrote")
    carried.add_argument("--receipts", type=Path, metavar="FOLDER", help="where the receipts go (default: beside it)")
    carried.add_argument("--json", action="store_true", help="print JSON")
    carried.set_defaults(call=_import)


def _import(arguments: argparse.Namespace) -> int:
    from central.carried import Importer, files_at
    from central.progress import progress_bar
    from central.verify import Examiner

    settings = settings_with_keys(arguments.config)
    signer, opener = signer_and_opener(settings)
    files = files_at(arguments.file)
    engine = open_database(settings)
    known = Registry(engine, monotonic)
    store = open_store(engine, settings)
    importer = Importer(store, Examiner(known.verifier_of, opener), known.verifier_of, signer, utc_now)
    with progress_bar("Importing") as show:
        imported = importer.take(files, show)
    importer.write_receipts(arguments.receipts or files[0].parent)
    engine.dispose()
    print_json(imported) if arguments.json else _print_imported(imported)
    return 0 if imported.is_whole else 1


def _print_imported(imported: Imported) -> None:
    for one in imported.streams:
        print(f"{one.kiosk} {one.stream} {one.first} to {one.last}: held up to {one.held_up_to}")
        print(f"  {one.records} records, {one.new} new, {one.duplicates} known before, {one.refused} refused")
        for first, last in one.missing[:_MISSING_SHOWN]:
            print(f"! {one.kiosk} {one.stream}: {first} to {last} missing")
        if one.held_up_to < one.first - 1:
            print(f"! {one.kiosk} {one.stream}: {one.held_up_to + 1} to {one.first - 1} never came here")
    for what in imported.damages:
        print(f"! {what}")
    if imported.damaged > len(imported.damages):
        print(f"! ... and {imported.damaged - len(imported.damages)} more damaged lines")
    for path in imported.receipts:
        print(f"receipts: {path}")
    if imported.receipts:
        print("At the kiosk: sudo landfall queue import-receipts FILE")
    if not imported.is_whole:
        print("Not everything is here. Export again at the kiosk,")
        print("with --all if something never came here.")
