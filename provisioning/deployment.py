"""A new deployment: everything that its centre needs before the first kiosk can be let in, in one folder.

Owns which folders there are, each named after the machine or the safe that it goes to. Always true: it is made once,
and never over another.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.identity.certificates import pin, utc_now
from edge.identity.key_files import write_public
from provisioning.authority import Authority, make_centre_keys


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was made."""

    folder: Path
    authority: Authority

    def told(self) -> str:
        """Return what the operator has to know now, 80 columns wide."""
        return f"""\
{self.folder}: deployment made
  offline/      the root key: take offline/ to a safe, with its passphrase
                elsewhere; nothing here needs it, only a new issuing authority
  authority/    issues certificates, signs bundles: to the centre
  centre/       signs receipts and opens letters: to the collectors
  broker/       certificate and revocation list: to the broker
  enrolment/    certificates of the place where kiosks enrol: to the centre
  collector-1/  certificate of the first collector
pin of the authority, on every label: {pin(self.authority.root)}
issuing until {self.authority.certificate.not_valid_after_utc:%Y-%m-%d}"""


def found(folder: Path, name: str, passphrase: str, hosts: list[str]) -> Deployment:
    """Make a deployment's keys and certificates; `hosts` are the names and addresses of broker and enrolment.

    Raises `ProvisioningError` when there is one in the folder, or a name or the passphrase is not right.
    """
    authority = Authority.create(folder / "authority", name=name, offline=folder / "offline", passphrase=passphrase)
    authority.issue_broker(folder / "broker", hosts)
    write_public(folder / "broker" / "revoked.pem", authority.issuer.revocation_list((), int(utc_now().timestamp())))
    authority.issue_enrolment(folder / "enrolment", hosts)
    authority.issue_collector(folder / "enrolment", "enrolment")
    authority.issue_collector(folder / "collector-1", "collector-1")
    make_centre_keys(folder / "centre")
    return Deployment(folder, authority)
