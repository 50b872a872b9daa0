"""Records as a technician may see them."""

from __future__ import annotations

import sqlite3

import pytest

from edge.errors import LandfallError
from edge.queue.listing import details, rows
from edge.seal import Signer


def positions(found) -> list[int]:
    return [row["sequence"] for row in found]


def test_a_row_says_position_type_time_direction_outcome_size_and_receipt(store, reader) -> None:
    (record,) = store.crossings(1, training=True)
    store.cache.hold("crossing", 2, 1.0)
    assert list(rows(reader, "crossing", after=1)) == [
        {
            "sequence": 2,
            "type": "org.landfall.crossing.v1",
            "time": "2026-03-01T12:01:00.000Z",
            "direction": "entry",
            "outcome": "passed",
            "training": True,
            "bytes": len(record.body),
            "receipted": True,
        }
    ]


def test_rows_come_after_a_position_up_to_a_limit(store, reader) -> None:
    store.crossings(20)
    assert positions(rows(reader, "crossing", after=5, limit=3)) == [6, 7, 8]
    assert positions(rows(reader, "crossing", after=19)) == [20, 21]
    assert positions(rows(reader, "crossing", after=21)) == []


def test_only_what_awaits_its_receipt(store, reader) -> None:
    store.crossings(9)
    store.cache.hold("crossing", 6, 1.0)
    assert positions(rows(reader, "crossing", unreceipted=True)) == [7, 8, 9, 10]
    assert positions(rows(reader, "crossing", unreceipted=True, after=8)) == [9, 10]


def test_a_stream_that_is_not_there_names_those_that_are(reader) -> None:
    with pytest.raises(LandfallError, match="there is no stream 'photos'; there are crossing, audit, evidence"):
        list(rows(reader, "photos"))


def test_details_show_claims_hashes_sizes_and_key_ids(store, reader) -> None:
    first, second = store.crossings(2)
    found = details(reader, "crossing", 3)
    assert (found["hash"], found["claims"]["prev"]) == (second.hash, first.hash)
    assert found["envelope"]["kid"] == Signer(store.key).kid
    letter = found["letter"]
    assert (letter["alg"], letter["enc"], letter["kid"]) == (
        "ECDH-ES", "A256GCM", store.kiosks["crossing"].centre.letters.thumbprint(),
    )  # fmt: skip
    assert found["bytes"] == len(second.body) > letter["bytes"] + found["envelope"]["bytes"]
    assert not found["receipted"]


def test_a_position_that_never_was_says_what_there_is(store, reader) -> None:
    store.crossings(2)
    for position in (0, -1, 4):
        with pytest.raises(LandfallError, match="it goes from 1 to 3"):
            details(reader, "crossing", position)


def test_a_position_that_was_released_or_cannot_be_read_says_so(store, reader) -> None:
    store.crossings(5)
    store.cache.hold("crossing", 2, 1.0)
    store.cache.purge(2.0)
    with sqlite3.connect(store.path) as file:
        file.execute('UPDATE "stream crossing" SET body = zeroblob(10) WHERE sequence = 4')
    file.close()
    with pytest.raises(LandfallError, match="crossing 1 is not here: purged; the centre held it"):
        details(reader, "crossing", 1)
    with pytest.raises(LandfallError, match="crossing 4 is not here: damaged; the kiosk puts a tombstone"):
        details(reader, "crossing", 4)
