"""`landfall simulate`.

Owns its options and exit status: 0 when there is one crossing for each traveller who left, 1 when not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

AddOption = Callable[[argparse.ArgumentParser], None]
ENDLESS = 25  # how many come where the scenario has no end


def add_verb(verbs: Any, add_json: AddOption) -> None:
    """Add `simulate`."""
    simulate = verbs.add_parser(
        "simulate",
        help="let travellers of a scenario cross a kiosk without hardware, and count",
        description="Runs the daemon as it is, with simulated readers, camera, panel and people, in a folder of its "
        "own with keys of its own and no way to any centre. What the scenario may say: docs/simulation.md.",
        epilog="Exit status: 0 each traveller who left is one crossing, 1 not. The same scenario has the same digest.",
    )
    simulate.add_argument("--scenario", default="demo", metavar="NAME|FILE", help="what happens [demo]")
    simulate.add_argument("--list", action="store_true", help="show the scenarios that ship, and end")
    simulate.add_argument("--speed", type=_speed, default=1.0, metavar="N", help="people are N times as fast [1]")
    simulate.add_argument("--travellers", type=_number, metavar="N", help="how many come, instead of the scenario's")
    simulate.add_argument("--config", type=Path, metavar="FILE", help="try lanes and policy of these settings")
    simulate.add_argument("--keep", type=Path, metavar="FOLDER", help="keep store, log and witness in a new folder")
    add_json(simulate)
    simulate.set_defaults(run=_simulate)


def _simulate(options: argparse.Namespace) -> int:
    from edge.screen import print_json
    from edge.simulate.screen import print_figures, print_scenarios, progress

    if options.list:
        print_scenarios()
        return 0
    from msgspec.structs import replace

    from edge.simulate.figures import count
    from edge.simulate.kiosk import make
    from edge.simulate.run import run
    from hw.simulated.scenario import load

    scenario = load(options.scenario)
    scenario = replace(scenario, count=options.travellers or scenario.count or ENDLESS)
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="landfall-simulate-")))
        kiosk = make(folder, scenario, speed=options.speed, config=options.config)
        try:
            with progress(options.scenario) as told:
                run(kiosk, told)
        except KeyboardInterrupt:
            print("landfall: stopped before everybody had left; this is the count so far", file=sys.stderr)
        figures = count(kiosk)
    print_json(figures) if options.json else print_figures(figures, options.scenario)
    return 0 if figures.is_right else 1


def _speed(text: str) -> float:
    number = float(text)
    if not 0.1 <= number <= 1000:
        raise argparse.ArgumentTypeError("must be from 0.1 to 1000")
    return number


def _number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100_000:
        raise argparse.ArgumentTypeError("must be 1-100000")
    return number
