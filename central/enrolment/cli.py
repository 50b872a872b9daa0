"""`landfall-central enrol` and `landfall-central certificate`: parse the words, call one function, print.

Always true: a one-time code is printed once, where it is made, and nowhere else.
"""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

import msgspec
from cryptography import x509

from central import config, database
from central.clock import utc_now
from central.command_line import database_named, kiosk_options, open_database, print_json
from central.enrolment import register, revocation
from central.enrolment.desk import Desk
from edge.errors import ContractError, LandfallError, ProvisioningError, SealError, SettingError
from edge.identity import enrolment
from edge.identity.certificates import check_kiosk_name, fingerprint, load_chain
from edge.identity.issuing import load_documents, load_issuer, load_issuers
from edge.identity.key_files import replace
from edge.seal import load_public_keys

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from central.enrolment.by_broker import BrokerDesk, Paces
    from edge.identity.trust import Trust

REASONS = {
    "stolen": x509.ReasonFlags.key_compromise,
    "replaced": x509.ReasonFlags.superseded,
    "closed": x509.ReasonFlags.cessation_of_operation,
}
_AFTER_REVOKING = "Now end its connection: systemctl restart landfall-broker (kiosks come back by themselves)."


def add_verbs(verbs: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add `enrol` and `certificate`; `common` holds what every verb has alike."""
    enrol = verbs.add_parser("enrol", help="let kiosks in").add_subparsers(required=True, metavar="VERB")
    serve = enrol.add_parser("serve", parents=[common], help="let kiosks in and renew until SIGTERM")
    _add_keys(serve)
    serve.set_defaults(call=_serve)
    code = enrol.add_parser("code", parents=[common, kiosk_options()], help="make a one-time code for a kiosk")
    code.add_argument("--valid-h", type=float, metavar="H", help="hours that it is good for (default: as in settings)")
    code.add_argument("--replace", action="store_true", help="the kiosk takes the place of one of that name")
    code.set_defaults(call=_code)
    sign = enrol.add_parser("sign", parents=[common], help="answer a request that came on a stick")
    sign.add_argument("file", type=Path, metavar="FILE", help="what `landfall-provision enrol request` wrote")
    sign.add_argument("--out", type=Path, metavar="FOLDER", help="where the answer goes (default: beside it)")
    sign.add_argument("--fingerprint", metavar="TEXT", help="what the kiosk shows; asked for when it is left out")
    sign.set_defaults(call=_sign)

    certificate = verbs.add_parser("certificate", help="what was issued, and taking it back")
    certificate = certificate.add_subparsers(required=True, metavar="VERB")
    listing = certificate.add_parser("list", parents=[common], help="list certificates")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(call=_list)
    revoke = certificate.add_parser("revoke", parents=[common], help="shut a kiosk out, for good")
    revoke.add_argument("--site", help="name of the border post")
    revoke.add_argument("--kiosk", help="name of the kiosk: its certificates, record keys and code")
    revoke.add_argument("--serial", help="or one certificate alone, by its serial number")
    revoke.add_argument("--reason", choices=REASONS, default="stolen", help="why (default: %(default)s)")
    revoke.set_defaults(call=_revoke)
    crl = certificate.add_parser("crl", parents=[common], help="write the revocation list anew; do it every day")
    _add_keys(crl)
    crl.set_defaults(call=_crl)


def _add_keys(verb: argparse.ArgumentParser) -> None:
    text = "where issuing.*, signing.*, enrolment.*, ca.crt and *.pub.json are, as systemd hands them over"
    verb.add_argument("--keys", type=Path, metavar="FOLDER", help=text)


def _settings(arguments: argparse.Namespace) -> config.Settings:
    """Return the centre's settings, with the keys from where `--keys` says."""
    settings = config.load(arguments.config)
    if (keys := arguments.keys) is None:
        return settings

    def handed_over(path: Path) -> Path:
        return keys / path.name if (keys / path.name).exists() else path

    own = settings.for_enrolling()
    paths = {"authority": keys, "certificate": keys / "enrolment.crt", "key": keys / "enrolment.key"}
    if own.client_certificate is not None:
        paths |= {"client_certificate": keys / "client.crt", "client_key": keys / "client.key"}
    public = {"opening_key": handed_over(own.opening_key), "receipt_keys": tuple(map(handed_over, own.receipt_keys))}
    return msgspec.structs.replace(settings, enrolment=msgspec.structs.replace(own, **paths, **public))


def open_desk(settings: config.Settings) -> Desk:
    """Return the desk of these settings; raise `SettingError` or `ProvisioningError` for what is missing."""
    own = settings.for_enrolling()
    try:
        receipts = tuple(key for path in own.receipt_keys for key in public_jwks(path, "Ed25519"))
        opening = public_jwks(own.opening_key, "X25519")[-1]
    except SealError as error:
        raise SettingError(settings.file, "enrolment", f"must name the centre's public keys: {error}") from None
    issuer, signer = load_issuer(own.authority), load_documents(own.authority)
    issuer.trust.refuse_revoked((issuer.certificate, *signer.chain))
    return Desk(
        engine=open_database(settings),
        issuer=issuer,
        signer=signer,
        centre_keys=enrolment.CentreKeys(
            opening, receipts, fingerprint(issuer.certificate), issuer.trust.list_pem().decode("ascii")
        ),
        now=utc_now,
    )


def public_jwks(path: Path, curve: str) -> list[enrolment.Jwk]:
    """Return public keys of the centre as they are handed out; raise `SealError` for one of another curve."""
    keys = load_public_keys(path)
    for key in keys:
        if key.curve_name != curve:
            raise SealError(f"{path}: is an {key.curve_name} key, an {curve} key is needed")
    return [
        {name: str(value) for name, value in key.as_dict(private=False).items() if name in ("kty", "crv", "x")}
        for key in keys
    ]


def _serve(arguments: argparse.Namespace) -> int:
    from central.enrolment.server import Pace, application, server

    settings = _settings(arguments)
    own, desk = settings.for_enrolling(), open_desk(settings)
    for path in filter(None, (own.certificate, own.client_certificate)):
        _refuse_revoked(path, desk.issuer.trust)
    by_broker = _by_broker(settings, desk, Pace(own.tries_per_minute, monotonic))
    app = application(desk, Pace(own.tries_per_minute, monotonic))
    threads = [] if by_broker is None else [Thread(target=by_broker.run, name="broker desk")]
    for thread in threads:
        thread.start()
    try:
        server(own, app).run_until_signal()
    finally:
        if by_broker is not None:
            by_broker.stop()
        for thread in threads:
            thread.join()
    return 0


def _refuse_revoked(path: Path, trust: Trust) -> None:
    """Raise `ProvisioningError` for a certificate of ours that every kiosk would refuse after its first answer."""
    try:
        trust.refuse_revoked(load_chain(path.read_bytes()))
    except OSError as error:
        raise ProvisioningError(f"{path}: {error.strerror}") from None
    except ProvisioningError as error:
        remedy = "landfall-provision ca renew, and put the new certificate there"
        raise ProvisioningError(f"{path}: {error.message}", remedy=remedy) from None


def _by_broker(settings: config.Settings, desk: Desk, pace: Paces) -> BrokerDesk | None:
    """Return the desk at the broker, where the settings name a certificate for it."""
    broker = settings.for_renewing()
    if broker is None:
        return None
    from central.broker_link import BrokerLink, tls_context
    from central.enrolment.by_broker import IN_FLIGHT, REQUESTS, BrokerDesk

    context = tls_context(broker)
    return BrokerDesk(
        desk,
        pace,
        lambda inbox: BrokerLink(broker, context, inbox, in_flight=IN_FLIGHT, topics=(REQUESTS,), role="enrolment"),
    )


def _code(arguments: argparse.Namespace) -> int:
    settings = config.load(arguments.config)
    kiosk = check_kiosk_name(arguments.site, arguments.kiosk)
    valid = timedelta(hours=arguments.valid_h or settings.for_enrolling().code_valid_h)
    code, until = open_desk(settings).invite(kiosk, valid, replaces=arguments.replace)
    print(f"{kiosk}: {code}")
    print(f"good once, until {until:%Y-%m-%d %H:%M} UTC")
    return 0


def _sign(arguments: argparse.Namespace) -> int:
    try:
        content = arguments.file.read_bytes()
    except OSError as error:
        raise LandfallError(f"{arguments.file}: cannot be read ({error.strerror})") from None
    try:
        request = enrolment.decode_request(content)
    except ContractError as error:
        raise LandfallError(f"{arguments.file}: {error}") from None
    desk = open_desk(config.load(arguments.config))
    given = arguments.fingerprint or _asked(request)
    if "".join(given.upper().split()).replace("-", "") != request.fingerprint.replace("-", ""):
        raise LandfallError(
            f"the fingerprint is not that of {arguments.file}",
            remedy="do not sign it: the file is another one than the kiosk wrote",
        )
    answer = desk.enrol_by_hand(request)
    path = (arguments.out or arguments.file.parent) / enrolment.answer_name(request.kiosk)
    replace(path, answer.encode("ascii"))
    print(f"{request.kiosk} is enrolled. Its answer: {path}")
    print("At the kiosk, with this stick: sudo landfall-provision install BUNDLE")
    return 0


def _asked(request: enrolment.Request) -> str:
    if not sys.stdin.isatty():
        raise LandfallError("nobody is here to compare", remedy="give --fingerprint as the kiosk shows it")
    print(f"This file asks to be {request.kiosk}.")
    return input("Fingerprint that the kiosk shows (ask by telephone): ")


def _list(arguments: argparse.Namespace) -> int:
    with database.reading(database_named(arguments)) as connection:
        found = register.certificates(connection)
    if arguments.json:
        shown = [
            {"name": one.name, "serial": one.serial, "issued_at": one.issued_at, "not_after": one.not_after}
            | {"revoked_at": one.revoked_at, "reason": one.reason}
            for one in found
        ]
        print_json(shown)
        return 0
    for one in found:
        state = f"revoked {one.revoked_at[:10]}, {one.reason}" if one.revoked_at else f"until {one.not_after[:10]}"
        print(f"{one.name}  {state}\n    {one.serial}")
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    settings = config.load(arguments.config)
    reason, engine = REASONS[arguments.reason], open_database(settings)
    if arguments.serial and not (arguments.site or arguments.kiosk):
        revocation.revoke_serial(engine, arguments.serial, utc_now(), reason)
        print(f"{arguments.serial}: revoked")
    elif arguments.site and arguments.kiosk and not arguments.serial:
        kiosk = check_kiosk_name(arguments.site, arguments.kiosk)
        certificates, keys = revocation.revoke_kiosk(engine, kiosk, utc_now(), reason)
        print(f"{kiosk}: {certificates} certificates and {keys} record keys revoked")
        print("From now on nothing that it signs gets a receipt.")
    else:
        raise ProvisioningError("give --site and --kiosk, or --serial alone")
    _write_list(settings, engine)
    print(_AFTER_REVOKING)
    return 0


def _crl(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    _write_list(settings, open_database(settings))
    return 0


def _write_list(settings: config.Settings, engine: Engine) -> None:
    own = settings.for_enrolling()
    issuers = load_issuers(own.authority)
    count = revocation.write_revocation_list(engine, issuers, own.revocation_list, utc_now())
    until = utc_now() + issuers[0].validity.revocation_list
    print(f"{own.revocation_list}: {count} certificates, good until {until:%Y-%m-%d}")
