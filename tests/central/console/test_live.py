"""What a stream sends, to whom, and when it ends."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.exceptions import HTTPException

from central.console import live
from central.console.live import Live, Picture
from tests.central.console.harness import START, Clock


def test_only_what_changed_is_sent():
    before = Picture({"heading": "a", "foot": "f"}, {"a/1": "x", "a/2": "y"})
    after = Picture({"heading": "b", "foot": "f"}, {"a/1": "x", "a/2": "z"})
    assert after.since(before) == {"parts": {"heading": "b"}, "rows": {"a/2": "z"}}
    assert after.since(after) == {}


def test_a_row_that_came_went_or_moved_tells_the_new_order():
    two = Picture({}, {"a/1": "x", "a/2": "y"})
    assert Picture({}, {"a/2": "y", "a/1": "x"}).since(two) == {"order": ["a/2", "a/1"]}
    assert Picture({}, {"a/1": "x"}).since(two) == {"order": ["a/1"]}
    assert Picture({}, {"a/1": "x", "a/2": "y", "a/3": "z"}).since(two) == {
        "rows": {"a/3": "z"},
        "order": ["a/1", "a/2", "a/3"],
    }


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(live, "EVERY_S", 0.01)


def collect(response, most):
    async def read():
        found = []
        async for piece in response.body_iterator:
            found.append(piece.decode())
            if len(found) == most:
                break
        await response.body_iterator.aclose()
        return found

    return asyncio.run(read())


def test_a_stream_begins_with_everything_and_goes_on_with_changes(fast):
    clock, pictures = Clock(), iter([Picture({"heading": "a"}), Picture({"heading": "a"}), Picture({"heading": "b"})])

    def draw(now):
        clock.pass_time(1)
        return next(pictures)

    events = collect(Live(clock).follow("/live", draw, lambda: True), 2)
    assert [json.loads(event.removeprefix("data: ")) for event in events] == [
        {"parts": {"heading": "a"}},
        {"parts": {"heading": "b"}},
    ]


def test_a_stream_ends_with_its_session(fast):
    assert collect(Live(Clock()).follow("/live", lambda now: Picture({}), lambda: False), 9) == [
        "event: signed-out\ndata:\n\n"
    ]


def test_streams_of_one_address_share_what_is_drawn(fast):
    drawn = []

    def draw(now):
        drawn.append(now)
        return Picture({"heading": "a"})

    streams = Live(Clock())
    for _ in range(3):
        collect(streams.follow("/live", draw, lambda: True), 1)
    collect(streams.follow("/live?site=a", draw, lambda: True), 1)
    assert drawn == [START, START]


def test_when_the_program_ends_every_stream_does_and_none_begins(fast):
    streams = Live(Clock())

    def draw(now):
        streams.end()
        return Picture({"heading": "a"})

    assert len(collect(streams.follow("/live", draw, lambda: True), 9)) == 1
    with pytest.raises(HTTPException):
        streams.follow("/live", draw, lambda: True)


def test_there_are_never_more_streams_than_the_limit(fast, monkeypatch):
    monkeypatch.setattr(live, "MAX_STREAMS", 0)
    with pytest.raises(HTTPException) as caught:
        Live(Clock()).follow("/live", lambda now: Picture({}), lambda: True)
    assert caught.value.status_code == 503
