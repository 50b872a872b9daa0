"""The order of things in the collector, without a broker: commit, acknowledge, answer, and what a failure changes."""

from __future__ import annotations

from queue import SimpleQueue
from random import Random

import pytest
from sqlalchemy.exc import DataError, OperationalError

from central import database, gaps
from central.broker_link import Delivery, Disconnected, Subscribed
from central.clock import LONGEST_PAUSE_S, SHORTEST_PAUSE_S, Pause
from central.collector import Collector
from central.config import CollectorSettings
from edge.seal import Signer
from edge.wire.commands import REPORTED_TYP, Reported
from edge.wire.messages import RECEIPT_TYP, Receipt, decode, encode
from edge.wire.topics import reported_topic, status_topic, stream_topic
from tests.central.centre import Centre
from tests.harness.kiosk_records import FakeKiosk, batch, shared_centre_keys


class ScriptedLink:
    """A connection that delivers what it was given, writes down what it is told, and ends the collector."""

    def __init__(self, bench, messages, ends_after):
        self._bench, self._messages, self._ends_after = bench, messages, ends_after

    def open(self):
        self._bench.inbox.put(Subscribed(self))
        for number, (topic, payload) in enumerate(self._messages, start=1):
            self._bench.inbox.put(Delivery(self, number, topic, payload))

    def acknowledge(self, delivery):
        self._note(f"acknowledge {delivery.mid}")

    def publish(self, topic, payload, *, is_retained):
        self._bench.published.append((topic, payload, is_retained))
        self._note(f"publish {topic.split('/')[4]}")

    def close(self, timeout_s=2.0):
        self._bench.notes.append("close")

    def _note(self, note):
        self._bench.notes.append(note)
        if note == self._ends_after:
            self._bench.collector.stop()


class Bench:
    """A collector at a real database and at links that follow a script, one after the other."""

    def __init__(self, engine):
        self.centre = Centre(engine)
        self.kiosk = FakeKiosk()
        self.centre.register(self.kiosk)
        self.inbox = None
        self.links = []
        self.notes, self.published = [], []
        take = self.centre.store.take
        self.failures = []

        def watched(checked, refused, now):
            if self.failures and (failure := self.failures.pop(0)) is not None:
                self.notes.append("fail")
                raise failure
            taken = take(checked, refused, now)
            self.notes.append("commit")
            return taken

        self.centre.store.take = watched
        keys = shared_centre_keys()
        self.collector = Collector(
            CollectorSettings(), self.centre.store, self.centre.examiner, Signer(keys.receipt), self._open_link
        )

    def _open_link(self, inbox: SimpleQueue):
        self.inbox = inbox
        return self.links.pop(0)

    def script(self, *messages, ends_after):
        self.links.append(ScriptedLink(self, messages, ends_after))

    def stream(self, *records):
        return stream_topic(self.kiosk.name, "crossing"), batch(*records)

    def run(self):
        self.collector.run()
        return self.notes

    def receipts(self):
        verifier = shared_centre_keys().verifier
        return [decode(Receipt, verifier.verify(payload, RECEIPT_TYP)) for _, payload, _ in self.published]


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr("central.clock.SHORTEST_PAUSE_S", 0.001)
    monkeypatch.setattr("central.clock.LONGEST_PAUSE_S", 0.002)
    engine = database.connect(f"sqlite:///{tmp_path / 'central.db'}")
    database.upgrade(engine)
    yield Bench(engine)
    engine.dispose()


def test_messages_at_hand_are_committed_together_then_acknowledged_then_answered_once(bench):
    kiosk = bench.kiosk
    bench.script(bench.stream(kiosk.start_epoch()), bench.stream(*kiosk.crossings(2)), ends_after="publish receipt")
    assert bench.run() == ["commit", "acknowledge 1", "acknowledge 2", "publish receipt", "close"]
    (receipt,) = bench.receipts()
    assert (receipt.held_up_to, receipt.hash_at, bench.published[0][2]) == (3, kiosk.hash, True)


def busy():
    return OperationalError("statement", {}, Exception("database is locked"))


def test_a_busy_database_is_tried_again_before_anything_is_acknowledged(bench):
    bench.failures = [busy(), busy()]
    bench.script(bench.stream(bench.kiosk.start_epoch()), ends_after="publish receipt")
    assert bench.run() == ["fail", "fail", "commit", "acknowledge 1", "publish receipt", "close"]


def test_a_database_that_stays_away_sends_the_collector_from_the_broker_without_an_acknowledgement(bench, capsys):
    bench.failures = [busy()] * 4
    sent = bench.stream(bench.kiosk.start_epoch())
    bench.script(sent, ends_after="never")
    bench.script(sent, ends_after="publish receipt")
    assert bench.run() == ["fail"] * 4 + ["close", "commit", "acknowledge 1", "publish receipt", "close"]
    assert "database: Exception" in capsys.readouterr().err


