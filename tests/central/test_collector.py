"""The collector as a process of its own, with a real broker and real databases."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from central import registry
from central.collector import utc_now
from central.reconcile import KioskCount, reconcile
from edge.wire.messages import RECEIPT_TYP, RESEND_TYP, Receipt, Resend, decode
from edge.wire.topics import command_topic, receipt_topic, stream_topic
from provisioning.authority import Authority, make_centre_keys
from provisioning.local_broker import LocalBroker
from tests.harness.kiosk_records import CentreKeys, FakeKiosk, batch
from tests.harness.mosquitto import Participant

pytestmark = pytest.mark.journey
WITHIN_S = 20.0


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    folder = tmp_path_factory.mktemp("centre")
    authority = Authority.create(folder / "ca")
    authority.issue_client(folder / "kiosk", "utopia/lane-1")
    for name in ("collector-1", "collector-2"):
        authority.issue_collector(folder / name, name)
    make_centre_keys(folder / "keys")
    return authority, folder


@pytest.fixture(scope="module")
def centre(ca):
    from edge.seal import load_private_key

    keys = ca[1] / "keys"
    return CentreKeys(load_private_key(keys / "receipt.key.json"), load_private_key(keys / "opening.key.json"))


@pytest.fixture
def broker(ca, tmp_path):
    with LocalBroker(tmp_path / "broker", ca[0], centre=["collector-1", "collector-2"]) as broker:
        yield broker


class Running:
    """One collector process, and what it has said so far."""

    def __init__(self, folder: Path, name: str, ca: Path, broker: LocalBroker, url: str) -> None:
        settings = folder / f"{name}.toml"
        settings.write_text(
            f'[database]\nurl = "{url}"\n'
            f'[broker]\nhost = "localhost"\nport = {broker.port}\n'
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
            found = self._said.wait_for(lambda: sum(text in line for line in self.lines) >= times, WITHIN_S)
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
            running.append(Running(tmp_path, f"collector-{number}", ca[1], broker, url))
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

    def wait_for(self, wanted) -> Receipt | Resend:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
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
