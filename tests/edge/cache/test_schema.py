import sqlite3
import stat

import pytest

from edge.cache.schema import VERSION, connect, create_file, is_damage, migrate, store_error, stream_table
from edge.errors import StoreDamaged, StoreError, StoreFull


@pytest.fixture
def connection(path):
    create_file(path)
    connection = connect(path)
    yield connection
    connection.close()


def setting(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_commit_is_on_disk_when_it_returns(connection):
    assert (setting(connection, "journal_mode"), setting(connection, "synchronous")) == ("wal", 2)


def test_a_store_takes_little_memory_and_trusts_nothing_in_the_file(connection):
    names = ("mmap_size", "cache_size", "trusted_schema", "cell_size_check", "page_size")
    assert [setting(connection, name) for name in names] == [0, -512, 0, 1, 4096]


def test_a_file_is_never_made_over_another(path, connection):
    with pytest.raises(FileExistsError):
        create_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_migrating_twice_changes_nothing(connection):
    migrate(connection)
    migrate(connection)
    assert setting(connection, "user_version") == VERSION


def test_a_migration_that_fails_leaves_nothing_behind(connection):
    connection.execute("CREATE TABLE tombstone (a)")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("tombstone",)]
    assert not connection.in_transaction


@pytest.mark.parametrize("name", ["", "Crossing", "a b", 'a"b', "-a", "ä", "x" * 33, "crossing\n"])
def test_what_is_no_name_of_a_stream_never_reaches_sql(name):
    with pytest.raises(StoreError, match="no name of a stream"):
        stream_table(name)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, StoreFull),
        (sqlite3.SQLITE_CORRUPT_INDEX, StoreDamaged),
        (sqlite3.SQLITE_NOTADB, StoreDamaged),
        (sqlite3.SQLITE_IOERR_READ, StoreDamaged),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreError),
        (sqlite3.SQLITE_BUSY, StoreError),
    ],
)
def test_an_error_of_sqlite_says_what_to_do(path, code, kind):
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    assert type(store_error(error, path)) is kind
    assert is_damage(error) is (kind is StoreDamaged)
