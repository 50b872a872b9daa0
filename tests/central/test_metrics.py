"""What Prometheus is told, and that dashboard and rules speak of nothing else."""

from __future__ import annotations

import gzip
import json
import re
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from central import database, incidents, metrics
from central.config import FleetSettings, MetricsSettings
from central.database import rfc3339
from central.incidents import Incident, Kind
from central.tables import centre as centre_table
from edge.errors import SettingError
from tests.central.fleet.fleet import NOW, health_of, put, register, told, watch

MONITORING = Path(__file__).parents[2] / "docs" / "monitoring"
LIMITS = FleetSettings()
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.2"  # as Prometheus asks
NAMES = re.compile(r"landfall_[a-z0-9_]+")


@pytest.fixture
def engine(tmp_path):
    """One database: what is read is tested on both elsewhere."""
    engine = database.connect(f"sqlite:///{tmp_path / 'central.db'}")
    database.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def application(engine):
    return metrics.application(engine, LIMITS, lambda: NOW)


@pytest.fixture
def scrape(application):
    def read():
        said = Answered(application, "/metrics", accept=OPENMETRICS)
        assert said.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        return {family.name: family for family in text_string_to_metric_families(said.body)}

    return read


@pytest.fixture
def fleet(engine):
    register(engine, "utopia/lane-1", "utopia/lane-2", "atlantis/gate")
    sick = health_of(
        "utopia/lane-2",
        devices={"passport": {"state": "lost", "error": "ERIKSSON"}},
        machine={"throttled": ["under_voltage"], "model": "ERIKSSON"},
        queue={"crossing": {"unreceipted": 7, "oldest_at": rfc3339(NOW - timedelta(seconds=90))}},
        version="ERIKSSON",
    )
    put(engine, told("utopia/lane-1"), told("utopia/lane-2", said=sick))
    watch(engine)
    with database.writing(engine) as connection:
        incidents.report(connection, [Incident(Kind.FORK, "utopia/lane-1", "crossing", "e")], rfc3339(NOW))
        connection.execute(centre_table.insert(), {"key": "backup_at", "value": rfc3339(NOW - timedelta(hours=2))})


def values(family, *labels):
    return {tuple(sample.labels[label] for label in labels): sample.value for sample in family.samples}


def test_every_kiosk_is_there_with_what_is_known_of_it(scrape, fleet):
    found = scrape()
    assert values(found["landfall_kiosk_up"], "site", "kiosk") == {
        ("atlantis", "gate"): 0.0,
        ("utopia", "lane-1"): 1.0,
        ("utopia", "lane-2"): 1.0,
    }
    assert values(found["landfall_kiosk_queue_records"], "kiosk", "stream")["lane-2", "crossing"] == 7.0
    assert values(found["landfall_kiosk_queue_oldest_seconds"], "kiosk")[("lane-2",)] == 90.0
    assert values(found["landfall_kiosk_device_ready"], "kiosk", "device")["lane-2", "passport"] == 0.0
    assert values(found["landfall_kiosk_under_voltage"], "kiosk") == {("lane-1",): 0.0, ("lane-2",): 1.0}
    assert values(found["landfall_kiosk_temperature_celsius"], "kiosk")[("lane-1",)] == 51.5


def test_the_centre_is_there_too(scrape, fleet):
    found = scrape()
    standings = {"ok": 0.0, "degraded": 2.0, "silent": 0.0, "offline": 0.0, "unknown": 1.0}
    assert values(found["landfall_kiosks"], "standing") == {(name,): count for name, count in standings.items()}
    assert values(found["landfall_incidents"], "kind")[("fork",)] == 1.0
    assert found["landfall_backup_timestamp_seconds"].samples[0].value == (NOW - timedelta(hours=2)).timestamp()
    assert found["landfall_watcher_renewed_timestamp_seconds"].samples[0].value == NOW.timestamp()


