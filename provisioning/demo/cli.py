"""The words of the demonstration: parse, run, print the count.

Owns the options and the exit status: 0 when nothing was lost, nothing came twice and no chain is broken, 1 otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from provisioning.demo.play import HURRYING, STROLLING, Demo, Result
from provisioning.demo.view import LiveView, PlainView


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration and return the exit status."""
    options = _parser().parse_args(arguments)
    with contextlib.ExitStack() as stack:
        if options.keep is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="landfall-demo-")))
        else:
            folder = options.keep
        is_live = not options.headless and sys.stdout.isatty()
        view = LiveView(options.crossings) if is_live else PlainView(sys.stderr, options.crossings)
        pace = STROLLING if is_live else HURRYING
        result = Demo(folder, crossings=options.crossings, pace=pace, view=view).run()
    print(json.dumps(asdict(result)) if options.json else _sentence(result))
    return 0 if result.is_clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="landfall-provision demo",
        description="Broker, centre and three kiosks on this machine: travellers pass, the broker goes away and comes"
        " back, a kiosk is killed and starts again; at the end both ends are counted.",
    )
    parser.add_argument("--crossings", type=_count, default=90, help="how many travellers come in all [90]")
    parser.add_argument("--headless", action="store_true", help="no live view; progress goes to standard error")
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep everything in a new folder, to look into it")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 3 <= number <= 100_000:
        raise argparse.ArgumentTypeError("must be 3-100000")
    return number


def _sentence(result: Result) -> str:
    verdict = "Nothing lost, nothing twice" if result.is_clean else "NOT CLEAN"
    return (
        f"captured {result.captured}, stored {result.stored}, lost {result.lost}, duplicated {result.duplicated}, "
        f"chain breaks {result.chain_breaks}\n"
        f"{verdict}, through {result.outages} outages and {result.kills} kills, in {result.seconds:.0f} s."
    )
