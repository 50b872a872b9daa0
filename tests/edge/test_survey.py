"""What is looked at now and then."""

from __future__ import annotations

import queue
import threading

import pytest

from edge.machine import Machine
from edge.survey import Surveyor
from tests.edge.desk import WITHIN_S, Desk
from tests.edge.test_credentials import provisioned


@pytest.fixture
def settings(tmp_path):
    return provisioned(tmp_path)


def test_before_there_is_a_store_machine_and_keys_are_known(settings, tmp_path) -> None:
    survey = Surveyor(settings, Machine(), print, 30, tell_fault=print).look()
    assert survey.keys.record_key and survey.machine.memory_bytes
    assert (survey.hours_left, dict(survey.oldest_at)) == (None, {})


def test_a_store_tells_its_boots_its_oldest_records_and_what_was_salvaged(settings, tmp_path) -> None:
    with Desk(tmp_path / "cache.db") as desk:
        desk.cross("a")
        (tmp_path / "cache.db.damaged-1").touch()
        survey = Surveyor(settings, Machine(tmp_path / "nothing"), print, 30, tell_fault=print).look()
    assert set(survey.oldest_at) >= {"crossing", "audit"}
    assert (survey.machine.boots, survey.damaged_files) == (1, 1)


def test_a_boot_that_the_watchdog_ended_says_so(settings, tmp_path) -> None:
    status = tmp_path / "sys/class/watchdog/watchdog0/bootstatus"
    status.parent.mkdir(parents=True)
    status.write_text("32")
    with Desk(tmp_path / "cache.db"):
        assert Surveyor(settings, Machine(tmp_path), print, 30, tell_fault=print).look().machine.last_end == "watchdog"


def test_it_tells_at_once_and_again_until_it_is_stopped(settings) -> None:
    told: queue.SimpleQueue = queue.SimpleQueue()
    surveyor = Surveyor(settings, Machine(), told.put, 0.01, tell_fault=told.put)
    thread = threading.Thread(target=surveyor.run)
    thread.start()
    assert told.get(timeout=WITHIN_S).keys == told.get(timeout=WITHIN_S).keys
    surveyor.stop()
    thread.join(WITHIN_S)
    assert not thread.is_alive()


class Broken(Machine):
    """A machine whose figures cannot be had at the first look."""

    def __init__(self) -> None:
        super().__init__()
        self._looks = 0

    def health(self, folder):
        self._looks += 1
        if self._looks == 1:
            raise OSError(5, "Input/output error")
        return super().health(folder)


def test_a_look_that_fails_is_told_and_the_next_one_is_made(settings) -> None:
    told: queue.SimpleQueue = queue.SimpleQueue()
    surveyor = Surveyor(settings, Broken(), told.put, 0.01, tell_fault=told.put)
    thread = threading.Thread(target=surveyor.run)
    thread.start()
    assert told.get(timeout=WITHIN_S) == "OSError"
    assert told.get(timeout=WITHIN_S).keys.record_key
    surveyor.stop()
    thread.join(WITHIN_S)


def test_the_battery_backed_clock_is_read_here_where_a_slow_bus_holds_up_nobody(settings) -> None:
    surveyor = Surveyor(settings, Machine(), print, 30, tell_fault=print, rtc_time_s=lambda: 1767225600.0)
    assert surveyor.look().rtc_time_s == 1767225600.0
