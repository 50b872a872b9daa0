"""The fleet and the centre for Prometheus (OpenMetrics 1.0), and whether the watcher is well.

Owns the names of the metrics and their labels; figures come from `central.fleet.view`, so that pages and graphs agree.
Always true: base units, and labels from bounded sets (site, kiosk, stream, device, severity, kind), never free text; a
scrape reads the database and changes nothing; a figure that is not known is left out, never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily, Metric
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
from central.fleet.view import FleetView, KioskView
from central.fleet.words import Code, Severity
from central.incidents import Kind
from central.tables import incident
from edge.errors import SettingError

Clock = Callable[[], datetime]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
CLIENT_TIMEOUT_S = 10.0

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


class FleetCollector(Collector):
    """Asks the database at each scrape."""

    def __init__(self, engine: Engine, limits: FleetSettings, clock: Clock) -> None:
        self._engine, self._limits, self._clock = engine, limits, clock

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the names are known when somebody asks, and the database need not answer before."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give every metric of this moment."""
        found = view.fleet(self._engine, self._clock(), self._limits)
        yield from _kiosks(found)
        yield from _centre(found)
        yield from self._counts()

    def _counts(self) -> Iterator[Metric]:
        alerts = GaugeMetricFamily("landfall_alerts", "Open alerts.", labels=["severity"])
        severities = [one.severity for one in ledger.open_alerts(self._engine)]
        for severity in Severity:
            alerts.add_metric([severity.name.lower()], severities.count(severity))
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


def _kiosks(found: FleetView) -> Iterator[Metric]:
    named = [(one, [one.site, one.kiosk.partition("/")[2]]) for one in found.kiosks]
    for name, what, read in _OF_KIOSK:
        family = GaugeMetricFamily(name, what, labels=["site", "kiosk"])
        for one, labels in named:
            if (value := read(one)) is not None:
                family.add_metric(labels, value)
        yield family
    queue = GaugeMetricFamily(
        "landfall_kiosk_queue_records", "Records that await their receipt.", labels=["site", "kiosk", "stream"]
    )
    ready = GaugeMetricFamily(
        "landfall_kiosk_device_ready", "1 while a device or lane works.", labels=["site", "kiosk", "device"]
    )
    findings = GaugeMetricFamily(
        "landfall_kiosk_findings", "How much is wrong with the kiosk.", labels=["site", "kiosk", "severity"]
    )
    broken = (Code.DEVICE_LOST, Code.LANE_CLOSED)
    for one, labels in named:
        if one.report is not None:
            for stream, figures in one.report.streams.items():
                queue.add_metric([*labels, stream], figures.unreceipted)
            lost = {fault.subject for fault in one.findings if fault.code in broken}
            for device in one.report.devices:
                ready.add_metric([*labels, device], device not in lost)
        severities = [fault.severity for fault in one.findings]
        for severity in Severity:
            findings.add_metric([*labels, severity.name.lower()], severities.count(severity))
    yield from (queue, ready, findings)


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


def registry(engine: Engine, limits: FleetSettings, clock: Clock = _utc_now) -> CollectorRegistry:
    """Return what `prometheus_client.make_asgi_app` or `make_wsgi_app` serve."""
    made = CollectorRegistry(auto_describe=False)
    made.register(FleetCollector(engine, limits, clock))
    return made


def application(engine: Engine, limits: FleetSettings, clock: Clock = _utc_now) -> Application:
    """Return the WSGI application with `/metrics` and `/healthz` (200 while somebody watches, else 503)."""
    metrics = make_wsgi_app(registry(engine, limits, clock))

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return _plain(start_response, "405 Method Not Allowed", "only GET\n")
        try:
            if path == "/metrics":
                return metrics(environ, start_response)
            if path == "/healthz":
                faults = view.centre(engine, clock(), limits).findings
                unwatched = [one for one in faults if one.code in (Code.NOBODY_WATCHES, Code.BROKER_LOST)]
                status = "503 Service Unavailable" if unwatched else "200 OK"
                return _plain(start_response, status, "".join(f"{one.what}\n" for one in unwatched) or "ok\n")
        except SQLAlchemyError as error:
            kind = type(getattr(error, "orig", None) or error).__name__
            return _plain(start_response, "503 Service Unavailable", f"database: {kind}\n")
        return _plain(start_response, "404 Not Found", "/metrics and /healthz are here\n")

    return answer


def _plain(start_response: Callable[..., Any], status: str, text: str) -> list[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
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
