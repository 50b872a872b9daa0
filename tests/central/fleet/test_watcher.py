"""The watcher as a process of its own: a real broker, real databases, a real webhook, Prometheus, and a stand-by."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

from central import registry
from central.alerts import ledger
from central.clock import utc_now
from central.config import FleetSettings
from central.fleet import view
from central.fleet.view import Standing
from central.fleet.words import Code
from edge.wire.topics import health_topic, status_topic
from provisioning.authority import Authority
from provisioning.local_broker import LocalBroker, reserve_port
from tests.central.alerts.servers import http_server
from tests.central.fleet.fleet import health_of, signed_health, signed_status
from tests.harness.kiosk_records import FakeKiosk
from tests.harness.mosquitto import Participant

pytestmark = pytest.mark.journey
WITHIN_S = 60.0
on_one_database = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # where the database makes no difference
LIMITS = FleetSettings(silent_after_s=300.0)
SOON = FleetSettings(silent_after_s=2.0)  # where silence is waited for, or an alert, which none is before its time
RULES = """
[[rule]]
codes = ["tamper", "device_lost"]
open_after_s = 0
close_after_s = 0
[[rule]]
codes = ["broker_lost"]
open_after_s = 0
close_after_s = 0
to = []
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watched")
    made = Authority.create(folder / "ca")
    made.issue_client(folder / "kiosk", "utopia/lane-1")
    for name in ("watcher-1", "watcher-2"):
        made.issue_collector(folder / name, name)
    return made, folder


@pytest.fixture
def broker(authority, tmp_path):
    with LocalBroker(tmp_path / "broker", authority[0], centre=["watcher-1", "watcher-2"]) as broker:
        yield broker


@pytest.fixture
def kiosk(engine):
    kiosk = FakeKiosk()
    registry.add_kiosk(engine, kiosk.name, kiosk.key, utc_now())
    return kiosk


@pytest.fixture
def client(broker, authority):
    with Participant(broker, authority[1] / "kiosk") as client:
        yield client


