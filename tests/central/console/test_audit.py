"""The audit log grows, and refuses everything else."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from central import database
from central.console import audit
from central.console.audit import Deed, Head
from central.console.tables import audit_entry
from tests.central.console.harness import START


def write(engine, *actions):
    with database.writing(engine) as connection:
        return [audit.append(connection, Deed("ada", action, "utopia/lane-1"), START) for action in actions]


def test_entries_stand_in_the_order_in_which_they_were_made(engine):
    heads = write(engine, "one", "two", "three")
    assert [head.sequence for head in heads] == [1, 2, 3]
    with database.reading(engine) as connection:
        newest = audit.page(connection, before=None, size=2)
        assert [entry.action for entry in newest] == ["three", "two"]
        assert [entry.action for entry in audit.page(connection, before=2, size=2)] == ["one"]
    assert audit.verify(engine) == audit.Verified(heads[-1], 0, "")


def test_an_empty_log_is_whole(engine):
    assert audit.verify(engine).broken_at == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'eve'",
        "UPDATE audit_entry SET actor = 'eve' WHERE sequence = 2",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_entry WHERE sequence = 3",
    ],
)
def test_the_database_itself_refuses_to_change_an_entry(engine, statement):
    heads = write(engine, "one", "two", "three")
    with pytest.raises(DBAPIError, match="the audit log cannot be changed"), database.writing(engine) as connection:
        connection.execute(text(statement))
    assert audit.verify(engine, heads[1]).head == heads[2]


def test_an_entry_cannot_be_replaced_or_the_log_be_emptied_at_once(engine):
    write(engine, "one")
    row = dict.fromkeys((column.name for column in audit_entry.c), "x") | {"sequence": 1}
    statements = [insert(audit_entry).values(row)]
    if engine.dialect.name == "sqlite":
        statements.append(insert(audit_entry).prefix_with("OR REPLACE").values(row))
    else:
        statements.append(text("TRUNCATE audit_entry"))
    for statement in statements:
        with pytest.raises(DBAPIError), database.writing(engine) as connection:
            connection.execute(statement)
    assert audit.verify(engine).broken_at == 0


def behind_its_back(engine, statement):
    """Change the log as who owns the database can."""
    names = ("update", "delete", "insert")
    with database.writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            for name in names:
                connection.execute(text(f"DROP TRIGGER audit_entry_keep_{name}"))
        else:
            connection.execute(text("DROP TRIGGER audit_entry_keep ON audit_entry"))
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit_entry SET actor = 'eve' WHERE sequence = 2", 2),
        ("UPDATE audit_entry SET at = '2020-01-01T00:00:00.000Z' WHERE sequence = 1", 1),
        ("UPDATE audit_entry SET hash = previous WHERE sequence = 3", 3),
        ("DELETE FROM audit_entry WHERE sequence = 2", 2),
        ("DELETE FROM audit_entry WHERE sequence = 1", 1),
        ("UPDATE audit_entry SET sequence = 9 WHERE sequence = 4", 4),
    ],
)
def test_what_was_changed_behind_the_databases_back_is_found(engine, statement, broken_at):
    write(engine, "one", "two", "three", "four")
    behind_its_back(engine, statement)
    assert audit.verify(engine).broken_at == broken_at


def test_a_tail_that_was_cut_off_is_found_by_an_entry_that_was_noted(engine):
    heads = write(engine, "one", "two", "three")
    behind_its_back(engine, "DELETE FROM audit_entry WHERE sequence = 3")
    assert audit.verify(engine).broken_at == 0
    assert audit.verify(engine, heads[2]).broken_at == 3
    assert audit.verify(engine, Head(2, "0" * 64)).broken_at == 2


def test_the_journal_has_place_and_hash_and_nobodys_name(engine, capsys):
    (head,) = write(engine, "signed in")
    said = capsys.readouterr().err
    assert f"audit 1 {head.hash}" in said
    assert "ada" not in said


def test_text_that_no_database_takes_is_made_fit(engine):
    with database.writing(engine) as connection:
        audit.append(connection, Deed("ada", "note", "a\0b\ud800", "x" * 10_000), START)
        (entry,) = audit.page(connection, before=None, size=1)
    assert (entry.subject, len(entry.detail)) == ("ab?", 500)
    assert audit.verify(engine).broken_at == 0
