"""Files for the stick: what is in them, when they are whole, and what is refused."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from edge.cache import CacheReader
from edge.errors import LandfallError
from edge.queue import export as module
from edge.queue.export import export
from edge.seal import Signer
from edge.wire import carried
from edge.wire.messages import EXPORT_TYP, Export, decode
from tests.edge.queue.sealed_store import KIOSK, SealedStore

AT = "2026-03-02T12:00:00Z"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def write(store: SealedStore, target: Path, *, everything: bool = False, progress=lambda *_: None, **options):
    """Export as the verb does."""
    with CacheReader.open(store.path) as reader:
        signer = Signer(store.key)
        return export(reader, signer, KIOSK, target, everything=everything, at=AT, progress=progress, **options)


def sections(store: SealedStore, *files: Path) -> list[tuple[str, int, int, list[bytes]]]:
    """Return the sections of files: stream, from, to and the records."""
    found: list[tuple[str, int, int, list[bytes]]] = []
    for file in files:
        for line in file.read_bytes().splitlines():
            if carried.is_section_line(line):
                section = carried.decode_section_line(line)
                said = decode(Export, store.verifier.verify(section.export, EXPORT_TYP))
                assert (said.kiosk, section.kiosk, said.at) == (KIOSK, KIOSK, AT)
                found.append((said.stream, said.from_, said.to, []))
            else:
                found[-1][3].append(line)
    return found


def bodies(store: SealedStore, stream: str) -> list[bytes]:
    with CacheReader.open(store.path) as reader:
        return [record.body for record in reader.first_after(stream, 0, limit=10_000, max_bytes=1 << 30)]


def test_the_file_holds_the_stored_bytes_of_all_that_awaits_its_receipt(store, stick) -> None:
    store.crossings(10)
    store.cache.hold("crossing", 4, 1.0)
    store.cache.hold("audit", 1, 1.0)
    done = write(store, stick)
    assert [path.name for path in done.files] == ["records_utopia_lane-1_001.jsonl"]
    assert sections(store, *done.files) == [
        ("crossing", 5, 11, bodies(store, "crossing")[4:]),
        ("evidence", 1, 1, bodies(store, "evidence")),
    ]
    assert done.unreadable == 0 and done.bytes == done.files[0].stat().st_size


def test_everything_that_is_kept_goes_on_request(store, stick) -> None:
    store.crossings(10)
    store.cache.hold("crossing", 8, 1.0)
    store.cache.purge(2.0, slice_records=3)
    done = write(store, stick, everything=True)
    assert sections(store, *done.files)[0][1:3] == (4, 11)


def test_nothing_in_the_store_changes(store, stick) -> None:
    store.crossings(10)
    before = store.path.read_bytes(), store.cache.heads()
    write(store, stick)
    assert (store.path.read_bytes(), store.cache.heads()) == before


def test_nothing_is_written_when_nothing_awaits_its_receipt(store, stick) -> None:
    for stream in store.kiosks:
        store.cache.hold(stream, 1, 1.0)
    assert write(store, stick).files == ()
    assert list(stick.iterdir()) == []


def test_many_records_are_split_into_files_that_each_stand_for_themselves(store, stick) -> None:
    records = store.crossings(40)
    done = write(store, stick, file_bytes=10 * len(records[0].body))
    assert len(done.files) > 3
    assert all(path.stat().st_size <= 10 * len(records[0].body) for path in done.files)
    parts = [part for part in sections(store, *done.files) if part[0] == "crossing"]
    assert [part[1] for part in parts[1:]] == [part[2] + 1 for part in parts[:-1]]
    assert [body for part in parts for body in part[3]] == bodies(store, "crossing")


def test_one_new_file_can_be_named(store, stick) -> None:
    store.crossings(3)
    done = write(store, stick / "mine.jsonl", file_bytes=10)
    assert done.files == (stick / "mine.jsonl",)
    assert [part[0] for part in sections(store, *done.files)] == ["crossing", "audit", "evidence"]


def test_no_file_is_ever_written_over(store, stick) -> None:
    (stick / "records_utopia_lane-1_001.jsonl").write_text("of another day")
    (stick / "records_utopia_lane-1_002.jsonl.part").write_text("of a stick pulled out early")
    (stick / "records_utopia_lane-2_003.jsonl").write_text("of another kiosk")
    assert [path.name for path in write(store, stick).files] == ["records_utopia_lane-1_003.jsonl"]
    assert (stick / "records_utopia_lane-1_001.jsonl").read_text() == "of another day"
    with pytest.raises(LandfallError, match="is there already; give another name"):
        write(store, stick / "records_utopia_lane-2_003.jsonl")


def test_a_stick_that_is_not_mounted_does_not_become_a_file(store, stick) -> None:
    with pytest.raises(LandfallError, match="no such folder; is the stick mounted"):
        write(store, stick / "missing")
    with pytest.raises(LandfallError, match="no such folder; is the stick mounted"):
        write(store, stick / "missing" / "x.jsonl")
    assert list(stick.iterdir()) == []


def test_a_stick_without_room_is_refused_before_the_first_byte(store, stick, monkeypatch) -> None:
    monkeypatch.setattr(module, "free_bytes", lambda folder: 1_000_000)
    with pytest.raises(LandfallError, match=r"MB are to be written and 1\.0 MB are free; take a larger stick"):
        write(store, stick)
    assert list(stick.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.ENOSPC, "take a larger stick"),
        (errno.EIO, "was it pulled out"),
        (errno.EROFS, "write-protected"),
    ],
)
def test_a_stick_that_fails_is_one_sentence_and_leaves_no_half_file(store, stick, monkeypatch, code, sentence) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(module.os, "fsync", fail)
    with pytest.raises(LandfallError, match=sentence):
        write(store, stick)
    assert list(stick.iterdir()) == []


def test_a_stick_that_gives_back_something_else_is_refused(store, stick, monkeypatch) -> None:
    monkeypatch.setattr(module, "_read_back", lambda *_: b"something else")
    with pytest.raises(LandfallError, match="does not give back what was written; take another stick"):
        write(store, stick)
    assert list(stick.iterdir()) == []


def test_positions_that_cannot_be_read_are_counted_and_the_rest_goes(store, stick) -> None:
    store.crossings(10)
    with sqlite3.connect(store.path) as file:
        for sequence in (1, 5, 11):
            file.execute('UPDATE "stream crossing" SET body = zeroblob(10) WHERE sequence = ?', (sequence,))
    file.close()
    done = write(store, stick)
    assert done.unreadable == 3
    stream, first, last, records = sections(store, *done.files)[0]
    assert (stream, first, last, len(records)) == ("crossing", 1, 11, 8), "the centre sees that three are missing"


def test_progress_is_told_while_looking_writing_and_checking(store, stick, told) -> None:
    store.crossings(10)
    done = write(store, stick, progress=told)
    assert ("Looking", 13, 13) in told.calls
    size, name = done.bytes, done.files[0].name
    assert any(call[:2] == (f"Writing {name}", size) for call in told.calls)
    assert told.calls[-1] == (f"Checking {name}", size, size)