def test_no_word_of_a_kiosk_gets_into_a_label(application, fleet):
    assert "ERIKSSON" not in Answered(application, "/metrics").body


def test_names_carry_base_units_and_labels_come_from_bounded_sets(scrape, fleet):
    for family in scrape().values():
        assert not re.search(r"_(ms|minutes|hours|days|mb|gb|percent|total)$", family.name), family.name
        for sample in family.samples:
            assert sample.labels.keys() <= {"site", "kiosk", "stream", "device", "severity", "standing", "kind"}


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_an_older_reader_is_told_the_same_in_its_own_format(application, scrape, fleet, encoding):
    said = Answered(application, "/metrics", encoding=encoding)
    assert said.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert said.headers.get("Content-Encoding", "") == encoding
    found = {family.name: family.samples for family in text_families(said.body)}
    assert found == {name: family.samples for name, family in scrape().items()}


def test_what_is_not_known_is_left_out(scrape, engine):
    register(engine, "utopia/lane-1")
    assert scrape()["landfall_kiosk_temperature_celsius"].samples == []


@pytest.mark.parametrize("name", ["grafana-fleet.json", "landfall.rules.yml"])
def test_dashboard_and_rules_speak_of_metrics_that_exist(scrape, fleet, name):
    known = scrape().keys() | {"landfall_receipts_late_seconds"}  # which three kiosks at least must wait for
    assert set(NAMES.findall((MONITORING / name).read_text(encoding="utf-8"))) - known == set()


def test_the_dashboard_has_panels_that_do_not_lie_on_each_other():
    panels = json.loads((MONITORING / "grafana-fleet.json").read_text(encoding="utf-8"))["panels"]
    squares = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(squares) == len(set(squares))
    assert max(x for x, _ in squares) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


class Answered:
    """One answer of the application."""

    def __init__(self, application, path, method="GET", *, accept="text/plain", encoding=""):
        environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_ACCEPT": accept, "HTTP_ACCEPT_ENCODING": encoding}
        body = b"".join(application(environ, self._start))
        self.body = (gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body).decode()

    def _start(self, status, headers, *_):
        self.status = int(status.partition(" ")[0])
        self.headers = dict(headers)


def test_health_is_good_while_somebody_watches(engine):
    assert Answered(metrics.application(engine, LIMITS, lambda: NOW), "/healthz").status == 503
    watch(engine)
    answered = Answered(metrics.application(engine, LIMITS, lambda: NOW), "/healthz")
    assert (answered.status, answered.body) == (200, "ok\n")


def test_a_database_that_is_away_is_said_and_nothing_else(engine, application):
    with database.writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE fleet_kiosk")
    for path in ("/metrics", "/healthz"):
        answered = Answered(application, path)
        assert (answered.status, answered.body) == (503, "database: SQLITE_ERROR\n")


@pytest.mark.parametrize(("path", "method", "status"), [("/", "GET", 404), ("/metrics", "POST", 405)])
def test_anything_else_is_refused(engine, path, method, status):
    assert Answered(metrics.application(engine, LIMITS), path, method).status == status


def test_an_address_that_is_taken_is_a_setting_that_is_wrong(engine):
    with metrics.serve(MetricsSettings(port=0), engine, LIMITS):
        pass
    server = metrics.make_server("127.0.0.1", 0, metrics.application(engine, LIMITS))
    try:
        taken = MetricsSettings(port=server.server_port)
        with pytest.raises(SettingError, match="address that is free"), metrics.serve(taken, engine, LIMITS):
            pass
    finally:
        server.server_close()


def test_a_server_that_was_left_is_gone(engine):
    server = metrics.make_server("127.0.0.1", 0, metrics.application(engine, LIMITS))
    port = server.server_port
    server.server_close()
    with (
        metrics.serve(MetricsSettings(port=port), engine, LIMITS),
        pytest.raises(urllib.error.HTTPError) as caught,
    ):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60)
    caught.value.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60)
