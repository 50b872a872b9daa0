"""`python -m edge.safe_outputs`: close the gates and put out the lamps of every lane, after the daemon has ended.

Owns what the unit runs when the kiosk stopped, crashed or was killed (ExecStopPost=, systemd.service(5)); how a pin is
put safe is `hw.safe_outputs`. Always true: it opens no store and no reader, and the kiosk starts again whatever came of
this.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from edge.config import load
from edge.errors import LandfallError
from edge.log import Log, Priority
from edge.settings import Settings
from hw.choose import pins_of_this_board
from hw.devices import DeviceError
from hw.safe_outputs import Factory, put_safe


def put_lanes_safe(settings: Settings, log: Log, pins_of: Callable[[str], Factory] = pins_of_this_board) -> bool:
    """Put the outputs of every lane safe and return whether all of them are; what failed is logged by lane and part."""
    panels = [(lane.name, lane.panel) for lane in settings.lanes if lane.panel.driver == "gpiozero"]
    failed = {}
    for lane, panel in panels:
        try:
            failed.update({f"{lane} {part}": why for part, why in put_safe(panel, pins_of(panel.name)).items()})
        except DeviceError as error:
            failed[lane] = str(error)
    for where, why in failed.items():
        log(Priority.ERROR, "an output could not be put safe", where=where, why=why)
    if panels and not failed:
        log(Priority.INFO, "gates closed and lamps out", lanes=len(panels))
    return not failed


def main() -> int:
    """Put the outputs safe once; exit status 1 when one of them could not be, 2 for a wrong setting."""
    parser = argparse.ArgumentParser(prog="python -m edge.safe_outputs", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("/etc/landfall/kiosk.toml"))
    options = parser.parse_args()
    try:
        settings = load(options.config, dict(os.environ))
    except LandfallError as error:
        print(f"landfall: {error}", file=sys.stderr)
        return 2
    return 0 if put_lanes_safe(settings, Log()) else 1


if __name__ == "__main__":
    sys.exit(main())
