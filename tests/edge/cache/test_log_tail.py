import shutil
from pathlib import Path

import pytest

from edge.cache import Cache, CacheReader
from tests.edge.cache.specimens import append, begin, open_new


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
    with CacheReader.open(copy) as reader:
        found = reader.first_after("crossing", 0, limit=100, max_bytes=10**6)
    assert len(set(found) & set(appended)) >= 29
