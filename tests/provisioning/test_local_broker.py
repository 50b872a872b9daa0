import socket

import pytest

from edge.errors import ProvisioningError
from edge.wire.topics import PREFIX
from provisioning.authority import Authority
from provisioning.local_broker import LocalBroker, find_mosquitto
from tests.harness.mosquitto import Participant

A = "khb/kiosk-a"
STATUS = f"{PREFIX}/{A}/status"


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def authority(folder):
    authority = Authority.create(folder / "ca")
    authority.issue_client(folder / "kiosk", A)
    authority.issue_collector(folder / "collector-1", "collector-1")
    return authority


def is_retained(broker, folder):
    """Tell whether the kiosk's birth is still there, by asking for it and for a marker behind it."""
    with Participant(broker, folder / "collector-1") as collector, Participant(broker, folder / "kiosk") as kiosk:
        collector.subscribe(STATUS)
        kiosk.publish(STATUS, b"marker")
        return collector.delivered(1)[0].payload == b"birth"


def keep_a_birth(broker, folder):
    with Participant(broker, folder / "kiosk") as kiosk:
        kiosk.publish(STATUS, b"birth", retain=True)


def test_a_restart_keeps_port_and_retained_messages(authority, folder):
    with LocalBroker(folder / "broker", authority) as broker:
        port = broker.port
        keep_a_birth(broker, folder)
        broker.restart()
        assert broker.port == port
        assert is_retained(broker, folder)


def test_a_restart_that_forgets_is_like_a_new_broker(authority, folder):
    with LocalBroker(folder / "broker", authority) as broker:
        keep_a_birth(broker, folder)
        broker.restart(forgets_sessions=True)
        assert not is_retained(broker, folder)


def test_without_sessions_a_restart_forgets(authority, folder):
    with LocalBroker(folder / "broker", authority, keeps_sessions=False) as broker:
        keep_a_birth(broker, folder)
        broker.restart()
        assert not is_retained(broker, folder)


def test_a_killed_broker_saves_nothing_and_starts_again(authority, folder):
    with LocalBroker(folder / "broker", authority) as broker:
        keep_a_birth(broker, folder)
        broker.kill()
        assert not broker.is_running
        broker.start()
        assert not is_retained(broker, folder)


def test_a_frozen_broker_answers_when_it_thaws_and_can_be_stopped_while_frozen(authority, folder):
    with LocalBroker(folder / "broker", authority) as broker:
        broker.freeze()
        assert broker.is_running
        broker.thaw()
        keep_a_birth(broker, folder)
        broker.freeze()
    assert not broker.is_running


def test_a_collector_that_joins_later_is_let_in_without_a_restart(authority, folder):
    authority.issue_collector(folder / "collector-2", "collector-2")
    with LocalBroker(folder / "broker", authority) as broker:
        broker.set_centre(["collector-1", "collector-2"])
        with Participant(broker, folder / "collector-2") as collector:
            assert collector.publish(f"{PREFIX}/{A}/desired", b"1") != "Not authorized"


def test_starting_twice_and_stopping_twice_do_no_harm(authority, folder):
    broker = LocalBroker(folder / "broker", authority)
    broker.stop()
    broker.start()
    broker.start()
    broker.stop()
    broker.stop()
    assert not broker.is_running


def test_a_signal_to_a_broker_that_does_not_run_says_so(authority, folder):
    with pytest.raises(ProvisioningError, match="does not run; start it first"):
        LocalBroker(folder / "broker", authority).freeze()


def test_a_port_that_is_taken_is_named_with_the_brokers_own_words(authority, folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        broker = LocalBroker(folder / "broker", authority, port=port)
        with pytest.raises(ProvisioningError, match=rf"did not start on port {port}: .*[Aa]ddress .*in use"):
            broker.start()
    assert not broker.is_running
    broker.start()
    broker.stop()


def test_a_machine_without_mosquitto_is_told_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("provisioning.local_broker._SYSTEM_FOLDERS", "/nonexistent")
    with pytest.raises(ProvisioningError, match="apt-get install mosquitto"):
        find_mosquitto()


def test_the_port_of_a_broker_that_is_stopped_is_kept_from_others(authority, folder):
    broker = LocalBroker(folder / "broker", authority)
    for _ in range(2):
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((broker.host, broker.port))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((broker.host, broker.port))
        broker.start()
        broker.stop()
