"""`landfall-central broker-config`: write mosquitto's configuration and access list.

Owns its words. Always true: it opens no database and reads no settings of the centre.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from central.broker import CREDENTIALS, FOLDER, SESSIONS, BrokerLimits, mosquitto_configuration, write_broker_folder
from edge.errors import SettingError

_FOLDER_HELP = "an existing folder for mosquitto.conf and access.acl (default: %(default)s)"
_BROKER_TEXT = """Write mosquitto's configuration and access list: TLS 1.2 or newer, a client certificate on every
connection, and for each kiosk its own branch and nothing else. `systemctl reload landfall-broker` takes over a changed
access list or revocation list, a restart everything."""


def add_verbs(verbs: Any) -> None:
    """Add `broker-config` to the verbs of `landfall-central`."""
    broker = verbs.add_parser(
        "broker-config", help="write mosquitto's configuration and access list", description=_BROKER_TEXT
    )
    broker.add_argument("folder", type=Path, metavar="FOLDER", nargs="?", default=FOLDER, help=_FOLDER_HELP)
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
        default=CREDENTIALS,
        metavar="FOLDER",
        help="where broker.crt, broker.key and ca.crt are when the broker runs (default: %(default)s)",
    )
    broker.add_argument("--revoked", type=Path, metavar="FILE", help="certificate revocation list, PEM")
    broker.add_argument(
        "--sessions",
        type=Path,
        default=SESSIONS,
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
