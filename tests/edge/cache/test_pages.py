import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.cache.pages import DamagedFile

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.binary(max_size=30),
    st.sampled_from([0, 1, 127, 128, -129, 2**15, 2**23, 2**31, 2**47, "x" * 4000, b"y" * 4061, b"z" * 50_000]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), VALUES, VALUES), max_size=8, unique_by=lambda r: r[0]))
@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_every_row_that_sqlite_wrote_is_found(folder, journal, rows):
    path = folder / f"{journal}.db"
    for file in folder.glob(f"{journal}.db*"):
        file.unlink()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA page_size = 4096")
    connection.execute(f"PRAGMA journal_mode = {journal}").fetchone()
    connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, a, b)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    damaged = DamagedFile(path)  # while SQLite has it open, so that the log is there
    found = {(signed(row_id), *values[1:]) for _, row_id, values in damaged.rows() if len(values) == 3}
    damaged.close()
    connection.close()
    assert found >= set(rows)


@settings(max_examples=100, deadline=None)
@given(noise=st.binary(max_size=200), start=st.integers(0, 4000), kind=st.sampled_from([0x0D, 0x05, 0x00]))
def test_noise_has_no_rows_or_some_but_never_an_error(folder, noise, start, kind):
    page = bytearray(4096 * 2)
    page[start : start + len(noise)] = noise
    page[0] = page[4096] = kind
    for name in ("noise.db", "noise.db-wal"):
        (folder / name).write_bytes(page)
    damaged = DamagedFile(folder / "noise.db")
    list(damaged.rows())
    list(damaged.pages_in_log())
    damaged.close()


def signed(row_id):
    return row_id - 2**64 if row_id >= 2**63 else row_id
