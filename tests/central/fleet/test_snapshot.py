"""The fleet is read once for all who look at the same moment, and anew for who looks later."""

from __future__ import annotations

import threading
from types import SimpleNamespace

from central.fleet.snapshot import FRESH, Snapshot
from tests.central.console.harness import START


def reader(asked):
    """Return what reads a fleet of one kiosk and counts how often it was asked."""

    def read(at):
        asked.append(at)
        return SimpleNamespace(at=at, kiosks=(SimpleNamespace(kiosk="a/1"),))

    return read


def test_all_who_look_at_once_share_one_reading():
    asked = []
    snapshot = Snapshot(reader(asked))
    threads = [threading.Thread(target=snapshot.fleet, args=(START,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert snapshot.kiosk("a/1", START).kiosk == "a/1"
    assert snapshot.kiosk("a/2", START) is None
    assert asked == [START]


def test_who_looks_a_second_later_or_after_the_clock_was_set_back_sees_it_anew():
    asked = []
    snapshot = Snapshot(reader(asked))
    later = START + FRESH
    for at in (START, later, START):
        assert snapshot.fleet(at).at == at
    assert asked == [START, later, START]
