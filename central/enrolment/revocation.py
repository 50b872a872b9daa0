"""Taking a kiosk's word away: its certificates at the broker, its record keys at the collectors.

Owns the file with the revocation list that the broker reads. Always true: the file is replaced whole, since mosquitto
that finds a damaged one lets everybody in; it exists from the first day, since mosquitto does not start without; and it
is written anew long before it is overdue, since an overdue one shuts everybody out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from sqlalchemy import Engine

from central import database, registry
from central.enrolment import register
from edge.errors import LandfallError
from edge.identity.certificates import Issuer
from edge.identity.key_files import replace


def revoke_kiosk(engine: Engine, kiosk: str, now: datetime, reason: x509.ReasonFlags) -> tuple[int, int]:
    """Revoke all that a kiosk has, in one transaction; return how many certificates and how many record keys.

    Raises `LandfallError` when there is nothing of it that counts. An open invitation is withdrawn too.
    """
    with database.writing(engine) as connection:
        serials = [one.serial for one in register.valid_certificates(connection, kiosk, now)]
        certificates = register.revoke(connection, serials, reason, now)
        keys = registry.revoke_keys(connection, kiosk, now)
        withdrawn = register.withdraw(connection, kiosk, now)
    if not certificates and not keys and not withdrawn:
        raise LandfallError(f"{kiosk} has nothing that counts", remedy="see `landfall-central certificate list`")
    return certificates, keys


def revoke_serial(engine: Engine, serial: str, now: datetime, reason: x509.ReasonFlags) -> None:
    """Revoke one certificate; raise `LandfallError` when there is none of that number that counts."""
    with database.writing(engine) as connection:
        if not register.revoke(connection, [serial.upper().replace(":", "").lstrip("0")], reason, now):
            raise LandfallError(
                f"no certificate that counts has the serial number {serial}",
                remedy="see `landfall-central certificate list`",
            )


def write_revocation_list(engine: Engine, issuers: Sequence[Issuer], path: Path, now: datetime) -> int:
    """Write the list that the broker reads, and return how many certificates are on it.

    Each authority signs one of its own, since mosquitto refuses whoever shows a certificate of one without a list. All
    name the same serial numbers: these are random, and nobody is hurt by one that another issued.
    """
    with database.reading(engine) as connection:
        revoked = register.revoked(connection, now)
    replace(path, b"".join(issuer.revocation_list(revoked, number=int(now.timestamp())) for issuer in issuers))
    return len(revoked)
