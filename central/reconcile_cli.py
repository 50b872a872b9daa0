"""`landfall-central reconcile`: compare a kiosk's own count with what is stored.

Owns its words. Exit status: 1 when something is lost, twice, or unfounded.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from central import reconcile
from central.command_line import database_named, print_json
from edge.errors import LandfallError


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add `reconcile` to the verbs of `landfall-central`."""
    compare = verbs.add_parser("reconcile", parents=[common], help="compare a kiosk's own count with what is stored")
    compare.add_argument(
        "--kiosk-count", required=True, metavar="FILE", help="what `landfall queue stats --json` printed, or -"
    )
    compare.add_argument("--json", action="store_true", help="print JSON")
    compare.set_defaults(call=_reconcile)


def _reconcile(arguments: argparse.Namespace) -> int:
    try:
        text = sys.stdin.buffer.read() if arguments.kiosk_count == "-" else Path(arguments.kiosk_count).read_bytes()
    except OSError as error:
        raise LandfallError(f"{arguments.kiosk_count}: cannot be read ({error.strerror})") from None
    count = reconcile.read_count(text)
    result = reconcile.reconcile(database_named(arguments), count.kiosk, count)
    if arguments.json:
        print_json(result)
    else:
        captured = "an unknown number" if result.captured is None else result.captured
        print(f"{result.kiosk}: captured {captured}, stored {result.stored}", end="")
        print(f" (of these voided {result.voided}), practice {result.training}")
        print(f"  lost {result.lost}, duplicated {result.duplicated}, surplus {result.surplus}", end="")
        print(f", chain breaks {result.chain_breaks}, records still on the kiosk {result.unheld}")
        for one in result.chain.examples:
            print(f"  {one.stream} {one.epoch} {one.sequence}: {one.reason}")
    return 0 if result.is_clean else 1
