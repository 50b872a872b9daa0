"""The fleet and the centre for Prometheus (OpenMetrics 1.0), and whether the watcher is well.

Owns the names of the metrics and their labels; figures come from `central.fleet.view`, so that pages and graphs agree.
The official client chooses the format and writes what is said of the centre. The lines of kiosks are written here: of
5,000 kiosks there are 135,000, on which the client would keep a whole second and a half the interpreter from the
watcher in the same process. Always true: base units, and labels from bounded sets (site, kiosk, stream, device,
severity, kind), never free text; a scrape reads the database and changes nothing; a figure that is not known is left
out, never zero.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from central import database
from central.alerts import ledger
from central.alerts.tables import notification
from central.config import FleetSettings, MetricsSettings
from central.fleet import view
from central.fleet.diagnosis import Standing
from central.fleet.report import moment
from central.fleet.snapshot import Snapshot
from central.fleet.view import FleetView, KioskView
from central.fleet.words import Code, Severity
from central.incidents import Kind
from central.journal import told
from central.tables import incident
from edge.errors import SettingError

Clock = Callable[[], datetime]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
CLIENT_TIMEOUT_S = 10.0
_BROKEN = (Code.DEVICE_LOST, Code.LANE_CLOSED)

# Of each kiosk: the metric, what it says, and where it is found.
_OF_KIOSK: tuple[tuple[str, str, Callable[[KioskView], float | None]], ...] = (
    (
        "landfall_kiosk_up",
        "1 while the kiosk is connected and heard.",
        lambda one: one.standing in (Standing.OK, Standing.DEGRADED),
    ),
    ("landfall_kiosk_heard_timestamp_seconds", "When the kiosk was heard last.", lambda one: _unix(one.heard_at)),
    (
        "landfall_kiosk_stored_timestamp_seconds",
        "When the centre last stored a record of its crossing stream.",
        lambda one: _unix(one.last_stored_at),
    ),
    (
        "landfall_kiosk_clock_offset_seconds",
        "The kiosk's clock less the centre's.",
        lambda one: one.clock_offset_s,
    ),
    (
        "landfall_kiosk_queue_oldest_seconds",
        "How long the oldest record has waited for its receipt.",
        lambda one: one.report and one.report.oldest_s,
    ),
    (
        "landfall_kiosk_room_left_seconds",
        "For how long the kiosk has room if nobody takes its records.",
        lambda one: None if one.report is None or one.report.hours_left is None else one.report.hours_left * 3600,
    ),
    (
        "landfall_kiosk_store_free_bytes",
        "Room for records on the kiosk.",
        lambda one: one.report and one.report.free_bytes,
    ),
    (
        "landfall_kiosk_store_sync_p95_seconds",
        "The time that 95 in 100 of the last commits stayed below.",
        lambda one: one.report and one.report.sync_p95_s,
    ),
    (
        "landfall_kiosk_temperature_celsius",
        "Temperature of the kiosk's processor.",
        lambda one: one.report and one.report.machine.cpu_celsius,
    ),
    (
        "landfall_kiosk_memory_available_bytes",
        "Memory of the kiosk that is available.",
        lambda one: one.report and one.report.machine.memory_free_bytes,
    ),
    (
        "landfall_kiosk_under_voltage",
        "1 while the kiosk gets too little voltage.",
        lambda one: one.report and float("under_voltage" in one.report.machine.throttled),
    ),
    (
        "landfall_kiosk_certificate_expiry_timestamp_seconds",
        "Until when the kiosk's certificate is good.",
        lambda one: one.report and _unix(moment(one.report.certificate_expires_at)),
    ),
)


class _Centre(Collector):
    """What is said of the centre itself, and of the fleet as a whole."""

    def __init__(self, engine: Engine, found: FleetView) -> None:
        self._engine, self._found = engine, found

    def collect(self) -> Iterator[Metric]:
        """Give every metric."""
        yield from _centre(self._found)
        yield from self._counts()

    def _counts(self) -> Iterator[Metric]:
        alerts = GaugeMetricFamily("landfall_alerts", "Open alerts.", labels=["severity"])
        severities = [one.severity for one in ledger.open_alerts(self._engine)]
        for severity in Severity:
            alerts.add_metric([severity.word], severities.count(severity))
        yield alerts
        with database.reading(self._engine) as connection:
            is_open = incident.c.closed_at.is_(None)
            rows = connection.execute(
                select(incident.c.kind, func.count().label("count")).where(is_open).group_by(incident.c.kind)
            )
            counted = {row.kind: row.count for row in rows}
            waits = notification.c.sent_at.is_(None) & notification.c.given_up_at.is_(None)
            waiting = connection.scalar(select(func.count()).select_from(notification).where(waits))
        incidents = GaugeMetricFamily("landfall_incidents", "Incidents that nobody has closed.", labels=["kind"])
        for kind in Kind:
            incidents.add_metric([kind], counted.get(kind, 0))
        yield incidents
        yield GaugeMetricFamily("landfall_notifications_waiting", "Notifications not yet delivered.", value=waiting)


def _kiosks(kiosks: Sequence[KioskView]) -> Iterator[str]:
    """Give the lines of all kiosks; no name of a site, kiosk, stream or device has a character that is escaped."""
    labels = [f'kiosk="{one.kiosk.partition("/")[2]}",site="{one.site}"' for one in kiosks]
    for name, what, read in _OF_KIOSK:
        yield _head(name, what)
        for one, own in zip(kiosks, labels, strict=True):
            if (value := read(one)) is not None:
                yield f"{name}{{{own}}} {float(value)}\n"
    name = "landfall_kiosk_queue_records"
    yield _head(name, "Records that await their receipt.")
    for one, own in zip(kiosks, labels, strict=True):
        for stream, figures in one.report.streams.items() if one.report else ():
            yield f'{name}{{{own},stream="{stream}"}} {figures.unreceipted}\n'
    name = "landfall_kiosk_device_ready"
    yield _head(name, "1 while a device or lane works.")
    for one, own in zip(kiosks, labels, strict=True):
        lost = {fault.subject for fault in one.findings if fault.code in _BROKEN}
        for device in one.report.devices if one.report else ():
            yield f'{name}{{device="{device}",{own}}} {float(device not in lost)}\n'
    name = "landfall_kiosk_findings"
    yield _head(name, "How much is wrong with the kiosk.")
    for one, own in zip(kiosks, labels, strict=True):
        severities = [fault.severity for fault in one.findings]
        for severity in Severity:
            yield f'{name}{{{own},severity="{severity.word}"}} {float(severities.count(severity))}\n'


def _head(name: str, what: str) -> str:
    return f"# HELP {name} {what}\n# TYPE {name} gauge\n"


def _centre(found: FleetView) -> Iterator[Metric]:
    standings = GaugeMetricFamily("landfall_kiosks", "Kiosks by how they do.", labels=["standing"])
    for standing, count in found.standings.items():
        standings.add_metric([standing], count)
    yield standings
    centre = found.centre
    for name, what, value in (
        ("landfall_watcher_renewed_timestamp_seconds", "When a watcher last said so.", _unix(centre.watcher_seen_at)),
        (
            "landfall_receipts_late_seconds",
            "How long half of the connected kiosks wait for receipts, at least.",
            centre.receipts_late_s,
        ),
        ("landfall_database_size_bytes", "Size of the database.", centre.database_bytes),
        ("landfall_database_disk_free_bytes", "What the database's disk has left.", centre.disk_free_bytes),
        ("landfall_backup_timestamp_seconds", "When the last backup was done.", _unix(centre.backup_at)),
    ):
        if value is not None:
            yield GaugeMetricFamily(name, what, value=value)


def _unix(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _utc_now() -> datetime:
    return datetime.now(UTC)


def exposition(engine: Engine, found: FleetView, accept: str) -> tuple[bytes, str]:
    """Return the metrics in a format that the header `Accept` names, and its media type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Centre(engine, found))
    # Lines of gauges are the same in every text format; what ends an OpenMetrics text comes from the client.
    write, media_type = choose_encoder(accept)
    return "".join(_kiosks(found.kiosks)).encode() + write(registry), media_type