def test_what_the_database_refuses_is_set_aside_alone(bench):
    refused = DataError("statement", {}, Exception("no such value"))
    bench.failures = [refused, None, refused]
    kiosk = bench.kiosk
    bench.script(bench.stream(kiosk.start_epoch()), bench.stream(kiosk.crossing()), ends_after="acknowledge 2")
    assert bench.run() == [
        "fail",
        "commit",
        "acknowledge 1",
        "publish receipt",
        "fail",
        "commit",
        "acknowledge 2",
        "close",
    ]
    assert bench.receipts()[0].held_up_to == 1
    assert bench.centre.incidents() == [("rejected", 0, 1)]


def test_what_came_over_a_lost_connection_is_not_acknowledged_over_the_next(bench):
    first = bench.stream(bench.kiosk.start_epoch())
    bench.script(first, ends_after="never")
    lost = bench.links[0]
    opened = lost.open

    def open_and_lose():
        opened()
        bench.inbox.put(Disconnected(lost, "Keep alive timeout"))

    lost.open = open_and_lose
    bench.script(first, ends_after="publish receipt")
    assert bench.run() == ["close", "commit", "acknowledge 1", "publish receipt", "close"]


def test_a_stream_called_status_is_a_stream(bench):
    bench.kiosk.stream = "status"
    sent = stream_topic(bench.kiosk.name, "status"), batch(bench.kiosk.start_epoch())
    bench.script(sent, ends_after="publish receipt")
    assert "commit" in bench.run()


@pytest.mark.parametrize("payload", [b"", b"noise"])
def test_a_status_that_says_nothing_is_acknowledged(bench, payload):
    bench.script((status_topic(bench.kiosk.name), payload), ends_after="acknowledge 1")
    assert bench.run() == ["acknowledge 1", "close"]


def test_acknowledgements_go_in_the_order_in_which_messages_came(bench):
    kiosk = bench.kiosk
    status = status_topic(kiosk.name), b"noise"
    first, second = bench.stream(kiosk.start_epoch()), bench.stream(kiosk.crossing())
    bench.script(status, first, status, second, ends_after="acknowledge 4")
    notes = [note for note in bench.run() if note.startswith("acknowledge")]
    assert notes == ["acknowledge 1", "acknowledge 2", "acknowledge 3", "acknowledge 4"]


def test_a_fault_of_the_program_costs_the_message_in_which_it_lies_and_names_its_place(bench, capsys):
    kiosk = bench.kiosk
    bench.failures = [ZeroDivisionError("Eriksson"), None, ZeroDivisionError("Eriksson")]
    bench.script(bench.stream(kiosk.start_epoch()), bench.stream(kiosk.crossing()), ends_after="acknowledge 2")
    assert bench.run()[-2:] == ["acknowledge 2", "close"]
    assert [one.held_up_to for one in bench.receipts()] == [1]
    said = capsys.readouterr().err
    assert "ZeroDivisionError at test_collector_order.py:" in said
    assert "Eriksson" not in said


def test_a_message_that_breaks_the_examination_is_set_aside(bench, monkeypatch):
    def broken(*_):
        raise KeyError("Eriksson")

    monkeypatch.setattr(bench.centre.examiner, "examine", broken)
    bench.script(bench.stream(bench.kiosk.start_epoch()), ends_after="acknowledge 1")
    assert bench.run() == ["commit", "acknowledge 1", "close"]
    assert bench.centre.incidents() == [("rejected", 0, 1)]


def test_a_fault_outside_of_any_message_costs_the_connection_and_not_the_collector(bench, monkeypatch, capsys):
    sent = bench.stream(bench.kiosk.start_epoch())
    bench.script(sent, ends_after="never")
    bench.script(sent, ends_after="publish receipt")
    sweep, faults = gaps.sweep, [ZeroDivisionError()]

    def broken_once(*arguments, **named):
        if faults:
            raise faults.pop()
        return sweep(*arguments, **named)

    monkeypatch.setattr(gaps, "sweep", broken_once)
    assert bench.run() == ["commit", "acknowledge 1", "publish receipt", "close"] * 2
    assert "fault: ZeroDivisionError" in capsys.readouterr().err


def test_pauses_are_random_within_three_times_the_one_before():
    pause, before = Pause(Random(1)), SHORTEST_PAUSE_S
    for _ in range(200):
        now = pause.next_s()
        assert SHORTEST_PAUSE_S <= now <= min(LONGEST_PAUSE_S, before * 3)
        before = now
    pause.reset()
    assert pause.next_s() <= SHORTEST_PAUSE_S * 3


def test_an_answer_that_the_database_refuses_costs_itself_and_not_the_collector(bench, monkeypatch, capsys):
    def refuse(*_):
        raise DataError("statement", {}, Exception("no such value"))

    monkeypatch.setattr("central.commands.take_reported", refuse)
    said = Reported(bench.kiosk.name, "2026-03-01T12:00:01.000Z", "1.0", "0" * 64, "settled", "an-id", 7)
    poison = reported_topic(bench.kiosk.name), bench.kiosk.signer.sign(encode(said), REPORTED_TYP).encode()
    bench.script(poison, bench.stream(bench.kiosk.start_epoch()), ends_after="acknowledge 2")
    assert bench.run() == ["commit", "publish receipt", "acknowledge 1", "acknowledge 2", "close"]
    assert "reported is left unread" in capsys.readouterr().err
