"""`landfall-central kiosk` and its verbs: register the record keys of kiosks, list and revoke them.

Owns those words and what they print. Exit status of `revoke`: 1 when there was nothing to revoke.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from central import registry
from central.clock import utc_now
from central.command_line import database_named, kiosk_named, kiosk_options, print_json
from edge.errors import LandfallError


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add `kiosk` to the verbs of `landfall-central`."""
    about = "which keys speak for which kiosk"
    group = verbs.add_parser("kiosk", help=about).add_subparsers(required=True, metavar="VERB")
    add = group.add_parser("add", parents=[common, kiosk_options()], help="register a kiosk's public record key")
    add.add_argument("--key", type=Path, required=True, help="file with the public key, a JWK")
    add.set_defaults(call=_add)
    listing = group.add_parser("list", parents=[common], help="list registered keys")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(call=_list)
    revoke = group.add_parser("revoke", parents=[common, kiosk_options()], help="refuse what a kiosk signs from now on")
    revoke.add_argument("--kid", default="", help="only this key (default: all of the kiosk's)")
    revoke.set_defaults(call=_revoke)


def _add(arguments: argparse.Namespace) -> int:
    from edge.seal import load_public_key

    kiosk = kiosk_named(arguments)
    engine = database_named(arguments)
    kid = registry.add_kiosk(engine, kiosk, load_public_key(arguments.key), utc_now())
    print(f"{kiosk}: {kid}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    keys = registry.list_kiosks(database_named(arguments))
    if arguments.json:
        print_json(keys)
        return 0
    for key in keys:
        state = f"revoked {key.revoked_at}" if key.revoked_at else f"since {key.added_at}"
        print(f"{key.kiosk}  {key.kid}  {state}")
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    kiosk = kiosk_named(arguments)
    count = registry.revoke_kiosk(database_named(arguments), kiosk, utc_now(), kid=arguments.kid)
    if not count:
        raise LandfallError(f"{kiosk} has no such key that counts", remedy="see `landfall-central kiosk list`")
    print(f"{kiosk}: {count} revoked")
    return 0
