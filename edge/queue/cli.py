"""`landfall queue` and its verbs: parse the words, call one function, print.

Owns this part of the command line. Always true: exit status 0 says that all is good, 1 that something was found wrong;
what is for programs (`--json`) goes to standard output alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.cache import CacheReader
    from edge.settings import Settings

Add = Callable[[argparse.ArgumentParser], None]


def add_verbs(queue: argparse.ArgumentParser, add_config: Add, add_json: Add) -> None:
    """Add the verbs below `landfall queue`; the arguments add what every verb of `landfall` has alike."""
    verbs = queue.add_subparsers(title="verbs", required=True, metavar="VERB")

    def verb(
        name: str, run: Callable[[argparse.Namespace], int], text: str, *, reads_store: bool = True
    ) -> argparse.ArgumentParser:
        parser = verbs.add_parser(name, help=text, description=text)
        add_config(parser)
        if reads_store:
            parser.add_argument("--root", type=Path, metavar="FOLDER", help="where the card of a dead kiosk is mounted")
        add_json(parser)
        parser.set_defaults(run=run)
        return parser

    verb("stats", _stats, "how much is kept, what awaits its receipt, and how long there is room")

    listing = verb("list", _list, "list records, oldest first; no traveller is in them")
    _add_stream(listing, "crossing")
    listing.add_argument("--after", type=int, default=0, metavar="N", help="only those after this position")
    listing.add_argument("--limit", type=_count, default=50, metavar="N", help="at most so many [50]")
    listing.add_argument("--unreceipted", action="store_true", help="only those that await their receipt")

    show = verb("show", _show, "show one record: position, envelope, hash, sizes and key ids")
    show.add_argument("position", type=int, metavar="N", help="its position in the stream")
    _add_stream(show, "crossing")

    check = verb("verify", _verify, "check every signature and every link of the chain")
    _add_stream(check, "")

    export = verb("export", _export, "write sealed records to a stick, for a post that was offline too long")
    export.add_argument("target", type=Path, metavar="FOLDER|FILE", help="the stick, or a new file ending in .jsonl")
    export.add_argument("--all", action="store_true", help="everything that is kept, not only what awaits its receipt")

    text = "give the centre's receipts to the running kiosk"
    receipts = verb("import-receipts", _import_receipts, text, reads_store=False)
    receipts.add_argument("file", type=Path, metavar="FILE", help="what `landfall-central import` wrote, or its folder")


def _add_stream(parser: argparse.ArgumentParser, default: str) -> None:
    help = f"crossing, evidence or audit [{default or 'all of them'}]"
    parser.add_argument("--stream", default=default, metavar="NAME", help=help)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _stats(options: argparse.Namespace) -> int:
    from edge.disk import MB, free_bytes
    from edge.queue.figures import figures
    from edge.queue.screen import print_stats
    from edge.screen import print_json

    with _store(options) as (settings, kiosk, reader):
        folder = settings.resolve(settings.store.path).parent
        room_bytes = max(0, free_bytes(folder) - settings.store.reserve_mb * MB)
        found = figures(reader, kiosk, room_bytes, datetime.now(UTC))
    print_json(found) if options.json else print_stats(found)
    return 0


def _list(options: argparse.Namespace) -> int:
    from edge.queue.listing import rows
    from edge.queue.screen import print_rows
    from edge.screen import print_json

    with _store(options) as (_, _, reader):
        found = list(
            rows(reader, options.stream, after=options.after, limit=options.limit, unreceipted=options.unreceipted)
        )
    print_json(found) if options.json else print_rows(found)
    return 0


def _show(options: argparse.Namespace) -> int:
    from edge.queue.listing import details
    from edge.queue.screen import print_details
    from edge.screen import print_json

    with _store(options) as (_, _, reader):
        found = details(reader, options.stream, options.position)
    print_json(found) if options.json else print_details(found)
    return 0


def _verify(options: argparse.Namespace) -> int:
    from edge.queue.chain import verify
    from edge.queue.listing import head_of
    from edge.queue.screen import print_chain, progress_bars
    from edge.screen import print_json
    from edge.seal import Verifier

    with _store(options) as (settings, kiosk, reader), progress_bars() as show:
        streams = [head_of(reader, options.stream).stream] if options.stream else list(reader.heads())
        verifier = Verifier([_record_key(settings)])
        report = verify(reader, verifier, kiosk, streams, lambda done, total: show("Verifying", done, total))
    print_json(report) if options.json else print_chain(report)
    return 0 if report.is_whole else 1


def _export(options: argparse.Namespace) -> int:
    from edge.queue.export import export
    from edge.queue.screen import print_exported, progress_bars
    from edge.screen import print_json
    from edge.seal import Signer

    with _store(options) as (settings, kiosk, reader), progress_bars() as show:
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        signer = Signer(_record_key(settings))
        done = export(reader, signer, kiosk, options.target, everything=options.all, at=at, progress=show)
        store = settings.resolve(settings.store.path)
    is_own_disk = any(path.stat().st_dev == store.stat().st_dev for path in done.files)
    if options.json:
        print_json({**asdict(done), "files": [str(path) for path in done.files], "is_own_disk": is_own_disk})
    else:
        print_exported(done, is_own_disk=is_own_disk)
    return 1 if done.unreadable else 0


def _import_receipts(options: argparse.Namespace) -> int:
    from edge.config import load
    from edge.queue.carried_receipts import hand_over, is_taken, read_receipts
    from edge.queue.screen import print_receipts, progress_bars
    from edge.screen import print_json

    settings = load(options.config, dict(os.environ))
    receipts = read_receipts(options.file, _kiosk(settings))
    with progress_bars() as show:
        socket = settings.resolve(settings.control.socket)
        answers = hand_over(socket, receipts, lambda done, total: show("Receipts", done, total))
    print_json(answers) if options.json else print_receipts(answers)
    return 0 if all(is_taken(answer) for answer in answers) else 1


@contextmanager
def _store(options: argparse.Namespace) -> Iterator[tuple[Settings, str, CacheReader]]:
    """Open the store of the settings for reading; give settings, the kiosk's name and the reader."""
    from edge.cache import CacheReader
    from edge.config import load
    from edge.queue.card import settings_on
    from edge.unit_credentials import environment

    settings = settings_on(options.root) if options.root else load(options.config, environment())
    with CacheReader.open(settings.resolve(settings.store.path)) as reader:
        yield settings, _kiosk(settings), reader


def _kiosk(settings: Settings) -> str:
    return f"{settings.kiosk.site}/{settings.kiosk.name}"


def _record_key(settings: Settings) -> Any:
    """Load the kiosk's own record key; raise `SealError` with what to do where it lies in systemd's hands."""
    from edge.errors import SealError
    from edge.seal import load_private_key

    try:
        return load_private_key(settings.resolve(settings.keys.record))
    except SealError as error:
        if not settings.keys.record.startswith("$CREDENTIALS_DIRECTORY"):
            raise
        remedy = "run this as root while the kiosk runs, or set CREDENTIALS_DIRECTORY to the folder of its keys"
        raise SealError(error.message, remedy=remedy) from None
