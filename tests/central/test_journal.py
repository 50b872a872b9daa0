"""What the log tells of an error that nobody expected."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import ArgumentError, OperationalError

from central.journal import told


def test_a_fault_is_told_by_kind_and_place_and_never_by_its_text() -> None:
    with pytest.raises(KeyError) as raised:
        {}["ERIKSSON"]
    assert told(raised.value) == f"fault: KeyError at test_journal.py:{raised.traceback[-1].lineno + 1}"


def test_a_fault_that_was_never_raised_has_no_place() -> None:
    assert told(KeyError("ERIKSSON")) == "fault: KeyError at unknown"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OperationalError("SELECT ERIKSSON", {}, sqlite3.OperationalError("ERIKSSON")), "OperationalError"),
        (OperationalError("SELECT ERIKSSON", {}, sqlite3.IntegrityError("ERIKSSON")), "IntegrityError"),
        (ArgumentError("ERIKSSON"), "ArgumentError"),
    ],
)
def test_of_a_database_error_the_drivers_kind_is_told_and_neither_statement_nor_row(error, kind: str) -> None:
    assert told(error) == f"database: {kind}"
