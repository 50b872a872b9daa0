"""What the office types when the issuing authority changes: `landfall-provision ca issuer` and `ca retire`.

Always true: the root's key is read, and its passphrase asked for, to make an authority and to revoke one, and for
nothing else; what a kiosk still shows is not made worthless unless somebody says that it is compromised.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ProvisioningError
from provisioning.verbs.office import CENTRAL_CONFIG

if TYPE_CHECKING:
    from provisioning.authority import Authority

_SHOWN = 20
_MADE = """\
{folder}: issuing authority number {number}, good until {until:%Y-%m-%d}
Take offline/ back to its safe. Now, in this order:
  1. these files to /etc/landfall/authority, in the place of those there
  2. systemctl start landfall-crl          the broker knows both authorities
  3. systemctl restart landfall-enrolment  kiosks renew within a night, or now:
     landfall-central command renew --everywhere
  4. landfall-provision ca renew --ca {folder} FOLDER
     for broker/, enrolment/ and each collector; restart who uses them
  5. when every kiosk has renewed: landfall-provision ca retire {folder}"""
_RETIRED = """\
{folder}: earlier authorities that are gone from it: {count}. Now:
  1. issuing.key and issuing.crt to /etc/landfall/authority
  2. systemctl start landfall-crl, systemctl restart landfall-broker
     Whoever shows a certificate of theirs is refused from then on."""
_REVOKED = """\
{folder}: earlier authorities that the root has revoked: {count}.
Take offline/ back to its safe. Now, in this order:
  1. landfall-provision ca renew --ca {folder} FOLDER
     for broker/, enrolment/ and each collector, unless you did since `ca
     issuer`: kiosks soon refuse whoever shows an old certificate
  2. all of {folder} to /etc/landfall/authority, and
     ca.crt to where each of the centre's has its own; restart who uses them
  3. systemctl restart landfall-enrolment, then at once
     landfall-central command renew --everywhere: kiosks ask, and get the list
  4. systemctl start landfall-crl, systemctl restart landfall-broker
  5. to a post that cannot ask, ca.crt by stick:
     sudo landfall-provision enrol trust FILE"""


def add_verbs(ca: argparse._SubParsersAction, passphrase: Callable[[Path | None], str]) -> None:
    """Add `issuer` and `retire` to the verbs of `ca`; `passphrase` reads one."""
    text = "Make a new issuing authority from the offline root; the one before goes on being believed."
    issuer = ca.add_parser("issuer", help="make a new issuing authority from the offline root", description=text)
    issuer.add_argument("folder", type=Path, metavar="FOLDER", help="where the new authority goes; made if missing")
    issuer.add_argument("--ca", type=Path, required=True, metavar="FOLDER", help="folder of the present authority")
    issuer.add_argument("--offline", type=Path, required=True, metavar="FOLDER", help="where root.key is")
    issuer.add_argument("--passphrase-file", type=Path, metavar="FILE", help="whose first line opens the root key")
    issuer.set_defaults(run=lambda arguments: _issuer(arguments, passphrase))
    text = "Stop vouching for what the issuing authorities before this one issued, once no kiosk shows it any more."
    retire = ca.add_parser("retire", help="take the issuing authorities before this one out of use", description=text)
    retire.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the present authority")
    retire.add_argument(
        "--config", type=Path, default=CENTRAL_CONFIG, help="the centre's settings (default: %(default)s)"
    )
    text = "somebody else has their key: at once, and the root revokes them, so that no kiosk believes them either"
    retire.add_argument("--compromised", action="store_true", help=text)
    retire.add_argument("--offline", type=Path, metavar="FOLDER", help="with --compromised: where root.key is")
    retire.add_argument("--passphrase-file", type=Path, metavar="FILE", help="whose first line opens the root key")
    retire.set_defaults(run=lambda arguments: _retire(arguments, passphrase))


def _issuer(arguments: argparse.Namespace, passphrase: Callable[[Path | None], str]) -> str:
    from provisioning.authority import Authority

    words = passphrase(arguments.passphrase_file)
    made = Authority.succeed(arguments.folder, arguments.ca, arguments.offline, words)
    until = made.certificate.not_valid_after_utc
    return _MADE.format(folder=arguments.folder, number=made.issuer.number, until=until)


def _retire(arguments: argparse.Namespace, passphrase: Callable[[Path | None], str]) -> str | int:
    from provisioning.authority import Authority

    authority = Authority.load(arguments.folder)
    if arguments.compromised:
        if arguments.offline is None:
            raise ProvisioningError("only the root can revoke them", remedy="fetch it, and say --offline FOLDER")
        count = authority.revoke_predecessors(arguments.offline, passphrase(arguments.passphrase_file))
        return _REVOKED.format(folder=arguments.folder, count=count)
    if names := _below_others(authority, arguments.config):
        print(f"Not yet: {len(names)} kiosks show a certificate of an earlier authority:")
        print("\n".join(f"  {name}" for name in names[:_SHOWN]))
        print("They renew by themselves, each night, as soon as they reach the centre.")
        return 1
    count = authority.forget_predecessors()
    return _RETIRED.format(folder=arguments.folder, count=count)


def _below_others(authority: Authority, settings_file: Path) -> list[str]:
    """Return who has a certificate that counts, and none of the authority that issues now."""
    from central import config
    from central.command_line import open_database
    from central.enrolment.register import names_below_others
    from edge.identity.certificates import utc_now

    engine = open_database(config.load(settings_file))
    try:
        return names_below_others(engine, authority.certificate, utc_now())
    finally:
        engine.dispose()
