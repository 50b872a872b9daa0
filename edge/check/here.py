"""What can be found out at the kiosk itself: store, room, clock, keys, certificates.

Owns these checks. Always true: the store is opened for reading alone, and no private key is shown or copied.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from edge.cache import CacheReader
from edge.check.line import Line, failed, ok, warn
from edge.credentials import load_certificate
from edge.disk import MB, DiskBudget, free_bytes
from edge.errors import SealError, StoreError
from edge.events import Moment, Room
from edge.seal import load_private_key, load_public_key, load_public_keys
from edge.settings import Settings

SOON = timedelta(days=30)


def check_store(settings: Settings) -> Iterator[Line]:
    """Look at the store and at the room on its disk."""
    path = settings.resolve(settings.store.path)
    if not path.exists():
        folder = path.parent
        if folder.is_dir():
            yield warn("store", f"{path} is not there yet", "start the kiosk once: systemctl start landfall-kiosk")
        else:
            yield failed("store", f"{folder} is no folder", "make it, or check store.path in kiosk.toml")
            return
    else:
        try:
            with CacheReader.open(path) as reader:
                heads = reader.heads()
            waiting = sum(head.next_sequence - 1 - head.held_up_to for head in heads.values())
            yield ok("store", f"{len(heads)} streams, {waiting} records await their receipt")
        except StoreError as error:
            remedy = error.remedy or "look at it as root, or as the user of the daemon"
            yield failed("store", error.message, remedy)
        damaged = len(list(path.parent.glob(f"{path.name}.damaged-[0-9]*")))
        if damaged:
            yield warn("store", f"{damaged} damaged stores were put aside", "send them to the centre, then remove them")
    yield _room(settings, path.parent)


def _room(settings: Settings, folder: Path) -> Line:
    try:
        free = free_bytes(folder)
    except StoreError as error:
        return failed("room", error.message, error.remedy)
    budget = DiskBudget(settings.store.photos_stop_below_mb * MB, settings.store.reserve_mb * MB)
    shown = f"{free // MB} MB free"
    match budget.room(free, Room.PLENTY):
        case Room.NONE:
            return failed("room", f"{shown}: lanes are closed", "free space, or let the kiosk reach the centre")
        case Room.SHORT:
            return warn("room", f"{shown}: photos are left out", "free space, or let the kiosk reach the centre")
    return ok("room", shown)


def check_clock(now: Moment) -> Iterator[Line]:
    """Look at the clock."""
    clock = now.clock
    match clock.state:
        case "synchronised":
            yield ok("clock", f"synchronised, {now.text}")
        case "holdover":
            yield warn("clock", f"not synchronised, {now.text}", "check the time servers: timedatectl timesync-status")
        case _:
            remedy = "set a time server, or fit a battery-backed clock and set clock.rtc"
            yield failed("clock", f"nobody vouches for {now.text}", remedy)


def check_keys(settings: Settings) -> Iterator[Line]:
    """Look whether each key is there, of the right kind, and its own owner's alone."""
    keys = settings.keys
    yield from _keys("key record", settings.resolve(keys.record), lambda path: [load_private_key(path)], "Ed25519")
    yield from _keys("key opening", settings.resolve(keys.opening), lambda path: [load_public_key(path)], "X25519")
    for path in keys.receipt:
        yield from _keys("key receipt", settings.resolve(path), load_public_keys, "Ed25519")


def _keys(what: str, path: Path, load: Callable[[Path], list[Any]], curve: str) -> Iterator[Line]:
    try:
        for key in load(path):
            if key.curve_name != curve:
                yield failed(what, f"{path}: is an {key.curve_name} key", f"name an {curve} key in kiosk.toml")
            else:
                yield ok(what, f"{key.thumbprint()[:16]}...")
    except SealError as error:
        yield failed(what, error.message, error.remedy or "provision the kiosk's keys again")


def check_certificates(settings: Settings, kiosk: str, now: datetime) -> Iterator[Line]:
    """Look whether the kiosk's certificate is its own, signed by its authority, in date, and fits its key."""
    uplink = settings.uplink
    try:
        own = load_certificate(settings.resolve(uplink.certificate))
        authorities = x509.load_pem_x509_certificates(settings.resolve(uplink.ca).read_bytes())
        chain = x509.load_pem_x509_certificates(settings.resolve(uplink.certificate).read_bytes())
    except SealError as error:
        yield failed("certificate", error.message, "enrol the kiosk again")
        return
    except (OSError, ValueError):
        yield failed("certificate", f"{uplink.ca}: is not a readable certificate", "put the authority's ca.crt there")
        return
    if own.name != kiosk:
        yield failed("certificate", f"is of {own.name!r}, not of {kiosk}", "enrol it by the name in kiosk.toml")
    elif not _leads_to(chain, authorities):
        yield failed("certificate", f"is not signed by the authority in {uplink.ca}", "take both from one authority")
    else:
        yield _in_date("certificate", own.found, now)
    for authority in authorities:
        yield _in_date("authority", authority, now)
    yield _tls_key(settings)


def _leads_to(chain: list[x509.Certificate], authorities: list[x509.Certificate]) -> bool:
    """Tell whether each certificate is signed by the next, and the last by one of the authorities."""
    return all(_is_signed(one, [other]) for one, other in pairwise(chain)) and _is_signed(chain[-1], authorities)


def _is_signed(certificate: x509.Certificate, by: list[x509.Certificate]) -> bool:
    for issuer in by:
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _in_date(what: str, certificate: x509.Certificate, now: datetime) -> Line:
    until = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    if now > certificate.not_valid_after_utc:
        return failed(what, f"expired on {until}", "renew it; or is the clock wrong?")
    if now < certificate.not_valid_before_utc:
        began = f"{certificate.not_valid_before_utc:%Y-%m-%d}"
        return failed(what, f"is valid from {began} only", "check the clock: timedatectl")
    if certificate.not_valid_after_utc - now < SOON:
        return warn(what, f"expires on {until}", "renew it")
    return ok(what, f"good until {until}")


def _tls_key(settings: Settings) -> Line:
    """Look whether the private key is the certificate's, and nobody else may read it."""
    path = settings.resolve(settings.uplink.key)
    try:
        mode = path.stat().st_mode
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(settings.resolve(settings.uplink.certificate), path)
    except ssl.SSLError:
        return failed("key TLS", f"{path}: does not fit the certificate", "enrol the kiosk again")
    except OSError as error:
        return failed("key TLS", f"{path}: cannot be read ({error.strerror})", "run this as root")
    if mode & 0o007 or (mode & 0o070 and "/credentials/" not in str(path)):
        return failed("key TLS", f"{path}: others may read it", f"chmod 0600 {path}")
    return ok("key TLS", "fits the certificate")
