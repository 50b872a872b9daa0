"""Threads of the daemon: a death is an event, and what has ended is forgotten."""

from __future__ import annotations

import queue
import threading

from edge.threads import ThreadDied, Threads


def test_threads_that_have_ended_are_not_kept_however_many_were_started() -> None:
    threads = Threads(lambda died: None)
    for _ in range(20):
        threads.start("settings", lambda: None)
        threads.join(10.0)
    assert len(threads) == 1


def test_one_that_runs_is_kept_and_waited_for_by_its_name() -> None:
    threads, go = Threads(lambda died: None), threading.Event()
    threads.start("uplink", lambda: go.wait(10.0) and None)
    threads.start("settings", lambda: None)
    threads.join(10.0, "settings")
    threads.start("settings", lambda: None)
    assert len(threads) == 2
    go.set()
    threads.join(10.0)
    threads.start("last", lambda: None)
    threads.join(10.0)
    assert len(threads) == 1


def test_the_death_of_a_thread_is_told_by_its_kind_alone() -> None:
    def work() -> None:
        raise ValueError("ERIKSSON")

    told: queue.SimpleQueue[ThreadDied] = queue.SimpleQueue()
    Threads(told.put).start("survey", work)
    assert told.get(timeout=10.0) == ThreadDied("survey", "ValueError")
