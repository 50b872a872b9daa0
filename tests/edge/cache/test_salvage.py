import shutil
import sqlite3
from pathlib import Path

import pytest

from edge.cache import Cache, CacheReader, Lost, StoredRecord, Unreadable
from edge.cache.schema import PAGE_BYTES, stream_table
from edge.errors import StoreDamaged, StoreError
from tests.edge.cache.specimens import EPOCH, STREAMS, append, begin, open_new, purge_all, record

SIZES = {"crossing": 600, "evidence": 9000, "audit": 300}
GARBAGE = bytes((n * 37 + 11) % 256 for n in range(PAGE_BYTES))


def fill(path: Path, count: int = 12) -> None:
    """Make a store of a few dozen pages: leaves, interior pages, overflow chains and free pages."""
    with open_new(path) as cache:
        for _ in range(count):
            for stream, size in SIZES.items():
                append(cache, stream, 1, size=size)
        cache.hold("evidence", 3, 0.0)
        purge_all(cache, 1.0)
        cache.set_state("boot", "1")
        cache.checkpoint()


def written(stream: str, sequence: int) -> StoredRecord:
    return record(stream, sequence, size=300 if sequence == 1 else SIZES[stream])


def everything(path: Path) -> dict[tuple[str, int], StoredRecord | Unreadable]:
    with CacheReader.open(path) as reader:
        return {
            (stream, item.sequence): item
            for stream in reader.heads()
            for item in reader.first_after(stream, 0, limit=10**6, max_bytes=10**9)
        }


@pytest.fixture(scope="module")
def pattern(tmp_path_factory) -> Path:
    """A sound store to damage copies of, all of it in the one file."""
    path = tmp_path_factory.mktemp("pattern") / "kiosk.db"
    fill(path)
    assert not path.with_name("kiosk.db-wal").exists()
    return path


def damaged_copy(pattern: Path, path: Path, offset: int, garbage: bytes) -> None:
    shutil.copy(pattern, path)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(garbage)


def page_count(path: Path) -> int:
    return path.stat().st_size // PAGE_BYTES


def rows_on_page(path: Path, number: int) -> int:
    """Return how many cells a page has if it is the leaf of a table (file format, section 1.6)."""
    page = path.read_bytes()[(number - 1) * PAGE_BYTES :][:PAGE_BYTES]
    start = 100 if number == 1 else 0
    return int.from_bytes(page[start + 3 : start + 5]) if page[start] == 0x0D else 0


def assert_usable_and_honest(path: Path) -> dict[tuple[str, int], StoredRecord | Unreadable]:
    """Open, begin an epoch if asked to, append; every record is then the one that was written, or is missed."""
    with Cache.open(path) as cache:
        missing = [stream for stream in STREAMS if stream not in cache.heads()]
        if cache.salvaged or missing:
            begin(cache, "epoch-two")
        for stream in STREAMS:
            append(cache, stream, 2)
        cache.hold("crossing", 1, 5.0)
        cache.set_state("boot", "2")
        assert cache.salvaged is None
    found = everything(path)
    for (stream, sequence), item in found.items():
        if isinstance(item, StoredRecord) and item.epoch == EPOCH and sequence <= 13:
            assert item == written(stream, sequence)
    for stream in STREAMS:
        sequences = [sequence for name, sequence in found if name == stream]
        assert sequences == list(range(1, len(sequences) + 1))
    return found


@pytest.mark.parametrize(
    "garbage", [bytes(PAGE_BYTES), GARBAGE, b"\xff" * PAGE_BYTES], ids=["zeros", "garbage", "ones"]
)
def test_whatever_page_is_lost_the_others_keep_their_records(pattern, tmp_path, garbage):
    for number in range(1, page_count(pattern) + 1):
        path = tmp_path / str(number) / "kiosk.db"
        path.parent.mkdir()
        damaged_copy(pattern, path, (number - 1) * PAGE_BYTES, garbage)
        found = assert_usable_and_honest(path)
        kept = sum(
            isinstance(item, StoredRecord) and item.epoch == EPOCH and key[1] <= 13 for key, item in found.items()
        )
        lost_at_most = max(rows_on_page(pattern, number), 1)
        assert kept >= 13 * 3 - 3 - lost_at_most, f"page {number}"