class Running:
    """One watcher process, and what it has said."""

    def __init__(
        self,
        folder: Path,
        name: str,
        certificates: Path,
        broker: LocalBroker,
        url: str,
        more: str,
        limits: FleetSettings,
    ) -> None:
        (folder / "rules.toml").write_text(RULES, encoding="utf-8")
        (folder / "secret").write_text("geheim", encoding="utf-8")
        self._reserved = reserve_port()
        self.port = self._reserved.getsockname()[1]
        settings = folder / f"{name}.toml"
        files = (("ca", "ca.crt"), ("certificate", "client.crt"), ("key", "client.key"))
        settings.write_text(
            f'[database]\nurl = "{url}"\n[broker]\nhost = "localhost"\nport = {broker.port}\n'
            + "".join(f'{key} = "{certificates / name / file}"\n' for key, file in files)
            + f"[metrics]\nport = {self.port}\n"
            + f"[fleet]\nsilent_after_s = {limits.silent_after_s}\nlease_s = 5\nsample_every_s = 10\n"
            + f'[alerts]\nrules = "rules.toml"\nevaluate_every_s = 0.2\n{more}',
            encoding="utf-8",
        )
        self.lines: list[str] = []
        self._said = threading.Condition()
        command = [sys.executable, "-m", "central.cli", "watch", "--config", str(settings)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            with self._said:
                self.lines.append(line)
                self._said.notify_all()

    def wait_for(self, text: str, times: int = 1) -> None:
        with self._said:
            found = self._said.wait_for(lambda: sum(text in line for line in self.lines) >= times, WITHIN_S)
        assert found, f"{text!r} not said; said: {self.lines}"

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(WITHIN_S)
        self._reader.join()
        self.process.stderr.close()
        self._reserved.close()
        return code

    def ask(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@pytest.fixture
def watchers(tmp_path, authority, broker, url, engine):
    running: list[Running] = []

    def start(name: str = "watcher-1", *, more: str = "", limits: FleetSettings = LIMITS) -> Running:
        running.append(Running(tmp_path, name, authority[1], broker, url, more, limits))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def until(look):
    """Return what `look` gives, as soon as that is something."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        threading.Event().wait(0.05)
    raise AssertionError("it did not come to that")


def shown(engine, kiosk, limits=LIMITS):
    return view.kiosk(engine, kiosk.name, utc_now(), limits)


def tell(client, kiosk, number=0, **sections):
    said = health_of(kiosk.name, utc_now(), **{"clock": {"boottime_s": 1000.0 + number}, **sections})
    client.publish(health_topic(kiosk.name), signed_health(kiosk, said))


def test_what_a_kiosk_tells_is_seen_and_its_silence_too(watchers, kiosk, client, engine):
    watcher = watchers(limits=SOON)
    client.publish(status_topic(kiosk.name), signed_status(kiosk, "online", utc_now()), retain=True)
    watcher.wait_for("watcher ready")
    tell(client, kiosk, queue={"crossing": {"unreceipted": 3}})
    assert until(lambda: (one := shown(engine, kiosk)).report and one).queue == 3
    assert until(lambda: shown(engine, kiosk, SOON).standing is Standing.SILENT)
    number = itertools.count(1)

    def is_heard_again():
        tell(client, kiosk, next(number))  # as a kiosk does, again and again
        return shown(engine, kiosk, SOON).standing is Standing.OK

    assert until(is_heard_again)
    assert view.history(engine, kiosk.name, view.Metric.QUEUE, timedelta(hours=1), utc_now()).values[:1] == (3.0,)
    client.publish(status_topic(kiosk.name), signed_status(kiosk, "offline", utc_now()), retain=True)
    assert until(lambda: shown(engine, kiosk).standing is Standing.OFFLINE)
    assert watcher.end() == 0
    assert [one.code for one in view.fleet(engine, utc_now(), LIMITS).centre.findings] == [Code.NOBODY_WATCHES]


def hooks(posted, what, code):
    """Return the alerts of one code in what was posted, as often as they were."""
    bodies = [json.loads(body) for path, _, body in posted.wait_for(0) if path == "/hook"]
    return [one for body in bodies for one in body[what] if one["code"] == code]


@on_one_database
def test_a_fault_is_posted_when_it_comes_and_when_it_goes_though_the_server_was_away(watchers, kiosk, client, engine):
    with http_server() as posted:
        posted.answers = [503]
        watcher = watchers(
            limits=SOON,
            more=f'[alerts.webhook]\nurl = "{posted.url}/hook"\nsecret = "secret"\n'
            f'[alerts.heartbeat]\nurl = "{posted.url}/beat"\nevery_s = 1\n',
        )
        watcher.wait_for("watcher ready")
        tell(client, kiosk, devices={"passport": {"state": "lost"}})
        first, again = until(
            lambda: hooks(posted, "opened", "device_lost")[1:] and hooks(posted, "opened", "device_lost")
        )
        assert first == again
        assert (first["scope"], first["subject"]) == (kiosk.name, "passport")
        (alert,) = ledger.open_alerts(engine)
        assert alert.id == first["id"]
        tell(client, kiosk, 1)
        assert until(lambda: hooks(posted, "closed", "device_lost"))[0]["id"] == alert.id
        assert until(lambda: [one for one in posted.wait_for(1) if one[0] == "/beat"])
        assert watcher.end() == 0


@on_one_database
def test_a_stand_by_takes_over_when_the_one_on_duty_dies(watchers, kiosk, client, engine):
    first = watchers()
    first.wait_for("watcher ready")
    second = watchers("watcher-2")
    second.wait_for("standing by")
    assert second.ask("/healthz")[0] == 200
    first.end(signal.SIGKILL)
    second.wait_for("watcher ready")
    tell(client, kiosk)
    assert until(lambda: shown(engine, kiosk).report)
    assert second.end() == 0


@on_one_database
def test_a_broker_that_goes_away_silences_nobody_and_is_found_again(watchers, kiosk, authority, broker, engine):
    watcher = watchers()
    watcher.wait_for("watcher ready")
    with Participant(broker, authority[1] / "kiosk") as client:
        tell(client, kiosk)
        until(lambda: shown(engine, kiosk).report)
        broker.kill()
        watcher.wait_for("connection lost")
        assert [one.code for one in until(lambda: ledger.open_alerts(engine))] == [Code.BROKER_LOST]
        assert shown(engine, kiosk).standing is Standing.OK
        assert watcher.ask("/healthz")[0] == 503
    broker.start()
    watcher.wait_for("watcher ready", times=2)
    assert until(lambda: not ledger.open_alerts(engine))
    assert watcher.end() == 0


@on_one_database
def test_prometheus_is_answered(watchers, kiosk, client, engine):
    watcher = watchers()
    watcher.wait_for("watcher ready")
    tell(client, kiosk)
    until(lambda: shown(engine, kiosk).report)
    assert watcher.ask("/healthz") == (200, "ok\n")
    status, text = watcher.ask("/metrics")
    assert status == 200
    assert 'landfall_kiosk_up{kiosk="lane-1",site="utopia"} 1.0' in text
    assert watcher.ask("/elsewhere")[0] == 404


@on_one_database
def test_hostile_messages_end_nothing_and_no_line_shows_what_was_in_them(watchers, kiosk, client, engine):
    watcher = watchers()
    watcher.wait_for("watcher ready")
    for payload in (b"", b"\xff" * 100, b"ERIKSSON" * 100_000, b"[" * 60_000, b"a.b.c"):
        client.publish(health_topic(kiosk.name), payload)
        client.publish(status_topic(kiosk.name), payload, retain=True)
        threading.Event().wait(0.01)
    tell(client, kiosk, devices={"passport": {"state": "lost", "error": "ERIKSSON"}})
    assert until(lambda: shown(engine, kiosk).report)
    assert watcher.end() == 0
    assert not any("Traceback" in line or "ERIKSSON" in line or "fault" in line for line in watcher.lines)
    assert all(line.startswith("<") for line in watcher.lines)
