"""`landfall-central` and its verbs: parses, calls one function, prints.

Owns the words on the screen and the exit status: 0 done, 1 something is not as it should be, 2 wrong settings or usage.
Always true: what is printed for programs (`--json`) goes to stdout alone, and no traveller is ever printed.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from central import acceptance_cli, command_cli, config, database_cli, overview, reconcile, registry, set_aside_cli
from central.broker import BrokerLimits, mosquitto_configuration, write_broker_folder
from central.collector import Collector, utc_now
from central.command_line import (
    database_named,
    kiosk_named,
    open_database,
    open_store,
    opening_keys,
    print_json,
    private_keys,
    settings_with_keys,
)
from central.console import cli as console_cli
from central.enrolment.cli import add_verbs as add_enrolment_verbs
from central.fleet.cli import add_verbs as add_fleet_verbs
from central.journal import ERROR, log, told
from central.remedies import remedy
from edge.errors import LandfallError, SettingError
from edge.version import add_version

if TYPE_CHECKING:
    from central.carried import Imported
    from edge.seal import Opener, Signer

DEFAULT_CONFIG = Path("/etc/landfall/central.toml")
# Where landfall-broker.service has them.
BROKER_FOLDER = Path("/etc/landfall/broker")
BROKER_CREDENTIALS = Path("/run/credentials/landfall-broker.service")
BROKER_SESSIONS = Path("/var/lib/landfall-broker")
_FOLDER_HELP = "an existing folder for mosquitto.conf and access.acl (default: %(default)s)"
_BROKER_TEXT = """Write mosquitto's configuration and access list: TLS 1.2 or newer, a client certificate on every
connection, and for each kiosk its own branch and nothing else. `systemctl reload landfall-broker` takes over a changed
access list or revocation list, a restart everything."""
_MISSING_SHOWN = 20


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

    kiosk = verbs.add_parser("kiosk", help="which keys speak for which kiosk").add_subparsers(
        required=True, metavar="VERB"
    )
    named = argparse.ArgumentParser(add_help=False)
    named.add_argument("--site", required=True, help="name of the border post")
    named.add_argument("--kiosk", required=True, help="name of the kiosk at that post")
    add = kiosk.add_parser("add", parents=[common, named], help="register a kiosk's public record key")
    add.add_argument("--key", type=Path, required=True, help="file with the public key, a JWK")
    add.set_defaults(call=_kiosk_add)
    kiosks = kiosk.add_parser("list", parents=[common], help="list registered keys")
    kiosks.add_argument("--json", action="store_true", help="print JSON")
    kiosks.set_defaults(call=_kiosk_list)
    revoke = kiosk.add_parser("revoke", parents=[common, named], help="refuse what a kiosk signs from now on")
    revoke.add_argument("--kid", default="", help="only this key (default: all of the kiosk's)")
    revoke.set_defaults(call=_kiosk_revoke)

    compare = verbs.add_parser("reconcile", parents=[common], help="compare a kiosk's own count with what is stored")
    compare.add_argument(
        "--kiosk-count", required=True, metavar="FILE", help="what `landfall queue stats --json` printed, or -"
    )
    compare.add_argument("--json", action="store_true", help="print JSON")
    compare.set_defaults(call=_reconcile)

    carried = verbs.add_parser("import", parents=[common], help="take records that were carried here on a stick")
    carried.add_argument("file", type=Path, metavar="FILE|FOLDER", help="what `landfall queue export` wrote")
    carried.add_argument("--receipts", type=Path, metavar="FOLDER", help="where the receipts go (default: beside it)")
    carried.add_argument("--json", action="store_true", help="print JSON")
    carried.set_defaults(call=_import)

    backup = verbs.add_parser("backup", parents=[common], help="write a copy of the database while collectors work")
    backup.add_argument("file", type=Path, metavar="FILE", help="a new file; travellers are in it, keys are not")
    backup.set_defaults(call=_backup)
    restore = verbs.add_parser("restore", parents=[common], help="fill an empty database from a backup")
    restore.add_argument("file", type=Path, metavar="FILE", help="what `landfall-central backup` wrote")
    restore.set_defaults(call=_restore)

    database_cli.add_verbs(verbs, common)
    add_enrolment_verbs(verbs, common)
    acceptance_cli.add_verbs(verbs, common)
    set_aside_cli.add_verbs(verbs, common)

    broker = verbs.add_parser(
        "broker-config", help="write mosquitto's configuration and access list", description=_BROKER_TEXT
    )
    broker.add_argument("folder", type=Path, metavar="FOLDER", nargs="?", default=BROKER_FOLDER, help=_FOLDER_HELP)
    broker.add_argument(
        "--centre",
        action="append",
        required=True,
        metavar="NAME",
        help="who has a certificate centre/NAME: every collector and console; repeat for each",
    )
    broker.add_argument("--port", type=_port, default=8883, help="where to listen (default: %(default)s)")
    broker.add_argument("--address", default="", help="address to listen on (default: all)")
    broker.add_argument(
        "--certificates",
        type=Path,
        default=BROKER_CREDENTIALS,
        metavar="FOLDER",
        help="where broker.crt, broker.key and ca.crt are when the broker runs (default: %(default)s)",
    )
    broker.add_argument("--revoked", type=Path, metavar="FILE", help="certificate revocation list, PEM")
    broker.add_argument(
        "--sessions",
        type=Path,
        default=BROKER_SESSIONS,
        metavar="FOLDER",
        help="where the broker keeps sessions and retained messages (default: %(default)s)",
    )
    broker.add_argument(
        "--max-connections",
        type=_count,
        default=BrokerLimits().max_connections,
        metavar="N",
        help="kiosks and collectors at the same time (default: %(default)s)",
    )
    broker.set_defaults(call=_broker_config)

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
    signer, opener = _keys(settings)
    context = tls_context(broker)
    engine = open_database(settings)
    in_flight = 2 * settings.collector.batch_messages
    collector = Collector(
        settings.collector,
        open_store(engine, settings),
        Examiner(registry.Registry(engine, monotonic).verifier_of, opener),
        signer,
        lambda inbox: BrokerLink(broker, context, inbox, in_flight=in_flight),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: collector.stop())
    collector.run()
    engine.dispose()
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from central.carried import Importer, files_at
    from central.progress import progress_bar
    from central.verify import Examiner

    settings = settings_with_keys(arguments.config)
    signer, opener = _keys(settings)
    files = files_at(arguments.file)
    engine = open_database(settings)
    known = registry.Registry(engine, monotonic)
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


def _keys(settings: config.Settings) -> tuple[Signer, Opener]:
    """Load the keys that sign receipts and open letters."""
    from edge.seal import Opener, Signer

    keys = settings.for_taking()
    # The oldest receipt key signs: while keys rotate, it is the one that every kiosk knows.
    signer = Signer(private_keys(settings, "keys.receipt_key", keys.receipt_key, "Ed25519")[0])
    return signer, Opener(opening_keys(settings))


def _kiosk_add(arguments: argparse.Namespace) -> int:
    from edge.seal import load_public_key

    kiosk = kiosk_named(arguments)
    engine = database_named(arguments)
    kid = registry.add_kiosk(engine, kiosk, load_public_key(arguments.key), utc_now())
    print(f"{kiosk}: {kid}")
    return 0


def _kiosk_list(arguments: argparse.Namespace) -> int:
    keys = registry.list_kiosks(database_named(arguments))
    if arguments.json:
        print_json(keys)
        return 0
    for key in keys:
        state = f"revoked {key.revoked_at}" if key.revoked_at else f"since {key.added_at}"
        print(f"{key.kiosk}  {key.kid}  {state}")
    return 0


def _kiosk_revoke(arguments: argparse.Namespace) -> int:
    kiosk = kiosk_named(arguments)
    count = registry.revoke_kiosk(database_named(arguments), kiosk, utc_now(), kid=arguments.kid)
    if not count:
        raise LandfallError(f"{kiosk} has no such key that counts", remedy="see `landfall-central kiosk list`")
    print(f"{kiosk}: {count} revoked")
    return 0


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


def _backup(arguments: argparse.Namespace) -> int:
    from central.backup import back_up

    size = back_up(config.load(arguments.config).database.url, arguments.file)
    print(f"{arguments.file}: {size / 1e6:.1f} MB; keys are not in it, and it is not encrypted")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from central.backup import restore

    restore(config.load(arguments.config).database.url, arguments.file)
    print("restored; start the collectors, and kiosks send again what the backup does not know")
    return 0


def _broker_config(arguments: argparse.Namespace) -> int:
    revoked = arguments.revoked
    configuration = mosquitto_configuration(
        port=arguments.port,
        host=arguments.address,
        certificates=arguments.certificates,
        access_file=arguments.folder.absolute() / "access.acl",
        persistence=arguments.sessions,
        limits=BrokerLimits(max_connections=arguments.max_connections),
        revoked=None if revoked is None else revoked.absolute(),
    )
    try:
        write_broker_folder(arguments.folder, arguments.centre, configuration)
    except OSError as error:
        raise SettingError(str(arguments.folder), "", f"cannot be written ({error.strerror})") from None
    print(f"{arguments.folder}: mosquitto.conf and access.acl written for {', '.join(arguments.centre)}")
    print("Now: systemctl restart landfall-broker, or reload if only names or revocations changed.")
    return 0


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError("must be 1-65535")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


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
