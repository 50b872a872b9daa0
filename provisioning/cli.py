"""`landfall-provision` and its verbs: what a field technician runs.

Owns the words on the command line; it parses, calls one function and prints. Always true: what the technician can mend
is told in one sentence on the error output, folded at a terminal, with exit status 2; a verb loads only what it needs.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from pathlib import Path

from edge.accept.cli import add_verb as add_accept_verb
from edge.errors import LandfallError, ProvisioningError
from edge.version import add_version
from provisioning.verbs import centre as centre_verbs
from provisioning.verbs import issuer as issuer_verbs
from provisioning.verbs import office, on_kiosk
from provisioning.verbs.office import first_line

WIDTH = 80


def main(argv: list[str] | None = None) -> int:
    """Run one verb and return the exit status: 0 done, 1 not yet, 2 something that the message says how to mend.

    130 is for whoever was interrupted at the keyboard; what was done so far is whole.
    """
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["demo"]:  # the demo has options of its own
        from provisioning import demo

        return demo.main(argv[1:])
    arguments = command_parser().parse_args(argv)
    try:
        told = arguments.run(arguments)
    except LandfallError as error:
        return _refuse(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        remedy = "; type sudo in front" if isinstance(error, PermissionError) and os.geteuid() else ""
        return _refuse(f"{where}{error.strerror}{remedy}")
    except EOFError:
        print(file=sys.stderr)
        return _refuse("stopped, since nobody answers")
    except KeyboardInterrupt:
        print("\nlandfall-provision: stopped; the same command may be typed again", file=sys.stderr)
        return 130
    if isinstance(told, int):
        return told
    print(told)
    return 0


def _refuse(why: str) -> int:
    """Say what can be mended; at a terminal no word is cut in two."""
    told = f"landfall-provision: {why}"
    if sys.stderr.isatty():
        told = textwrap.fill(told, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    print(told, file=sys.stderr)
    return 2


def _init_authority(arguments: argparse.Namespace) -> str:
    from provisioning.deployment import found

    passphrase = _passphrase(arguments.passphrase_file, is_new=True)
    deployment = found(arguments.folder, arguments.name, passphrase, arguments.host)
    return deployment.told()


def _passphrase(file: Path | None, *, is_new: bool = False) -> str:
    """Return the first line of a file, or what is typed without being shown; a new one is typed twice."""
    from getpass import getpass

    if file is not None:
        return first_line(file)
    if not sys.stdin.isatty():
        raise ProvisioningError("nobody is here to type a passphrase", remedy="give --passphrase-file")
    if not is_new:
        return getpass("Passphrase of the root key: ")
    passphrase = getpass("Passphrase for the root key, 12 characters or more: ")
    if getpass("Once more: ") != passphrase:
        raise ProvisioningError("the two passphrases differ", remedy="begin again")
    return passphrase


def _issue_broker(arguments: argparse.Namespace) -> str:
    from provisioning.authority import Authority

    certificate = Authority.load(arguments.ca).issue_broker(arguments.folder, arguments.host)
    return (
        f"broker.crt and broker.key made in {arguments.folder}, good until {certificate.not_valid_after_utc:%Y-%m-%d}"
    )


def _issue_kiosk(arguments: argparse.Namespace) -> str:
    from provisioning.authority import Authority

    certificate = Authority.load(arguments.ca).issue_kiosk(arguments.folder, arguments.site, arguments.kiosk)
    return _client_made(arguments.folder, certificate.not_valid_after_utc)


def _issue_collector(arguments: argparse.Namespace) -> str:
    from provisioning.authority import Authority

    certificate = Authority.load(arguments.ca).issue_collector(arguments.folder, arguments.name)
    return _client_made(arguments.folder, certificate.not_valid_after_utc)


def _renew(arguments: argparse.Namespace) -> str:
    from provisioning.authority import Authority

    renewed = Authority.load(arguments.ca).renew(arguments.folder)
    until = min(certificate.not_valid_after_utc for certificate in renewed)
    return f"{len(renewed)} renewed in {arguments.folder}, good until {until:%Y-%m-%d}; restart who uses them"


def _client_made(folder: Path, until: object) -> str:
    return f"client.crt and client.key made in {folder}, good until {until:%Y-%m-%d}"


def _make_centre_keys(arguments: argparse.Namespace) -> str:
    from provisioning.authority import make_centre_keys

    make_centre_keys(arguments.folder)
    return f"receipt and opening keys made in {arguments.folder}; kiosks need the two *.pub.json and nothing else"


def _make_kiosk_keys(arguments: argparse.Namespace) -> str:
    from provisioning.authority import make_kiosk_keys

    make_kiosk_keys(arguments.folder)
    return f"record key made in {arguments.folder}; the centre needs record.pub.json and nothing else"


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the command; man page and completions are made from it too."""
    parser = argparse.ArgumentParser(
        prog="landfall-provision",
        description="Set up authority, centre and kiosks, from the first key to the acceptance.",
    )
    add_version(parser)
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    verbs.add_parser("demo", help="show broker, centre and kiosk at work on this machine")

    ca = _group(verbs, "ca", "make certificates for broker, kiosks and collectors")
    verb = _verb(ca, "init", _init_authority, "make a new deployment's authority, and all keys of its centre")
    verb.add_argument("--name", default="Landfall authority", help="name in the certificate (default: %(default)s)")
    verb.add_argument(
        "--host", action="append", required=True, help="host name or IP address of the centre; repeat for each"
    )
    verb.add_argument("--passphrase-file", type=Path, metavar="FILE", help="whose first line guards the root key")

    verb = _verb(ca, "broker", _issue_broker, "make the broker's key and certificate")
    _add_authority(verb)
    verb.add_argument(
        "--host", action="append", required=True, help="host name or IP address of the broker; repeat for each"
    )

    verb = _verb(ca, "kiosk", _issue_kiosk, "make a kiosk's TLS key and certificate")
    _add_authority(verb)
    verb.add_argument("--site", required=True, help="name of the site: lower case letters, digits, dashes")
    verb.add_argument("--kiosk", required=True, help="name of the kiosk at that site, spelt the same way")

    verb = _verb(ca, "collector", _issue_collector, "make a collector's TLS key and certificate")
    _add_authority(verb)
    verb.add_argument("--name", required=True, help="name of the collector: lower case letters, digits, dashes")

    verb = _verb(ca, "renew", _renew, "renew the certificates of the centre in a folder: broker, enrolment, collector")
    _add_authority(verb)

    issuer_verbs.add_verbs(ca, _passphrase)

    centre = _group(verbs, "centre", "set up the centre, make and rotate its keys")
    _verb(centre, "keys", _make_centre_keys, "make the keys that sign receipts and open letters")
    centre_verbs.add_verbs(centre)

    kiosk = _group(verbs, "kiosk", "prepare a kiosk")
    _verb(kiosk, "keys", _make_kiosk_keys, "make the key that signs a kiosk's records")
    office.add_verbs(kiosk)
    on_kiosk.add_verbs(verbs)
    add_accept_verb(verbs)
    return parser


def _group(verbs: argparse._SubParsersAction, name: str, text: str) -> argparse._SubParsersAction:
    parser = verbs.add_parser(name, help=text, description=_sentence(text))
    return parser.add_subparsers(title="verbs", required=True, metavar="VERB")


def _verb(group: argparse._SubParsersAction, name: str, run: object, text: str) -> argparse.ArgumentParser:
    parser = group.add_parser(name, help=text, description=_sentence(text))
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the files go; made if missing")
    parser.set_defaults(run=run)
    return parser


def _add_authority(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--ca", type=Path, required=True, metavar="FOLDER", help="folder of the authority")


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


if __name__ == "__main__":
    sys.exit(main())