def application(engine: Engine, limits: FleetSettings, clock: Clock = _utc_now) -> Application:
    """Return the WSGI application with `/metrics` and `/healthz` (200 while somebody watches, else 503)."""
    snapshot = Snapshot(view.Fleet(engine, limits).at)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return _plain(start_response, "405 Method Not Allowed", "only GET\n")
        try:
            if path == "/metrics":
                found = snapshot.fleet(clock())
                body, media_type = exposition(engine, found, environ.get("HTTP_ACCEPT", ""))
                is_small = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
                return _send(start_response, "200 OK", body, media_type, is_small=is_small)
            if path == "/healthz":
                faults = snapshot.fleet(clock()).centre.findings
                unwatched = [one for one in faults if one.code in (Code.NOBODY_WATCHES, Code.BROKER_LOST)]
                status = "503 Service Unavailable" if unwatched else "200 OK"
                return _plain(start_response, status, "".join(f"{one.what}\n" for one in unwatched) or "ok\n")
        except SQLAlchemyError as error:
            return _plain(start_response, "503 Service Unavailable", f"{told(error)}\n")
        return _plain(start_response, "404 Not Found", "/metrics and /healthz are here\n")

    return answer


def _plain(start_response: Callable[..., Any], status: str, text: str) -> list[bytes]:
    return _send(start_response, status, text.encode(), "text/plain; charset=utf-8")


def _send(
    start_response: Callable[..., Any], status: str, body: bytes, media_type: str, *, is_small: bool = False
) -> list[bytes]:
    headers = [("Content-Type", media_type)]
    if is_small:  # at the lowest level: nine tenths of the text repeats itself
        body = gzip.compress(body, compresslevel=1)
        headers.append(("Content-Encoding", "gzip"))
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Requests(WSGIRequestHandler):
    timeout = CLIENT_TIMEOUT_S  # of a client that asks and then says nothing

    def log_message(self, *_: object) -> None:
        """Say nothing: a scrape each quarter of a minute is no news."""


@contextmanager
def serve(settings: MetricsSettings, engine: Engine, limits: FleetSettings) -> Iterator[None]:
    """Serve `/metrics` and `/healthz` inside the context; raise `SettingError` when the address cannot be had."""
    if not settings.port:
        yield
        return
    try:
        server = make_server(
            settings.host, settings.port, application(engine, limits), server_class=_Server, handler_class=_Requests
        )
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise SettingError(
            "", "[metrics]", f"must name an address that is free ({error.strerror})", got=where
        ) from None
    thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
