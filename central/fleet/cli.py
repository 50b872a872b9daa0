"""The verbs `watch`, `fleet` and `alerts` of `landfall-central`.

Owns their words on the screen. Always true: a page fits 80 columns unless a name is longer, and what is printed for
programs (`--json`) goes to stdout alone.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import textwrap
from datetime import timedelta
from queue import SimpleQueue
from time import monotonic
from typing import Any

from sqlalchemy import Engine

from central import config, incidents, registry
from central.alerts import ledger
from central.alerts.bell import Bell
from central.alerts.channels import Heartbeat, Mail, Webhook
from central.alerts.post import Postman, Pulse
from central.alerts.rules import load
from central.clock import utc_now
from central.command_line import database_named, open_database, print_json
from central.config import AlertSettings
from central.database import rfc3339
from central.fleet import view
from central.fleet.diagnosis import Finding, Standing
from central.incidents import Kind
from edge.errors import LandfallError, SettingError

IN_FLIGHT = 2000
MOST_HOURS = 8784  # of a silence; a leap year
_WIDTH = 79


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verbs to those of `landfall-central`."""
    watch = verbs.add_parser("watch", parents=[common], help="keep the state of all kiosks and alert, until SIGTERM")
    watch.set_defaults(call=_watch)

    fleet = verbs.add_parser("fleet", parents=[common], help="how all kiosks do, or one, and what to do about it")
    fleet.add_argument("kiosk", nargs="?", metavar="SITE/KIOSK", help="only this one, with everything that is known")
    fleet.add_argument("--json", action="store_true", help="print JSON")
    fleet.add_argument(
        "--settle", choices=list(Kind), metavar="KIND", help="close this kiosk's incidents of a kind: you have looked"
    )
    fleet.set_defaults(call=_fleet)

    alerts = verbs.add_parser("alerts", help="what is alerted, who cares for it, and what is silenced")
    some = alerts.add_subparsers(required=True, metavar="VERB")
    shown = some.add_parser("list", parents=[common], help="what is alerted and what is silenced")
    shown.add_argument("--json", action="store_true", help="print JSON")
    shown.set_defaults(call=_alerts)
    take = some.add_parser("acknowledge", parents=[common], help="say that you take care of an alert")
    take.add_argument("id", type=int, metavar="NUMBER")
    take.add_argument("--by", required=True, help="your name")
    take.set_defaults(call=_acknowledge)
    hush = some.add_parser("silence", parents=[common], help="tell nobody for a while")
    hush.add_argument("--code", default=ledger.EVERYTHING, help="only this code (default: all)")
    hush.add_argument("--scope", required=True, help="SITE/KIOSK, SITE/*, centre, or * for everything")
    hush.add_argument("--hours", type=float, required=True)
    hush.add_argument("--by", required=True, help="your name")
    hush.set_defaults(call=_silence)
    lift = some.add_parser("lift", parents=[common], help="end a silence")
    lift.add_argument("id", type=int, metavar="NUMBER")
    lift.add_argument("--by", required=True, help="your name")
    lift.set_defaults(call=_lift)


def _watch(arguments: argparse.Namespace) -> int:
    from central.broker_link import HEALTHS, STATUSES, BrokerLink, Event, Link, tls_context
    from central.fleet.watcher import Watcher
    from central.metrics import serve

    settings = config.load(arguments.config)
    broker = settings.for_watching()
    context = tls_context(broker)
    channels = _channels(settings.alerts)
    bell = Bell(load(settings.alerts.rules), channels, keep_days=settings.alerts.keep_days)
    engine = open_database(settings)

    def open_link(inbox: SimpleQueue[Event]) -> Link:
        return BrokerLink(broker, context, inbox, in_flight=IN_FLIGHT, topics=(STATUSES, HEALTHS), role="watcher")

    watcher = Watcher(
        engine,
        settings.fleet,
        registry.Registry(engine, monotonic).verifier_of,
        open_link,
        bell,
        f"{socket.gethostname()[:32]}/{os.getpid()}",
        evaluate_every_s=settings.alerts.evaluate_every_s,
    )
    companions: list[Any] = [Postman(engine, name, channel, watcher.is_on_duty) for name, channel in channels.items()]
    if settings.alerts.heartbeat is not None:
        companions.append(Pulse(Heartbeat(settings.alerts.heartbeat), watcher.is_alive))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watcher.stop())
    with serve(settings.metrics, engine, settings.fleet):
        watcher.run(companions)
    engine.dispose()
    return 0


def _channels(settings: AlertSettings) -> dict[str, Any]:
    """Return the channels that are set up, by name."""
    found: dict[str, Any] = {}
    if settings.webhook is not None:
        found["webhook"] = Webhook(settings.webhook)
    if settings.mail is not None:
        found["mail"] = Mail(settings.mail)
    return found


