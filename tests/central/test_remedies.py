"""What is said of a database that cannot be used: enough to mend it, and nothing that a row holds."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from central import database
from central.journal import database_error
from central.remedies import remedy


def fault(url: str, statement: str = "SELECT 1") -> SQLAlchemyError:
    engine = database.connect(url)
    try:
        with pytest.raises(SQLAlchemyError) as raised, database.writing(engine) as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()
    return raised.value


@pytest.mark.parametrize(
    ("change", "said", "typed"),
    [
        (
            {"username": "landfall-watch"},
            'role "landfall-watch" does not exist',
            "make it: sudo -u postgres createuser landfall-watch",
        ),
        ({"username": "eva"}, 'role "eva" does not exist', "run it as root, with sudo"),
        (
            {"database": "landfall_2"},
            'database "landfall_2" does not exist',
            "make it: sudo -u postgres createdb --owner landfall-collector landfall_2",
        ),
        ({"query": {"host": "/nowhere"}}, "No such file or directory", "systemctl status postgresql"),
    ],
    ids=["role", "person", "database", "server"],
)
def test_a_postgresql_that_lets_nobody_in_says_why_and_what_to_type(server, change, said, typed):
    error = fault(make_url(server()).set(**change).render_as_string(hide_password=False))
    assert said in database_error(error)
    assert typed in remedy(error)
    assert "\n" not in database_error(error)


def test_of_what_the_server_refuses_only_the_kind_is_told(engine, url):
    error = fault(url, "SELECT 'Eriksson' FROM no_such_table")
    assert database_error(error) in ("UndefinedTable", "SQLITE_ERROR")
    assert "Eriksson" not in database_error(error) + remedy(error)


def test_an_sqlite_file_that_cannot_be_opened_is_told_apart(tmp_path):
    error = fault(f"sqlite:///{tmp_path}/no-folder/central.db")
    assert database_error(error) == "SQLITE_CANTOPEN"
    assert "see whether the folder" in remedy(error)
