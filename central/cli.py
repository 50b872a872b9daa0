"""`landfall-central`: its verbs, of which `run` and `status` are here, and its exit status.

Owns how an error is told, and the exit status: 0 done, 1 something is not as it should be, 2 wrong settings or usage.
Always true: what is printed for programs (`--json`) goes to stdout alone, and no traveller is ever printed.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from central import (
    acceptance_cli,
    broker_cli,
    carried_cli,
    command_cli,
    config,
    database_cli,
    kiosk_cli,
    overview,
    reconcile_cli,
    set_aside_cli,
)
from central.collector import Collector
from central.command_line import database_named, open_database, open_store, print_json, signer_and_opener
from central.console import cli as console_cli
from central.enrolment.cli import add_verbs as add_enrolment_verbs
from central.fleet.cli import add_verbs as add_fleet_verbs
from central.journal import ERROR, log, told
from central.registry import Registry
from central.remedies import remedy
from edge.errors import LandfallError, SettingError
from edge.version import add_version

DEFAULT_CONFIG = Path("/etc/landfall/central.toml")


def main(argv: list[str] | None = None) -> int:
    """Run one verb and return the exit status; a fault of the program itself ends it with 1."""
    arguments = command_parser().parse_args(argv)
    try:
        return arguments.call(arguments)
    except SettingError as error:
        log(ERROR, str(error))
        return 2
    except LandfallError as error:
        log(ERROR, str(error))
        return 1
    except SQLAlchemyError as error:
        log(ERROR, f"{told(error)}; {remedy(error)}")
        return 1
    except OSError as error:
        log(ERROR, f"{error.filename}: {error.strerror}" if error.filename else told(error))
        return 1
    except EOFError:
        log(ERROR, "stopped, since nobody answers")
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # its text may quote a record, so only its kind and place are told
        log(ERROR, told(error))
        raise SystemExit(1) from None


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the command; man page and completions are made from it too."""
    parser = argparse.ArgumentParser(prog="landfall-central", description="The receiving end of Landfall.")
    add_version(parser)
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="settings (default: %(default)s)")

    run = verbs.add_parser("run", parents=[common], help="collect records until SIGTERM")
    run.set_defaults(call=_run)

    kiosk_cli.add_verbs(verbs, common)
    reconcile_cli.add_verbs(verbs, common)
    carried_cli.add_verbs(verbs, common)
    database_cli.add_verbs(verbs, common)
    add_enrolment_verbs(verbs, common)
    acceptance_cli.add_verbs(verbs, common)
    set_aside_cli.add_verbs(verbs, common)
    broker_cli.add_verbs(verbs)

    status = verbs.add_parser("status", parents=[common], help="how far each stream is held, and what to look at")
    status.add_argument("--json", action="store_true", help="print JSON")
    status.set_defaults(call=_status)

    command_cli.add_verbs(verbs, common)
    console_cli.add_verbs(verbs, common)
    add_fleet_verbs(verbs, common)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from central.broker_link import BrokerLink, tls_context
    from central.verify import Examiner

    settings = config.load(arguments.config)
    broker, _ = settings.for_collecting()
    signer, opener = signer_and_opener(settings)
    context = tls_context(broker)
    engine = open_database(settings)
    in_flight = 2 * settings.collector.batch_messages
    collector = Collector(
        settings.collector,
        open_store(engine, settings),
        Examiner(Registry(engine, monotonic).verifier_of, opener),
        signer,
        lambda inbox: BrokerLink(broker, context, inbox, in_flight=in_flight),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: collector.stop())
    collector.run()
    engine.dispose()
    return 0


def _status(arguments: argparse.Namespace) -> int:
    found = overview.overview(database_named(arguments))
    if arguments.json:
        print_json(found)
        return 0
    print(f"generation {found.generation}")
    for stream in found.streams:
        print(
            f"{stream.kiosk} {stream.stream} {stream.epoch}: held {stream.held_up_to}, waiting {stream.waiting}", end=""
        )
        print(f", {stream.branches} branches" if stream.branches > 1 else "")
    for one in found.incidents:
        place = " ".join(part for part in (one.kiosk, one.stream, str(one.sequence or "")) if part)
        print(f"! {one.kind} {place}: {one.detail} ({one.count}, last {one.last_seen})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