def test_a_flipped_bit_anywhere_never_becomes_a_wrong_record(pattern, tmp_path):
    raw = pattern.read_bytes()
    for n, offset in enumerate(range(3, len(raw), 1531)):
        path = tmp_path / str(n) / "kiosk.db"
        path.parent.mkdir()
        damaged_copy(pattern, path, offset, bytes([raw[offset] ^ 1 << n % 8]))
        assert_usable_and_honest(path)


@pytest.mark.parametrize("size", [0, 1, 100, 4096, 5000, 20 * 4096, -1])
def test_a_file_that_was_cut_off_keeps_what_is_left(pattern, path, size):
    raw = pattern.read_bytes()
    path.write_bytes(raw[:size])
    found = assert_usable_and_honest(path)
    if size == -1:
        assert sum(isinstance(item, StoredRecord) for item in found.values()) >= 36


def test_a_file_that_is_something_else_is_set_aside_untouched(path):
    path.write_bytes(b"not a database" * 1000)
    with Cache.open(path) as cache:
        assert (cache.heads(), cache.salvaged.epoch, cache.salvaged.streams) == ({}, "", {})
        assert cache.salvaged.damaged_file.read_bytes() == b"not a database" * 1000
        begin(cache, EPOCH)


def test_a_sound_store_is_not_salvaged(pattern, path):
    shutil.copy(pattern, path)
    with Cache.open(path) as cache:
        assert cache.salvaged is None
        assert cache.state("boot") == "1"
    assert sorted(file.name for file in path.parent.iterdir()) == ["kiosk.db", "kiosk.db.lock"]


def destroy_root(path: Path, stream: str) -> None:
    connection = sqlite3.connect(path)
    (root,) = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = ?", (stream_table(stream).strip('"'),)
    ).fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE_BYTES)
        file.write(bytes(PAGE_BYTES))


def test_a_salvage_says_what_it_was_and_the_old_file_stays(pattern, path):
    shutil.copy(pattern, path)
    destroy_root(path, "crossing")
    raw = path.read_bytes()
    seen = []
    with Cache.open(path, progress=lambda done, total: seen.append((done, total))) as cache:
        salvaged = cache.salvaged
        assert salvaged.epoch == EPOCH
        assert salvaged.streams["crossing"] == Lost(13, record("crossing", 13).hash)
        assert salvaged.damaged_file.read_bytes() == raw
        assert seen[-1] == (len(raw), len(raw))
        assert cache.state("boot") == "1"
        assert cache.head("evidence").held_up_to == cache.head("evidence").purged_up_to == 3
        with pytest.raises(StoreError, match="no epoch has begun"):
            cache.append([record("crossing", 14)])
    with Cache.open(path) as cache:
        assert cache.salvaged == salvaged, "until an epoch begins, a restart must not forget"
        begin(cache, "epoch-two")
        append(cache, "crossing", 1)
    with Cache.open(path) as cache:
        assert cache.salvaged is None
    found = everything(path)
    assert [found["crossing", n] for n in range(1, 14)] == [written("crossing", n) for n in range(1, 14)]


def test_a_second_salvage_keeps_the_file_of_the_first(pattern, path):
    shutil.copy(pattern, path)
    destroy_root(path, "crossing")
    with Cache.open(path) as cache:
        first = cache.salvaged.damaged_file
    destroy_root(path, "evidence")
    with Cache.open(path) as cache:
        assert cache.salvaged.epoch == EPOCH
        assert first.exists()
        assert cache.salvaged.damaged_file.exists()
        assert first != cache.salvaged.damaged_file
        assert cache.head("crossing").count == 13


def test_records_that_are_only_in_the_log_are_salvaged(path, tmp_path):
    with open_new(path) as cache:
        cache.checkpoint()
        append(cache, "crossing", 20)
        copy = tmp_path / "copy" / "kiosk.db"
        copy.parent.mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    copy.write_bytes(GARBAGE)
    with Cache.open(copy) as cache:
        assert cache.salvaged.streams["crossing"] == Lost(21, record("crossing", 21).hash)
        begin(cache, "epoch-two")
    found = everything(copy)
    assert [found["crossing", n] for n in range(1, 22)] == [record("crossing", n) for n in range(1, 22)]


def test_a_file_cut_to_nothing_does_not_drop_its_log(path, tmp_path):
    with open_new(path) as cache:
        append(cache, "crossing", 20)
        copy = tmp_path / "copy" / "kiosk.db"
        copy.parent.mkdir()
        shutil.copy(f"{path}-wal", f"{copy}-wal")
        copy.touch()
    with Cache.open(copy) as cache:
        assert cache.salvaged.streams["crossing"].last_sequence == 21


