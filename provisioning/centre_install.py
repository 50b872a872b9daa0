"""What `landfall-provision centre install` does: a deployment that `ca init` made becomes a centre at work, here.

Owns where each file goes, the settings that a centre on one machine begins with, and which units are started. Always
true: a key that is there is never written over, and neither are settings and the revocation list; certificates are
replaced by those of the same authority alone; so the same command may be typed again, after a power cut or a renewal.
"""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from central import broker, config
from central.command_line import open_database
from central.config import Settings
from edge.errors import ProvisioningError
from edge.identity.certificates import hosts_of, load_chain
from edge.identity.key_files import make_folder, replace
from edge.identity.trust import Trust
from provisioning.install import Say, run_command, told_change

COLLECTOR, ENROLMENT = "collector-1", "enrolment"  # who has a certificate `centre/<name>`
REVOKED = "revoked.pem"
# Folders of the deployment, and where their files go below /etc/landfall.
PLACES = {"authority": "authority", "enrolment": "enrolment", "centre": "keys", COLLECTOR: "keys", "broker": "broker"}
UNITS = ("landfall-broker.service", "landfall-collector.service", "landfall-enrolment.service", "landfall-crl.timer")
SQLITE = "sqlite:////var/lib/landfall-collector/central.db"
POSTGRESQL = "postgresql:///landfall?host=/run/postgresql"  # no user: each program comes as the one that it runs as
_CREDENTIALS = "/run/credentials/landfall-collector.service"
_SETTINGS = """\
# Written by `landfall-provision centre install`, and yours from now on: it is not written again.

[database]
url = "{database_url}"

[broker]
host = "{host}"
ca = "$CREDENTIALS_DIRECTORY/ca.crt"
certificate = "{credentials}/client.crt"
key = "{credentials}/client.key"

[keys]
receipt_key = "{credentials}/receipt.key.json"
opening_keys = ["{credentials}/opening.key.json"]

[enrolment]
address = "https://{address}:8443"
certificate = "enrolment/enrolment.crt"
key = "enrolment/enrolment.key"
client_certificate = "enrolment/client.crt"
client_key = "enrolment/client.key"
authority = "authority"
revocation_list = "/var/lib/landfall-revocation/revoked.pem"
opening_key = "keys/opening.pub.json"
receipt_keys = ["keys/receipt.pub.json"]
"""


@dataclass(frozen=True, slots=True)
class CentreInstallation:
    """A deployment's folder, the root of the machine that becomes its centre, and the database that it begins with."""

    deployment: Path
    root: Path = Path("/")
    database_url: str = SQLITE

    @property
    def _etc(self) -> Path:
        return self.root / "etc/landfall"

    @property
    def _revocation(self) -> Path:
        return self.root / "var/lib/landfall-revocation"

    def check(self) -> None:
        """Raise `ProvisioningError` when this is no deployment, or not that of this machine."""
        for folder in PLACES:
            if not (self.deployment / folder).is_dir():
                raise ProvisioningError(
                    f"{self.deployment}: there is no {folder}/", remedy="name the folder that `ca init` made"
                )
        ours, here = self.deployment / "authority" / "ca.crt", self._etc / "authority" / "ca.crt"
        if here.exists() and Trust.load(here.read_bytes()).root != Trust.load(ours.read_bytes()).root:
            raise ProvisioningError(
                "this machine is the centre of another deployment", remedy="take another machine, or that deployment"
            )
        settings = config.parse(self._settings_text(), self._settings_file)
        if self.database_url == POSTGRESQL and not settings.database.url.startswith("postgresql"):
            raise ProvisioningError(
                f"{self._settings_file} names another database, and what it holds cannot be moved",
                remedy="leave --postgresql out",
            )
        self._check_database(settings)

    def run(self, say: Say) -> None:
        """Put everything into its place, and start it where systemd runs; raise `ProvisioningError` if it cannot."""
        self.check()
        is_new = [self._put(source, target) for source, target in self._files()]
        say(f"keys and certificates    {told_change(any(is_new))}")
        for kept in self._kept():
            say(f"    left as it is: {kept}, which differs; see `landfall-provision centre rotate`")
        say(f"revocation list          {told_change(self._put_revocation_list())}")
        say(f"central.toml             {told_change(self._put_settings())}")
        self._configure_broker()
        say("broker's configuration   done")
        if self.root == Path("/") and shutil.which("systemctl"):
            say("broker, collector, enrolment and revocation list start ...")
            run_command("systemctl", "enable", *UNITS)
            run_command("systemctl", "restart", *UNITS)
            say("                         done")
        say(f"Kiosks enrol at {self._address()}. The first one:")
        say("    sudo landfall-provision kiosk new --site SITE --kiosk NAME")

    def _files(self) -> Iterator[tuple[Path, Path]]:
        """Yield each file with its place, but for the revocation list."""
        for folder, place in PLACES.items():
            for source in sorted((self.deployment / folder).iterdir()):
                if source.name != REVOKED:
                    yield source, self._etc / place / source.name

    def _put(self, source: Path, target: Path) -> bool:
        content, mode = source.read_bytes(), source.stat().st_mode & 0o777
        if target.name == "ca.crt" and target.exists():
            content = Trust.load(target.read_bytes()).with_list(Trust.load(content).list_pem()).pem()
        if target.exists() and (target.suffix != ".crt" or target.read_bytes() == content):
            return False
        make_folder(target.parent)
        replace(target, content, mode)
        return True

    def _kept(self) -> list[Path]:
        """Return the keys that are others than the deployment's: they were rotated, here or there."""
        keys = ((source, target) for source, target in self._files() if target.suffix != ".crt")
        return [target for source, target in keys if target.read_bytes() != source.read_bytes()]

    def _put_revocation_list(self) -> bool:
        """Begin with the empty list; one that is there knows more."""
        target = self._revocation / REVOKED
        return self._put(self.deployment / "broker" / REVOKED, target)

    @property
    def _settings_file(self) -> Path:
        return self._etc / "central.toml"

    def _settings_text(self) -> str:
        """Return the settings that are there, or those to begin with."""
        if self._settings_file.exists():
            return self._settings_file.read_text(encoding="utf-8")
        host = self._host()
        return _SETTINGS.format(
            database_url=self.database_url, host=host, address=_in_address(host), credentials=_CREDENTIALS
        )

    def _check_database(self, settings: Settings) -> None:
        """Raise `LandfallError` when PostgreSQL lets nobody in here: without role or database nothing would start."""
        if self.root == Path("/") and settings.database.url.startswith("postgresql"):
            open_database(settings).dispose()

    def _put_settings(self) -> bool:
        if self._settings_file.exists():
            return False
        replace(self._settings_file, self._settings_text().encode())
        return True

    def _configure_broker(self) -> None:
        text = broker.mosquitto_configuration(
            port=8883,
            certificates=broker.CREDENTIALS,
            access_file=broker.FOLDER / "access.acl",
            persistence=broker.SESSIONS,
            revoked=Path("/var/lib/landfall-revocation") / REVOKED,
        )
        broker.write_broker_folder(self.root / broker.FOLDER.relative_to("/"), [COLLECTOR, ENROLMENT], text)

    def _address(self) -> str:
        return config.load(self._etc / "central.toml").for_enrolling().address

    def _host(self) -> str:
        """Return the first name for which `ca init` made the enrolment server's certificate."""
        path = self.deployment / "enrolment" / "enrolment.crt"
        return hosts_of(load_chain(path.read_bytes())[0])[0]


def _in_address(host: str) -> str:
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host