def _fleet(arguments: argparse.Namespace) -> int:
    settings = config.load(arguments.config)
    engine = open_database(settings)
    now = utc_now()
    if arguments.settle:
        return _settle(arguments, engine)
    if arguments.kiosk:
        one = view.kiosk(engine, arguments.kiosk, now, settings.fleet)
        if one is None:
            raise LandfallError(f"{arguments.kiosk} is not registered", remedy="see `landfall-central kiosk list`")
        if arguments.json:
            print_json(one)
        else:
            _print_kiosk(one)
        return 0 if one.standing is Standing.OK else 1
    found = view.fleet(engine, now, settings.fleet)
    if arguments.json:
        print_json(found)
    else:
        _print_fleet(found)
    is_well = found.standings[Standing.OK] == len(found.kiosks) and not found.centre.findings
    return 0 if is_well else 1


def _settle(arguments: argparse.Namespace, engine: Engine) -> int:
    if not arguments.kiosk:
        raise SettingError("", "--settle", "goes with the name of a kiosk")
    count = incidents.settle(engine, arguments.kiosk, Kind(arguments.settle), rfc3339(utc_now()))
    if not count:
        raise LandfallError(f"{arguments.kiosk} has no open incident of kind {arguments.settle}")
    print(f"{arguments.kiosk}: {count} closed; what comes again opens it again")
    return 0


def _print_fleet(found: view.FleetView) -> None:
    counted = ", ".join(f"{count} {standing}" for standing, count in found.standings.items() if count)
    print(f"{len(found.kiosks)} kiosks: {counted or 'none'}")
    _print_findings(found.centre.findings)
    for one in found.kiosks:
        if one.standing is not Standing.OK:
            print(f"{one.kiosk}: {one.standing}")
            _print_findings(one.findings)


def _print_kiosk(one: view.KioskView) -> None:
    print(f"{one.kiosk}: {one.standing}")
    heard = "never" if one.heard_at is None else f"{one.heard_at:%Y-%m-%d %H:%M:%S} UTC"
    stored = "never" if one.last_stored_at is None else f"{one.last_stored_at:%Y-%m-%d %H:%M:%S} UTC"
    print(f"  heard {heard}, last record {stored}, {one.queue} waiting")
    if one.report is not None:
        print(f"  version {one.report.version}, settings {one.report.settings_sha256[:12] or 'not told'}")
        for name, device in one.report.devices.items():
            print(f"  {name}: {device.state} {device.error}".rstrip())
    _print_findings(one.findings)


def _print_findings(findings: tuple[Finding, ...]) -> None:
    for one in findings:
        print(textwrap.fill(f"! {one.what}", _WIDTH, initial_indent="  ", subsequent_indent="    "))
        print(textwrap.fill(one.remedy, _WIDTH, initial_indent="    ", subsequent_indent="    "))


def _alerts(arguments: argparse.Namespace) -> int:
    engine = database_named(arguments)
    now = utc_now()
    found, silences = ledger.open_alerts(engine), ledger.silences(engine, now)
    if arguments.json:
        print_json({"alerts": found, "silences": silences})
        return 1 if found else 0
    for one in found:
        cared = f", {one.acknowledged_by} takes care" if one.acknowledged_by else ""
        print(f"{one.id}  {one.scope}: {one.code} ({one.severity.word}{cared})")
        print(textwrap.fill(one.what, _WIDTH, initial_indent="    ", subsequent_indent="    "))
        print(textwrap.fill(one.remedy, _WIDTH, initial_indent="    ", subsequent_indent="    "))
    for hush in silences:
        print(f"silence {hush.id}: {hush.code} of {hush.scope} until {hush.until:%Y-%m-%d %H:%M} UTC, {hush.made_by}")
    if not found:
        print("nothing is alerted")
    return 1 if found else 0


def _acknowledge(arguments: argparse.Namespace) -> int:
    engine = database_named(arguments)
    ledger.acknowledge(engine, arguments.id, arguments.by, utc_now())
    print(f"alert {arguments.id}: {arguments.by} takes care")
    return 0


def _silence(arguments: argparse.Namespace) -> int:
    engine = database_named(arguments)
    now = utc_now()
    if not 0 < arguments.hours <= MOST_HOURS:  # nan neither
        raise SettingError("", "--hours", f"must be above 0 and at most {MOST_HOURS}")
    until = now + timedelta(hours=arguments.hours)
    number = ledger.silence_until(engine, arguments.code, arguments.scope, arguments.by, until, now)
    print(f"silence {number}: nobody is told until {until:%Y-%m-%d %H:%M} UTC")
    return 0


def _lift(arguments: argparse.Namespace) -> int:
    engine = database_named(arguments)
    ledger.lift(engine, arguments.id, arguments.by, utc_now())
    print(f"silence {arguments.id} ended")
    return 0
