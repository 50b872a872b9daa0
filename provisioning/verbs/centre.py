"""What the office types about the centre itself, and its keys: `landfall-provision centre`.

Always true: a key that a kiosk still needs is not retired, and who needs it is named.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ProvisioningError
from provisioning.verbs.office import CENTRAL_CONFIG

if TYPE_CHECKING:
    from central.uptake import Awaited
    from provisioning.rotation import CentreKeyFiles, Kind

_SHOWN = 20
_KINDS = ("receipt", "opening")
_RECEIPT_MADE = """\
new receipt key {kid}
in {folder}, beside the one that signs. Now:
  1. receipt.pub.json to the enrolment server, and restart it there:
     systemctl restart landfall-enrolment     Kiosks learn it within a night.
  2. When all have: landfall-provision centre retire receipt {folder}"""
_OPENING_MADE = """\
new opening key {kid}
in {folder}, beside the one in use; no kiosk is told yet. Now:
  1. opening.key.json to every collector, and restart each:
     systemctl restart landfall-collector     It then opens letters to both.
  2. landfall-provision centre publish {folder}"""
_PUBLISHED = """\
kiosks are told to seal to {kid}
Now:
  1. opening.pub.json to the enrolment server, and restart it there:
     systemctl restart landfall-enrolment     Kiosks learn it within a night.
  2. When nothing sealed to the old key can come any more:
     landfall-provision centre retire opening {folder}"""
_RECEIPT_RETIRED = """\
receipt key {kid}
is retired and gone. Now, in this order:
  1. receipt.key.json to every collector, and restart each:
     systemctl restart landfall-collector     It signs with the next key.
  2. receipt.pub.json to the enrolment server, and restart it there:
     systemctl restart landfall-enrolment     Kiosks forget it at night."""
_RECEIPT_REVOKED = """
A kiosk that has not asked since then refuses the centre's receipts, keeps its
records, and goes on believing the old key. It asks each night; at once with
     sudo landfall-provision enrol renew      at the kiosk"""
_OPENING_RETIRED = """\
opening key {kid}
is retired. Now:
  1. {kept}
     to the safe: a stick or an old card may still hold a letter sealed to it.
  2. opening.key.json to every collector, and restart each:
     systemctl restart landfall-collector"""


def add_verbs(centre: argparse._SubParsersAction) -> None:
    """Add what sets a centre up, and what rotates keys, to the verbs of `centre`."""
    text = "Make this machine the centre of a deployment that `ca init` made. Safe to run again."
    install = centre.add_parser("install", help="make this machine the centre", description=text)
    install.add_argument("deployment", type=Path, metavar="FOLDER", help="what `ca init` wrote")
    install.add_argument("--postgresql", action="store_true", help="begin with PostgreSQL here, and not with SQLite")
    install.set_defaults(run=_install)
    at_centre = argparse.ArgumentParser(add_help=False)
    at_centre.add_argument(
        "--config", type=Path, default=CENTRAL_CONFIG, help="the centre's settings (default: %(default)s)"
    )
    _verb(centre, "list", _list, "list the centre's keys, and who has not taken the newest", at_centre)
    _verb(centre, "rotate", _rotate, "make a new key beside the old one", kinds=True)
    _verb(centre, "publish", _publish, "let kiosks seal to the newest opening key")
    verb = _verb(
        centre, "retire", _retire, "take the oldest key out of use, once no kiosk needs it", at_centre, kinds=True
    )
    verb.add_argument(
        "--compromised", action="store_true", help="a receipt key that somebody else has: at once, whoever needs it"
    )


def _install(arguments: argparse.Namespace) -> int:
    from provisioning.centre_install import POSTGRESQL, SQLITE, CentreInstallation

    url = POSTGRESQL if arguments.postgresql else SQLITE
    CentreInstallation(arguments.deployment, database_url=url).run(print)
    return 0


def _verb(
    centre: argparse._SubParsersAction,
    name: str,
    run: Callable[[argparse.Namespace], str | int],
    text: str,
    *parents: argparse.ArgumentParser,
    kinds: bool = False,
) -> argparse.ArgumentParser:
    parser = centre.add_parser(name, parents=list(parents), help=text, description=f"{text[0].upper()}{text[1:]}.")
    if kinds:
        parser.add_argument("kind", choices=_KINDS, help="the key that signs receipts, or that opens letters")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where receipt.key.json and opening.key.json are")
    parser.set_defaults(run=run)
    return parser


def _rotate(arguments: argparse.Namespace) -> str:
    from provisioning.rotation import Kind

    kid = _files(arguments).rotate(Kind(arguments.kind))
    told = _RECEIPT_MADE if arguments.kind == Kind.RECEIPT else _OPENING_MADE
    return told.format(kid=kid, folder=arguments.folder)


def _publish(arguments: argparse.Namespace) -> str:
    return _PUBLISHED.format(kid=_files(arguments).publish(), folder=arguments.folder)


def _retire(arguments: argparse.Namespace) -> str | int:
    from provisioning.rotation import Kind

    files, kind = _files(arguments), Kind(arguments.kind)
    if arguments.compromised and kind is Kind.OPENING:
        raise ProvisioningError(
            "without its key nothing that was sealed to it could be read, and the thief can read it anyway",
            remedy="rotate and publish at once; retire it when no kiosk needs it",
        )
    kid, rest = files.check_can_retire(kind)
    if not arguments.compromised and (awaited := _awaited(arguments.config, kind, rest)):
        print(f"Not yet: {_still_needed(awaited, kid)}")
        print("Wait for them. One that never comes back: landfall-central certificate revoke")
        return 1
    kept = files.retire(kind)
    if kind is Kind.OPENING:
        return _OPENING_RETIRED.format(kid=kid, kept=kept)
    return _RECEIPT_RETIRED.format(kid=kid) + (_RECEIPT_REVOKED if arguments.compromised else "")


def _list(arguments: argparse.Namespace) -> str:
    from provisioning.rotation import Kind

    files, lines = _files(arguments), []
    for kind in Kind:
        kids = files.kids(kind)
        lines += [f"{kind} {kid}  {_use(files, kind, kids, kid)}" for kid in kids]
        if len(kids) > 1 and (awaited := _awaited(arguments.config, kind, kids[1:])):
            lines.append(_still_needed(awaited, kids[0]))
    return "\n".join(lines)


def _use(files: CentreKeyFiles, kind: Kind, kids: list[str], kid: str) -> str:
    from provisioning.rotation import Kind

    if kind is Kind.RECEIPT:
        return "signs" if kid == kids[0] else "told to kiosks"
    return "opens; kiosks seal to it" if kid == files.published_opening_kid() else "opens"


def _awaited(settings_file: Path, kind: Kind, rest: list[str]) -> list[Awaited]:
    """Return the kiosks that need the key before those that remain."""
    from central import config, uptake
    from central.command_line import open_database
    from provisioning.rotation import Kind

    engine = open_database(config.load(settings_file))
    try:
        if kind is Kind.RECEIPT:
            return uptake.who_lacks_receipt_key(engine, rest[0])
        return uptake.who_seals_to_others(engine, rest)
    finally:
        engine.dispose()


def _still_needed(awaited: list[Awaited], kid: str) -> str:
    lines = [f"{kid} is needed by {len(awaited)}:"]
    lines += [f"  {one.kiosk}: {one.why}" for one in awaited[:_SHOWN]]
    if len(awaited) > _SHOWN:
        lines.append(f"  and {len(awaited) - _SHOWN} more")
    return "\n".join(lines)


def _files(arguments: argparse.Namespace) -> CentreKeyFiles:
    from provisioning.rotation import CentreKeyFiles

    return CentreKeyFiles(arguments.folder)
