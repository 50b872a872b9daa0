"""Diagnostics are collected in a thread, for a bounded time, and one collection at a time."""

from __future__ import annotations

import queue
import threading

from edge.commands.collecting import COLLECT_S, Collecting, DiagnosticsCollected
from edge.threads import Threads
from edge.wire.commands import Result
from tests.edge.lane import moment


class Post:
    """A collection in a real thread, which ends when the test says so."""

    def __init__(self) -> None:
        self.found: queue.SimpleQueue[DiagnosticsCollected] = queue.SimpleQueue()
        self.go = threading.Event()
        self.threads = Threads(lambda died: None)
        self.collecting = Collecting(self.found.put, self.threads.start, self._collect)  # type: ignore[arg-type]

    def _collect(self) -> dict[str, int]:
        self.go.wait(10.0)
        return {"n": 1}

    def end(self) -> DiagnosticsCollected:
        self.go.set()
        return self.found.get(timeout=10.0)


def test_what_was_collected_in_time_is_the_answer() -> None:
    post = Post()
    assert post.collecting.begin(moment(100)) is None
    assert post.collecting.tick(moment(100 + COLLECT_S - 1)) is None
    found = post.end()
    assert (post.collecting.collected(found), found.content) == ((Result.DONE, ""), {"n": 1})
    assert post.collecting.deadline_s is None


def test_a_collection_that_hangs_ends_its_command_so_that_the_next_has_its_turn() -> None:
    post = Post()
    post.collecting.begin(moment(100))
    assert post.collecting.deadline_s == 100 + COLLECT_S
    result, detail = post.collecting.tick(moment(100 + COLLECT_S)) or (None, "")
    assert (result, "took longer" in detail) == (Result.FAILED, True)
    assert post.collecting.tick(moment(200)) is None
    again, why = post.collecting.begin(moment(201)) or (None, "")
    assert (again, "still hangs" in why, len(post.threads)) == (Result.FAILED, True, 1)
    assert post.collecting.collected(post.end()) is None, "the command was answered already"
    assert post.collecting.begin(moment(202)) is None
    assert post.collecting.collected(post.end()) == (Result.DONE, "")


def test_a_fault_of_the_collection_is_told_by_its_kind_alone() -> None:
    found: queue.SimpleQueue[DiagnosticsCollected] = queue.SimpleQueue()

    def collect() -> dict[str, int]:
        raise ValueError("ERIKSSON")

    collecting = Collecting(found.put, Threads(lambda died: None).start, collect)  # type: ignore[arg-type]
    collecting.begin(moment(100))
    assert collecting.collected(found.get(timeout=10.0)) == (Result.FAILED, "fault: ValueError")
