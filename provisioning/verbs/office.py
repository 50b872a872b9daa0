"""What the office types: `landfall-provision kiosk new`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.errors import ProvisioningError

CENTRAL_CONFIG = Path("/etc/landfall/central.toml")


def add_verbs(kiosk: argparse._SubParsersAction) -> None:
    """Add `new` to the verbs of `kiosk`."""
    text = "Write a signed bundle, a label and a sheet for a new kiosk. Runs at the centre."
    new = kiosk.add_parser("new", help="write the bundle of a new kiosk", description=text)
    new.add_argument("--site", required=True, help="name of the border post: lower case letters, digits, dashes")
    new.add_argument("--kiosk", required=True, help="name of the kiosk at that post, spelt the same way")
    new.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where the files go (default: here)")
    new.add_argument("--config", type=Path, default=CENTRAL_CONFIG, help="the centre's settings (default: %(default)s)")
    new.add_argument(
        "--settings",
        "--lanes",
        type=Path,
        metavar="FILE",
        help="TOML of its [[lanes]] and of whatever else the post has otherwise, such as [uplink] port",
    )
    new.add_argument(
        "--time-zone", metavar="ZONE", help="the post's, such as America/Dominica (default: that of this machine)"
    )
    new.add_argument("--trust-list", type=Path, metavar="FILE", help="signers whose seals the post believes")
    new.add_argument("--replace", action="store_true", help="it takes the place of a kiosk of that name")
    new.add_argument("--wifi", metavar="NAME", help="the post's Wi-Fi")
    new.add_argument(
        "--wifi-password-file",
        type=Path,
        metavar="FILE",
        help="whose first line is its password (default: it has none)",
    )
    new.add_argument("--lte-apn", metavar="APN", help="the SIM's access point")
    new.add_argument("--lte-user", default="", metavar="NAME", help="user there, where it wants one")
    new.add_argument("--lte-password-file", type=Path, metavar="FILE", help="whose first line is that user's password")
    new.add_argument("--lte-pin-file", type=Path, metavar="FILE", help="whose first line is the SIM's own PIN")
    new.add_argument("--address", metavar="ADDRESS/LENGTH", help="fixed address of the cable; DHCP without it")
    new.add_argument("--gateway", metavar="ADDRESS", help="the router there")
    new.add_argument("--dns", action="append", default=[], metavar="ADDRESS", help="name server; repeat for each")
    new.set_defaults(run=_new)


def _new(arguments: argparse.Namespace) -> str:
    from edge.identity.certificates import check_kiosk_name
    from provisioning.first_settings import PostFile, zone_here
    from provisioning.kiosk_new import Office, new_kiosk
    from provisioning.label import label_terminal

    kiosk = check_kiosk_name(arguments.site, arguments.kiosk)
    made = new_kiosk(
        Office.open(arguments.config),
        kiosk,
        arguments.out,
        post=PostFile(text_of(arguments.settings), str(arguments.settings)) if arguments.settings else None,
        network=_network(arguments),
        trust_list=arguments.trust_list.read_bytes() if arguments.trust_list else None,
        replaces=arguments.replace,
        time_zone=arguments.time_zone or zone_here(),
    )
    return f"""\
{_drawable(label_terminal(kiosk, made.pin, made.address))}
{kiosk}   pin {made.pin}
enrols at {made.address}, once, until {made.code_until:%Y-%m-%d %H:%M} UTC
documents expire by the date in the time zone {made.time_zone}

  {made.bundle}
      to a stick; it lets one machine in, and holds the Wi-Fi's password
  {made.folder}/label.svg, sheet.txt
      to print; they travel apart from the stick
  {made.folder}/user-data, meta-data, firstrun.sh
      instead of the stick, with the package: to the boot partition, for a first
      boot with no keyboard; they are as secret as the bundle"""


def _drawable(code: str) -> str:
    """Return a QR code, or nothing where the terminal has no blocks to draw it with; it is in label.svg too."""
    try:
        code.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return ""
    return code


def first_line(file: Path) -> str:
    """Return the first line of a file, where secrets are kept; raise `ProvisioningError` when it is not UTF-8."""
    return text_of(file).partition("\n")[0].rstrip("\r")


def _secret(file: Path | None) -> str:
    return first_line(file) if file else ""


def text_of(file: Path) -> str:
    """Return the text of a file; raise `ProvisioningError` when it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ProvisioningError(f"{file}: is not text in UTF-8", remedy="save it as UTF-8") from None


def _network(arguments: argparse.Namespace) -> dict[str, bytes]:
    from provisioning import network

    found = []
    if arguments.wifi:
        found.append(network.wifi(arguments.wifi, _secret(arguments.wifi_password_file)))
    if arguments.lte_apn:
        password, pin = _secret(arguments.lte_password_file), _secret(arguments.lte_pin_file)
        found.append(network.lte(arguments.lte_apn, arguments.lte_user, password, pin))
    if arguments.address:
        if not arguments.gateway or not arguments.dns:
            raise ProvisioningError("a fixed address needs a router and a name server", remedy="--gateway and --dns")
        found.append(network.fixed(arguments.address, arguments.gateway, arguments.dns))
    return dict(found)
