"""`landfall-provision accept`: options and exit status.

Owns who accepts, by a service number, and where the report goes. Exit status: 0 accepted, 1 not; 2 for what the caller
must change.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from edge.errors import LandfallError

_TEXT = """Walk through every device of this kiosk, measure card, network and the way to the centre, and sign a report
that the centre keeps. The kiosk goes on running; crossings are marked as practice until this has ended."""
_DEFAULT_CONFIG = Path("/etc/landfall/kiosk.toml")


def add_verb(verbs: Any) -> None:
    """Add `accept`."""
    verb = verbs.add_parser("accept", help="check this kiosk with its technician, and sign a report", description=_TEXT)
    verb.add_argument("--config", type=Path, default=_DEFAULT_CONFIG, help="settings (default: %(default)s)")
    verb.add_argument("--by", metavar="NUMBER", help="your service number, never a name; asked for when left out")
    verb.add_argument(
        "--only", action="append", default=[], metavar="STEP", help="only this step; repeat for more; signs nothing"
    )
    verb.add_argument("--out", type=Path, metavar="FOLDER", help="where the signed report goes (default: by the store)")
    verb.add_argument("--json", action="store_true", help="print the report as JSON; all else goes to the error output")
    verb.set_defaults(run=_accept)


def _accept(options: argparse.Namespace) -> int:
    from rich.console import Console

    from edge.accept.keys import Keys
    from edge.accept.run import plan, report_of, sent, signed, walk, write
    from edge.accept.running import RunningKiosk
    from edge.accept.screen import WIDTH, Screen
    from edge.accept.step import Scene
    from edge.commands.start import settings_in_force
    from edge.screen import print_json
    from edge.unit_credentials import environment
    from edge.wire.acceptance import is_accepted

    if not options.config.exists():
        raise LandfallError(
            f"{options.config}: this machine is no kiosk yet", remedy="landfall-provision install BUNDLE"
        )
    settings = settings_in_force(options.config, environment())
    kiosk = RunningKiosk(settings.resolve(settings.control.socket))
    name = kiosk.status()["kiosk"]
    by = _service_number(options)
    console = Console(highlight=False, stderr=options.json)
    console.width = min(console.width, WIDTH)
    began_s, began_at = time.monotonic(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        with Keys() as keys:
            screen = Screen(keys, console, kiosk.keep_practising_quietly)
            screen.inputs += options.by is None
            scene = Scene(settings, kiosk, screen)
            steps = plan(scene, options.only)
            console.print(f"Acceptance of {name}: {len(steps)} steps")
            findings = list(walk(scene, steps))
            report = report_of(by, began_at, screen.inputs, findings, is_whole=not options.only)
            if not options.only:
                report, token = signed(scene, report)
                screen.finding(sent(scene))
                folder = options.out or settings.resolve(settings.store.path).parent
                screen.say(f"signed: {write(folder, report, token)}")
            screen.summary(report, time.monotonic() - began_s, is_whole=not options.only)
    except KeyboardInterrupt:
        print("\nStopped; nothing was signed, and practice has ended.", file=sys.stderr)
        return 1
    if options.json:
        print_json(report)
    return 0 if is_accepted(report.findings) else 1


def _service_number(options: argparse.Namespace) -> str:
    from edge.wire.acceptance import ServiceNumber

    by = options.by
    if by is None:
        try:
            by = input("Your service number, such as A-1042: ")
        except EOFError:
            by = ""
    try:
        return msgspec.convert(by.strip().upper(), ServiceNumber)
    except msgspec.ValidationError:
        raise LandfallError("that is no service number", remedy="give --by A-1042, never a name") from None
