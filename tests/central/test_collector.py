"""The collector as a process of its own, with a real broker and real databases."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select, text

from central import database, registry
from central.broker_link import STREAMS
from central.clock import utc_now
from central.overview import overview
from central.reconcile import KioskCount, reconcile
from central.tables import record, rejected
from edge.seal import load_private_key
from edge.wire.messages import RECEIPT_TYP, RESEND_TYP, Receipt, Resend, decode
from edge.wire.topics import command_topic, receipt_topic, status_topic, stream_topic
from provisioning.authority import Authority, make_centre_keys
from provisioning.local_broker import LocalBroker
from tests.harness.kiosk_records import CentreKeys, FakeKiosk, batch
from tests.harness.mosquitto import Participant

pytestmark = pytest.mark.journey
WITHIN_S = 60.0
on_one_database = pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # where the database makes no difference


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    folder = tmp_path_factory.mktemp("centre")
    authority = Authority.create(folder / "ca")
    authority.issue_client(folder / "kiosk", "utopia/lane-1")
    authority.issue_client(folder / "stolen", "utopia/lane-2")
    for name in ("collector-1", "collector-2"):
        authority.issue_collector(folder / name, name)
    make_centre_keys(folder / "keys")
    return authority, folder


@pytest.fixture(scope="module")
def centre(ca):
    keys = ca[1] / "keys"
    return CentreKeys(load_private_key(keys / "receipt.key.json"), load_private_key(keys / "opening.key.json"))


@pytest.fixture
def broker(ca, tmp_path):
    with LocalBroker(tmp_path / "broker", ca[0], centre=["collector-1", "collector-2"]) as broker:
        yield broker


class Running:
    """One collector process, and what it has said so far."""

    def __init__(self, folder: Path, name: str, ca: Path, broker: LocalBroker, url: str, share_group: str) -> None:
        settings = folder / f"{name}.toml"
        settings.write_text(
            f'[database]\nurl = "{url}"\n'
            f'[broker]\nhost = "localhost"\nport = {broker.port}\nshare_group = "{share_group}"\n'
            + "".join(
                f'{key} = "{ca / name / file}"\n'
                for key, file in (("ca", "ca.crt"), ("certificate", "client.crt"), ("key", "client.key"))
            )
            + f'[keys]\nreceipt_key = "{ca}/keys/receipt.key.json"\nopening_keys = ["{ca}/keys/opening.key.json"]\n'
            "[collector]\ngap_patience_s = 0.3\n",
            encoding="utf-8",
        )
        self._command = [sys.executable, "-m", "central.cli", "run", "--config", str(settings)]
        self.lines: list[str] = []
        self._said = threading.Condition()
        self.start()

    def start(self) -> None:
        """Start the process; `wait_for` looks at what it says from now on."""
        self._since = len(self.lines)
        self.process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        self._reader = threading.Thread(target=self._read, args=(self.process,))
        self._reader.start()

    def _read(self, process: subprocess.Popen) -> None:
        for line in process.stderr:
            with self._said:
                self.lines.append(line)
                self._said.notify_all()

    def wait_for(self, text: str, times: int = 1) -> None:
        with self._said:
            found = self._said.wait_for(
                lambda: sum(text in line for line in self.lines[self._since :]) >= times, WITHIN_S
            )
        assert found, f"{text!r} not said; said: {self.lines}"

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(WITHIN_S)
        self._reader.join()
        self.process.stderr.close()
        return code


@pytest.fixture
def collectors(tmp_path, ca, broker, url, engine):
    running: list[Running] = []

    def start(count: int = 1) -> list[Running]:
        for number in range(len(running) + 1, len(running) + count + 1):
            group = "known-to-these-two" if count > 1 else ""
            running.append(Running(tmp_path, f"collector-{number}", ca[1], broker, url, group))
        for one in running:
            one.wait_for("collector ready")
        return running

    yield start
    for one in running:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


@pytest.fixture
def kiosk(engine, centre):
    kiosk = FakeKiosk(centre=centre)
    registry.add_kiosk(engine, kiosk.name, kiosk.key, utc_now())
    return kiosk


@pytest.fixture
def client(broker, ca):
    with Participant(broker, ca[1] / "kiosk") as client:
        client.subscribe(receipt_topic("utopia/lane-1", "+"))
        client.subscribe(command_topic("utopia/lane-1", "#"))
        yield client


class Answers:
    """What the centre has told one kiosk."""

    def __init__(self, client: Participant, centre: CentreKeys) -> None:
        self._client, self._centre = client, centre

    def all(self) -> list[Receipt | Resend]:
        found = []
        for one in self._client.delivered(0):
            kind, typ = (Receipt, RECEIPT_TYP) if "/receipt/" in one.topic else (Resend, RESEND_TYP)
            found.append(decode(kind, self._centre.verifier.verify(one.payload.decode(), typ)))
        return found

    def wait_for(self, wanted, meanwhile=lambda: None) -> Receipt | Resend:
        """Return the answer that is wanted; `meanwhile` is done once a second, as a kiosk sends again."""
        begin = time.monotonic()
        done = 0
        while (waited_s := time.monotonic() - begin) < WITHIN_S:
            if done <= waited_s:
                meanwhile()
                done += 1
            for one in self.all():
                if wanted(one):
                    return one
            threading.Event().wait(0.02)
        raise AssertionError(f"not told; told: {self.all()}")


@pytest.fixture
def answers(client, centre):
    return Answers(client, centre)


def count_of(kiosk):
    return msgspec.convert(kiosk.count(), KioskCount)


def holds(sequence):
    return lambda answer: isinstance(answer, Receipt) and answer.held_up_to >= sequence


def test_what_was_stored_is_answered_with_a_signed_receipt(collectors, kiosk, client, answers, engine):
    (collector,) = collectors()
    client.publish(stream_topic(kiosk.name, "crossing"), batch(kiosk.start_epoch(), *kiosk.crossings(3)))
    receipt = answers.wait_for(holds(4))
    assert (receipt.kiosk, receipt.stream, receipt.epoch) == (kiosk.name, "crossing", kiosk.epoch)
    assert receipt.hash_at == kiosk.hash
    assert not receipt.forked
    assert reconcile(engine, kiosk.name, count_of(kiosk)).is_clean
    assert collector.end() == 0


def test_a_kiosk_that_joins_the_collectors_swallows_nothing(collectors, kiosk, client, answers, ca, broker):
    collectors()
    with Participant(broker, ca[1] / "stolen") as stolen:
        for group in ("collectors", "collector", "landfall"):
            stolen.subscribe(f"$share/{group}/{STREAMS}")
        client.publish(stream_topic(kiosk.name, "crossing"), batch(kiosk.start_epoch()))
        for crossing in kiosk.crossings(10):
            client.publish(stream_topic(kiosk.name, "crossing"), batch(crossing))
        answers.wait_for(holds(11))


def test_two_collectors_share_the_work_and_every_record_is_held_once(collectors, kiosk, client, answers, engine):
    collectors(2)
    topic = stream_topic(kiosk.name, "crossing")
    sent = [kiosk.start_epoch(), *kiosk.crossings(40)]
    for start in range(0, len(sent), 2):
        client.publish(topic, batch(*sent[start : start + 3]))  # each second record comes twice
    answers.wait_for(holds(41))
    assert reconcile(engine, kiosk.name, count_of(kiosk)).is_clean
    with database.reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(record)) == 41


def test_a_collector_that_is_killed_again_and_again_loses_nothing(collectors, kiosk, client, answers, engine):
    (collector,) = collectors()
    topic = stream_topic(kiosk.name, "crossing")
    sent = [kiosk.start_epoch(), *kiosk.crossings(30)]
    for start in range(0, len(sent), 10):
        for one in sent[start : start + 10]:
            client.publish(topic, batch(one))
        collector.end(signal.SIGKILL)
        collector.start()
    collector.wait_for("collector ready")
    held = max((one.held_up_to for one in answers.all() if isinstance(one, Receipt)), default=0)
    for one in sent[held:]:  # as a kiosk does: from the last receipt on
        client.publish(topic, batch(one))
    answers.wait_for(holds(31))
    found = reconcile(engine, kiosk.name, count_of(kiosk))
    assert found.is_clean
    assert found.chain.records == 31


@on_one_database
def test_a_broker_that_restarts_is_found_again(collectors, kiosk, ca, centre, broker, engine):
    (collector,) = collectors()
    broker.kill()
    collector.wait_for("connection lost")
    broker.start()
    collector.wait_for("collector ready", times=2)
    with Participant(broker, ca[1] / "kiosk") as client:
        client.subscribe(receipt_topic(kiosk.name, "+"))
        client.publish(stream_topic(kiosk.name, "crossing"), batch(kiosk.start_epoch()))
        Answers(client, centre).wait_for(holds(1))
    assert collector.end() == 0


@on_one_database
def test_hostile_messages_are_set_aside_and_the_next_good_one_is_held(collectors, kiosk, client, answers, engine):
    (collector,) = collectors()
    topic = stream_topic(kiosk.name, "crossing")
    stranger = FakeKiosk("utopia/lane-1", centre=kiosk.centre)
    hostile = [os.urandom(1024 * 1024), b"", b"[" * 50_000, b"{}", b"[1]", batch(stranger.start_epoch())]
    for payload in hostile:
        client.publish(topic, payload)
    client.publish(stream_topic(kiosk.name, "audit"), batch(kiosk.clone().start_epoch()))
    client.publish(status_topic(kiosk.name), b"no status")
    client.publish(topic, batch(kiosk.start_epoch()))
    answers.wait_for(holds(1))
    with database.reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(rejected)) == len(hostile) + 1
    assert collector.end() == 0
    assert not any("Traceback" in line for line in collector.lines)


@on_one_database
def test_a_hole_is_asked_for_with_a_signed_request_and_closes(collectors, kiosk, client, answers, engine):
    collectors()
    topic = stream_topic(kiosk.name, "crossing")
    first, lost, last = kiosk.start_epoch(), *kiosk.crossings(2)
    client.publish(topic, batch(first, last))
    resend = answers.wait_for(lambda answer: isinstance(answer, Resend))
    assert (resend.kiosk, resend.stream, resend.epoch, resend.from_) == (kiosk.name, "crossing", kiosk.epoch, 2)
    client.publish(topic, batch(lost))
    answers.wait_for(holds(3))


@on_one_database
def test_a_kiosk_with_receipts_that_the_centre_does_not_remember_is_asked_at_once(collectors, kiosk, client, answers):
    collectors()
    kiosk.start_epoch()
    head = msgspec.structs.replace(kiosk.head, held_up_to=1)
    client.publish(status_topic(kiosk.name), kiosk.status(crossing=head), retain=True)
    assert answers.wait_for(lambda answer: isinstance(answer, Resend)).from_ == 1


@on_one_database
def test_a_retained_status_is_read_by_a_collector_that_comes_later(collectors, kiosk, client, answers, engine):
    kiosk.start_epoch()
    head = msgspec.structs.replace(kiosk.head, held_up_to=1)
    client.publish(status_topic(kiosk.name), kiosk.status(crossing=head), retain=True)
    collectors()
    answers.wait_for(lambda answer: isinstance(answer, Resend))
    assert [one.kind for one in overview(engine).incidents] == ["centre_restored"]


@on_one_database
def test_a_receipt_is_retained_for_a_kiosk_that_was_away(collectors, kiosk, client, answers, broker, ca, centre):
    collectors()
    client.publish(stream_topic(kiosk.name, "crossing"), batch(kiosk.start_epoch(), kiosk.crossing()))
    answers.wait_for(holds(2))
    with Participant(broker, ca[1] / "kiosk") as later:  # pushes the first connection of this certificate off
        later.subscribe(receipt_topic(kiosk.name, "crossing"))
        assert Answers(later, centre).wait_for(holds(2)).hash_at == kiosk.hash
        assert later.delivered(1)[0].retained


def test_a_database_that_another_writer_holds_delays_and_loses_nothing(collectors, kiosk, client, answers, engine):
    collectors()
    kiosk_records = [kiosk.start_epoch(), *kiosk.crossings(5)]
    with database.writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE branch IN EXCLUSIVE MODE"))
        client.publish(stream_topic(kiosk.name, "crossing"), batch(*kiosk_records))
        assert answers.all() == []
    answers.wait_for(holds(6))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_database_that_drops_its_connections_is_found_again(collectors, kiosk, client, answers, engine):
    (collector,) = collectors()
    topic = stream_topic(kiosk.name, "crossing")
    client.publish(topic, batch(kiosk.start_epoch()))
    answers.wait_for(holds(1))
    with engine.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    crossing = batch(kiosk.crossing())
    answers.wait_for(holds(2), meanwhile=lambda: client.publish(topic, crossing))
    assert collector.end() == 0


@on_one_database
def test_no_line_of_the_log_shows_what_was_in_a_letter(collectors, kiosk, client, answers):
    (collector,) = collectors()
    surname = "ERIKSSON"
    documents = [{"source": "mrz", "kind": "TD3", "reader": "r", "fields": {"surname": surname}, "verdicts": []}]
    sent = [kiosk.start_epoch(), kiosk.crossing(documents=documents), kiosk.append("x", surname.encode())]
    client.publish(stream_topic(kiosk.name, "crossing"), batch(*sent))
    answers.wait_for(holds(3))
    collector.end()
    assert surname not in "".join(collector.lines)
    assert all(line.startswith("<") for line in collector.lines)
