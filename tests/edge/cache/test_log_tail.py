import hashlib
import shutil
from pathlib import Path

import pytest

from edge.cache import Cache, CacheReader, StoredRecord, Unreadable
from edge.cache.schema import PAGE_BYTES
from tests.edge.cache.specimens import append, begin, open_new, record

WAL_HEADER, FRAME = 32, 24 + PAGE_BYTES
SIZES = {"crossing": 600, "evidence": 9000}


def crossing_and_photo(n: int, stamp: str = "") -> list[StoredRecord]:
    """Return what one traveller leaves; another stamp makes other records of it. The photo fills pages of its own."""
    return [
        record(stream, n, size=size, time=stamp, hash=hashlib.sha256(f"{stream} {n} {stamp}".encode()).hexdigest())
        for stream, size in SIZES.items()
    ]


def cross(cache: Cache, stamp: str = "") -> None:
    """Append the next crossing and its photo as one transaction."""
    cache.append(crossing_and_photo(cache.head("crossing").next_sequence, stamp))


def log_of(path: Path) -> bytes:
    return path.with_name(f"{path.name}-wal").read_bytes()


def put(path: Path, file: bytes, log: bytes) -> Path:
    """Lay out a store that was found like this, in a folder of its own."""
    path.parent.mkdir()
    path.write_bytes(file)
    path.with_name(f"{path.name}-wal").write_bytes(log)
    return path


def altered(log: bytes, at: int) -> bytes:
    return log[:at] + bytes([log[at] ^ 0x10]) + log[at + 1 :]


def without_frame(log: bytes, number: int) -> bytes:
    """Return a log in which one frame never reached the disk."""
    at = WAL_HEADER + number * FRAME
    return log[:at] + bytes(FRAME) + log[at + FRAME :]


def lasts(cache: Cache) -> tuple[int, int]:
    return tuple(cache.head(stream).next_sequence - 1 for stream in SIZES)


def everything(path: Path) -> dict[tuple[str, int], StoredRecord | Unreadable]:
    with CacheReader.open(path) as reader:
        return {
            (stream, item.sequence): item
            for stream in SIZES
            for item in reader.first_after(stream, 0, limit=10**6, max_bytes=10**9)
        }


@pytest.fixture
def crossed(path) -> tuple[bytes, bytes, int]:
    """Return the file and the log of a store in which one traveller crossed, and how many frames came before that."""
    with open_new(path, ("crossing", "evidence")) as cache:
        before = len(log_of(path))
        cross(cache)
        return path.read_bytes(), log_of(path), (before - WAL_HEADER) // FRAME


def test_an_append_of_which_only_the_first_frames_were_written_is_there_whole_or_not_at_all(crossed, tmp_path):
    file, log, before = crossed
    frames = (len(log) - WAL_HEADER) // FRAME
    found = []
    for kept in range(before, frames + 1):
        path = put(tmp_path / str(kept) / "kiosk.db", file, log[: WAL_HEADER + kept * FRAME])
        with Cache.open(path) as cache:
            assert cache.salvaged is None
            found.append(lasts(cache))
    assert frames - before > 4
    assert set(found) == {(1, 1), (2, 2)}
    assert (found[0], found[-1]) == ((1, 1), (2, 2))


def test_an_append_of_which_one_frame_is_missing_is_there_whole_or_not_at_all(crossed, tmp_path):
    file, log, before = crossed
    found = set()
    for number in range(before, (len(log) - WAL_HEADER) // FRAME):
        path = put(tmp_path / str(number) / "kiosk.db", file, without_frame(log, number))
        with Cache.open(path) as cache:
            assert cache.salvaged is None, "a power cut is no damage"
            found.add(lasts(cache))
            cross(cache, "another time")
        items = everything(path)
        assert all(isinstance(item, StoredRecord) for item in items.values())
    assert found <= {(1, 1), (2, 2)}


def test_what_a_first_cut_left_in_the_log_is_not_taken_after_a_second_one(crossed, tmp_path):
    file, log, before = crossed
    frames = (len(log) - WAL_HEADER) // FRAME
    for missing in range(before, frames - 1):
        left = without_frame(log, missing)
        path = put(tmp_path / f"first-{missing}" / "kiosk.db", file, left)
        with Cache.open(path) as cache:
            if lasts(cache) != (1, 1):
                continue
            cross(cache, "another time")
            again = path.read_bytes(), log_of(path)
        for second in range(before, frames):
            # Up to here the second append was written, behind it lies what the first one left.
            at = WAL_HEADER + second * FRAME
            path = put(tmp_path / f"second-{missing}-{second}" / "kiosk.db", again[0], again[1][:at] + left[at:])
            with Cache.open(path) as cache:
                assert cache.salvaged is None
                assert lasts(cache) in ((1, 1), (2, 2))
            assert len({item.time for key, item in everything(path).items() if key[1] == 2}) <= 1


def test_whichever_frame_is_altered_every_crossing_but_the_last_survives_and_only_its_photo_is_missed(path, tmp_path):
    with open_new(path, ("crossing", "evidence")) as cache:
        cache.checkpoint()
        for _ in range(5):
            cross(cache)
        file, log = path.read_bytes(), log_of(path)
    written = [item for n in range(2, 7) for item in crossing_and_photo(n)]
    for at in range(WAL_HEADER + 24 + 2000, len(log), FRAME):
        copy = put(tmp_path / str(at) / "kiosk.db", file, altered(log, at))
        with Cache.open(copy) as cache:
            if cache.salvaged:
                begin(cache, "epoch-two", ("crossing", "evidence"))
            else:
                assert len(set(lasts(cache))) == 1
        found = everything(copy)
        lost = [item for item in written if found.get((item.stream, item.sequence)) != item]
        if any(item.sequence == 6 for item in lost):
            assert [item.sequence for item in lost] == [6, 6], "an append that nothing follows may have been cut off"
        else:
            assert [item.stream for item in lost] in ([], ["evidence"])
            assert all(isinstance(found[item.stream, item.sequence], Unreadable) for item in lost)


def test_the_first_records_of_a_store_are_not_lost_when_its_log_is_altered(path, tmp_path):
    with open_new(path, ("crossing", "evidence")) as cache:
        for _ in range(3):
            cross(cache)
        file, log = path.read_bytes(), log_of(path)
    for at in range(WAL_HEADER + 24 + 50, WAL_HEADER + 12 * FRAME, FRAME):
        copy = put(tmp_path / str(at) / "kiosk.db", file, altered(log, at))
        with Cache.open(copy) as cache:
            assert lasts(cache) == (4, 4)


@pytest.mark.parametrize("at", [0, 8, 20, 32 + 5, 32 + 24 + 100, 32 + 40 * 4120 + 12, 32 + 40 * 4120 + 999])
def test_records_behind_an_altered_place_in_the_log_are_not_lost(path, tmp_path, at):
    with open_new(path) as cache:
        cache.checkpoint()
        appended = append(cache, "crossing", 30)
        copy = tmp_path / "copy" / "kiosk.db"
        copy.parent.mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    with Path(f"{copy}-wal").open("r+b") as wal:
        wal.seek(at)
        byte = wal.read(1)
        wal.seek(at)
        wal.write(bytes([byte[0] ^ 0x10]))
    with Cache.open(copy) as cache:
        assert cache.head("crossing").next_sequence == 32
        if cache.salvaged:
            begin(cache, "epoch-two")
        append(cache, "crossing", 1)
    found = everything(copy)
    assert sum(found["crossing", item.sequence] == item for item in appended) >= 29
