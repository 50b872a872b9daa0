"""What the office does for a new kiosk: a one-time code, a signed bundle, a label and a sheet.

Owns which files are written. Runs at the centre, where the codes are kept and bundles are signed. Always true: settings
that the kiosk would refuse get into no bundle; the bundle is its owner's alone (mode 0600); a file that is there is not
written over.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from central import config as central_config
from central.enrolment.cli import open_desk
from central.enrolment.desk import Desk
from edge.documents.trust import TrustList
from edge.errors import ContractError, ProvisioningError
from edge.identity import certificates
from edge.identity.key_files import make_folder, refuse_existing, write_private, write_public
from provisioning import bundle, first_boot, label
from provisioning.first_settings import UTC, PostFile, first_settings


@dataclass(frozen=True, slots=True)
class Office:
    """The centre's side: who makes codes and signs, and what kiosks are told."""

    desk: Desk
    address: str
    broker_host: str
    broker_port: int
    code_valid: timedelta

    @classmethod
    def open(cls, settings_file: Path) -> Office:
        """Load the centre's settings, keys and database; raise `SettingError` for what is missing."""
        settings = central_config.load(settings_file)
        own = settings.for_enrolling()
        host, port = own.broker_host, own.broker_port
        if not host:
            broker, _ = settings.for_collecting()
            host, port = broker.host, broker.port
        return cls(open_desk(settings), own.address, host, port, timedelta(hours=own.code_valid_h))


@dataclass(frozen=True, slots=True)
class NewKiosk:
    """What was written for one kiosk."""

    kiosk: str
    folder: Path
    bundle: Path
    pin: str
    address: str
    code_until: datetime
    time_zone: str


def new_kiosk(
    office: Office,
    kiosk: str,
    folder: Path,
    *,
    post: PostFile | None = None,
    network: Mapping[str, bytes] = {},
    trust_list: bytes | None = None,
    replaces: bool = False,
    time_zone: str = UTC,
) -> NewKiosk:
    """Write bundle, label, sheet and first-boot files of a kiosk into `folder`, which is made.

    `post` has its lanes and whatever else differs from the defaults, of which `time_zone` is one. Raises
    `SettingError` when the kiosk would refuse its settings, `LandfallError` when a kiosk of that name is at work and
    this one does not replace it, `ProvisioningError` when the folder holds a bundle of it.
    """
    site, _, name = kiosk.partition("/")
    stem = f"{site}_{name}"
    broker = (office.broker_host, office.broker_port)
    text = first_settings(kiosk, broker, bundle.TRUST_LIST if trust_list is not None else "", post, time_zone=time_zone)
    zone = tomllib.loads(text)["clock"]["time_zone"]
    make_folder(folder)
    names = ("user-data", "meta-data", "firstrun.sh", "label.svg", "sheet.txt")
    refuse_existing(folder, f"{stem}{bundle.SUFFIX}", *(f"{stem}/{each}" for each in names))
    trust = office.desk.issuer.trust
    members = {bundle.SETTINGS: text.encode(), bundle.ROOT: trust.pem()}
    members |= {f"{bundle.NETWORK}{each}": content for each, content in network.items()}
    if trust_list is not None:
        members[bundle.TRUST_LIST] = _checked(trust_list)
    code, until = office.desk.invite(kiosk, office.code_valid, replaces=replaces)
    members[bundle.ENROLMENT] = msgspec.json.encode(bundle.Enrolment(kiosk, office.address, code))
    made_at, pin = office.desk.now(), certificates.pin(trust.root)
    content = bundle.write_bundle(kiosk, members, office.desk.signer, made_at)
    path = folder / f"{stem}{bundle.SUFFIX}"
    write_private(path, content)
    make_folder(folder / stem)
    for each, secret in (
        first_boot.cloud_init(kiosk, pin, content) | first_boot.first_run(kiosk, pin, content)
    ).items():
        write_private(folder / stem / each, secret)
    write_public(folder / stem / "label.svg", label.label_svg(kiosk, pin, office.address))
    sheet = label.sheet(kiosk, pin, office.address, zone, made_at, until)
    write_public(folder / stem / "sheet.txt", sheet.encode())
    return NewKiosk(kiosk, folder / stem, path, pin, office.address, until, zone)


def _checked(trust_list: bytes) -> bytes:
    try:
        TrustList.from_bytes(trust_list)
    except ContractError as error:
        raise ProvisioningError(f"the trust list is no {error.message}") from None
    return trust_list
