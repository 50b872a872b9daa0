"""`landfall` and its verbs: parse the words, call one function, print.

Owns the command line of a kiosk. Always true: a wrong setting or a kiosk that does not answer is one sentence on
standard error; exit status 2 is for what the caller must change, 1 for what was found wrong, 0 for good.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.check.cli import add_verbs as add_check_verbs
from edge.errors import LandfallError, SettingError
from edge.officer_cli import add_verbs as add_officer_verbs
from edge.queue.cli import add_verbs as add_queue_verbs
from edge.simulate.cli import add_verb as add_simulate_verb
from edge.version import add_version
from hw.devices import DeviceError

DEFAULT_CONFIG = "/etc/landfall/kiosk.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status."""
    options = command_parser().parse_args(arguments)
    try:
        return options.run(options)
    except (SettingError, DeviceError) as error:
        print(f"landfall: {error}", file=sys.stderr)
        return 2
    except LandfallError as error:
        print(f"landfall: {error}", file=sys.stderr)
        return options.failed
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the command; man page and completions are made from it too."""
    parser = argparse.ArgumentParser(prog="landfall", description="The border-post kiosk that never loses a crossing.")
    add_version(parser)
    parser.set_defaults(failed=1)
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    run = verbs.add_parser("run", help="run the kiosk daemon")
    _add_config(run)
    run.set_defaults(run=_run)

    status = verbs.add_parser("status", help="show how the running kiosk is")
    _add_config(status)
    _add_json(status)
    status.set_defaults(run=_status)

    read = verbs.add_parser(
        "read",
        help="read a travel document and say what was understood, check by check",
        epilog="Exit status: 0 read and good, 1 read with failed checks, 2 not understood; of several the worst.",
    )
    read.add_argument("payload", nargs="?", help="the text of the document; - or nothing reads standard input")
    read.add_argument("--file", type=Path, metavar="FILE", help="read the bytes of a file")
    read.add_argument("--image", type=Path, metavar="FILE", help="read the MRZ and barcodes in a picture (PNG, JPEG)")
    read.add_argument("--replay", type=Path, metavar="FILE", help="read what a reader's black box kept, once more")
    read.add_argument("--symbology", metavar="ID", help="AIM symbology identifier of a barcode, such as ]L")
    read.add_argument("--today", metavar="DAY", help="check dates as of this day (YYYY-MM-DD), or `unset`")
    read.add_argument("--trust", type=Path, metavar="FILE", help="check signatures against this trust list")
    read.add_argument("--health", action="store_true", help="show vaccinations, tests and recoveries too")
    _add_json(read)
    read.set_defaults(run=_read, failed=2)

    add_officer_verbs(verbs, _add_config, _add_json)
    add_check_verbs(verbs, _add_config, _add_json)

    store = verbs.add_parser("store", help="look after the file of the local cache")
    store_verbs = store.add_subparsers(title="verbs", required=True, metavar="VERB")
    text = "take the stopped kiosk's store back to the tables of an older Landfall; nothing is lost"
    back = store_verbs.add_parser("downgrade", help=text, description=text)
    _add_config(back)
    back.add_argument("--to", type=int, required=True, metavar="VERSION", help="the store's, as the older one names it")
    back.set_defaults(run=_store_downgrade)

    add_simulate_verb(verbs, _add_json)

    queue = verbs.add_parser("queue", help="look into the local cache")
    add_queue_verbs(queue, _add_config, _add_json)
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=Path(DEFAULT_CONFIG), help=f"settings [{DEFAULT_CONFIG}]")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document for programs")


def _run(options: argparse.Namespace) -> int:
    from edge.commands.start import settings_to_start_with
    from edge.daemon import Daemon
    from edge.log import Log, Priority, tell_faults_by_kind_and_place

    log = Log()
    tell_faults_by_kind_and_place(log)
    in_force = settings_to_start_with(options.config, dict(os.environ))
    if in_force.trouble:
        log(Priority.ERROR, "settings from afar are left out", reason=in_force.trouble)
    daemon = Daemon(in_force, log, dict(os.environ))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stop())
    return daemon.run()


def _status(options: argparse.Namespace) -> int:
    from edge.config import load
    from edge.control import ask
    from edge.screen import print_json
    from edge.status_screen import print_status

    settings = load(options.config, dict(os.environ))
    answer = ask(settings.resolve(settings.control.socket), "status")
    print_json(answer) if options.json else print_status(answer)
    return 0


def _store_downgrade(options: argparse.Namespace) -> int:
    from edge.cache import downgrade
    from edge.config import load

    settings = load(options.config, dict(os.environ))
    path = settings.resolve(settings.store.path)
    if not path.exists():
        print(f"{path}: there is no store yet")
        return 0
    print(f"{path}: version {downgrade(path, options.to)}")
    return 0


def _read(options: argparse.Namespace) -> int:
    from edge.reading import read_once, read_picture, replay

    sources = {
        "a payload": options.payload,
        "--file": options.file,
        "--image": options.image,
        "--replay": options.replay,
    }
    given = [name for name, source in sources.items() if source is not None]
    if len(given) > 1:
        raise LandfallError(f"give {given[0]} or {given[1]}, not both")
    common = {
        "today": options.today,
        "as_json": options.json,
        "trust": options.trust,
        "health": options.health,
    }
    if options.image is not None:
        return read_picture(options.image, **common)
    if options.replay is not None:
        return replay(options.replay, **common)
    return read_once(options.payload, file=options.file, symbology=options.symbology, **common)


if __name__ == "__main__":
    sys.exit(main())