def test_a_lost_record_in_the_middle_leaves_the_store_as_it_is_and_can_be_set_aside(pattern, path):
    shutil.copy(pattern, path)
    raw = bytearray(path.read_bytes())
    (at,) = (
        at
        for at in range(0, len(raw), PAGE_BYTES)
        if raw[at] == 0x0D and b"crossing 5 epoch-one" in raw[at : at + PAGE_BYTES]
    )
    raw[at : at + PAGE_BYTES] = GARBAGE
    path.write_bytes(raw)
    with Cache.open(path) as cache, CacheReader.open(path) as reader:
        assert cache.salvaged is None
        found = reader.first_after("crossing", 0, limit=100, max_bytes=10**6)
        unreadable = [item for item in found if isinstance(item, Unreadable)]
        assert [item.sequence for item in found] == list(range(1, 14))
        assert unreadable
        assert {item.reason for item in unreadable} == {"damaged"}
        assert unreadable[-1].hash == record("crossing", unreadable[-1].sequence).hash
        for item in unreadable:
            cache.set_aside(item, record("crossing", item.sequence, type="org.landfall.tombstone.v1", body=b"{}"))
        found = reader.first_after("crossing", 0, limit=100, max_bytes=10**6)
        assert all(isinstance(item, StoredRecord) for item in found)
        append(cache, "crossing", 1)
        assert len(reader.table("crossing")) == len(list(reader.table("crossing"))) == 14


def test_tombstones_are_salvaged_too(pattern, path):
    shutil.copy(pattern, path)
    tombstone = record("crossing", 5, type="org.landfall.tombstone.v1", body=b"{}")
    with Cache.open(path) as cache:
        cache.set_aside(Unreadable("crossing", 5, "", "damaged"), tombstone)
    destroy_root(path, "crossing")
    with Cache.open(path) as cache:
        begin(cache, "epoch-two")
    assert everything(path)["crossing", 5] == tombstone


def test_damage_seen_while_the_store_is_in_use_is_salvaged_at_the_next_start(cache, path):
    append(cache, "crossing", 3)
    with pytest.raises(StoreDamaged), cache._storage.transaction():
        raise StoreDamaged("SQLite said so")
    append(cache, "crossing", 1)
    cache.close()
    with Cache.open(path) as again:
        assert again.salvaged.streams["crossing"].last_sequence == 5
    with Cache.open(path) as again:
        begin(again, "epoch-two")
    with Cache.open(path) as again:
        assert again.salvaged is None


def test_a_salvage_that_is_cut_off_begins_anew(pattern, path):
    shutil.copy(pattern, path)
    destroy_root(path, "crossing")

    def cut_off(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache.open(path, progress=cut_off)
    with Cache.open(path) as cache:
        assert cache.head("crossing").count == 13
    assert not path.with_name("kiosk.db.salvaging").exists()


@pytest.mark.parametrize("moved", [(), ("-wal",), ("-wal", "")], ids=["nothing", "log", "log and file"])
def test_a_salvage_that_was_cut_off_between_its_renames_is_finished(pattern, path, moved):
    shutil.copy(pattern, path)
    destroy_root(path, "crossing")
    path.with_name("kiosk.db-wal").write_bytes(b"old log")
    with Cache.open(path) as cache:
        aside = cache.salvaged.damaged_file
    # Put the names back to what they were at some moment of the salvage.
    path.rename(path.with_name("kiosk.db.salvaged"))
    for suffix in ("-wal", ""):
        if suffix not in moved:
            Path(f"{aside}{suffix}").rename(f"{path}{suffix}")
    with Cache.open(path) as cache:
        assert cache.salvaged.damaged_file == aside
        assert cache.head("crossing").count == 13
    assert aside.exists()
    assert Path(f"{aside}-wal").read_bytes() == b"old log"


def test_the_head_comes_back_from_the_last_receipt_and_the_rows(pattern, path):
    shutil.copy(pattern, path)
    with Cache.open(path) as cache:
        cache.hold("crossing", 9, 7.0)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE head SET digest = x''")
    connection.commit()
    connection.close()
    with Cache.open(path) as cache:
        head = cache.head("crossing")
        assert (head.next_sequence, head.last_hash, head.held_up_to) == (14, record("crossing", 13).hash, 9)
        assert cache.salvaged.epoch == EPOCH
