"""Accounts: their names, and that every change stands in the audit log."""

from __future__ import annotations

import pytest

from central import database
from central.console import accounts, audit
from central.console.accounts import By
from central.console.rights import RIGHTS, Right, Role, who_may
from edge.errors import LandfallError
from tests.central.console.harness import PASSWORD, START, cheap_passwords

BY = By("command line", START)


def add(engine, name, role=Role.OPERATOR):
    accounts.add(engine, name, role, PASSWORD, cheap_passwords(), BY)


def test_accounts_are_listed_by_name(engine):
    add(engine, "grace")
    add(engine, "ada", Role.AUDITOR)
    found = accounts.everyone(engine)
    assert [(one.name, one.role, one.has_totp) for one in found] == [
        ("ada", Role.AUDITOR, False),
        ("grace", Role.OPERATOR, False),
    ]
    assert "argon2" not in repr(found)


@pytest.mark.parametrize("name", ["", "A", "ada lovelace", "a", "1a", "<script>", "ada\n", "x" * 33])
def test_a_name_that_is_hard_to_read_or_to_type_is_refused(engine, name):
    with pytest.raises(LandfallError, match="is no name for an account"):
        add(engine, name)


def test_a_name_is_given_once(engine):
    add(engine, "ada")
    with pytest.raises(LandfallError, match="there is an account ada already"):
        add(engine, "ada")


def test_an_account_that_is_not_there_is_named(engine):
    with pytest.raises(LandfallError, match="there is no account ada"):
        accounts.disable(engine, "ada", BY)


def test_every_change_stands_in_the_audit_log(engine):
    add(engine, "ada")
    accounts.set_role(engine, "ada", Role.TECHNICIAN, BY)
    accounts.set_totp(engine, "ada", "A" * 32, BY)
    accounts.set_totp(engine, "ada", None, BY)
    accounts.set_password(engine, "ada", "walnut tram lighthouse", cheap_passwords(), BY)
    accounts.disable(engine, "ada", BY)
    accounts.enable(engine, "ada", BY)
    with database.reading(engine) as connection:
        entries = list(reversed(audit.page(connection, before=None, size=9)))
    assert {(entry.actor, entry.subject) for entry in entries} == {("command line", "ada")}
    assert [(entry.action, entry.detail) for entry in entries] == [
        ("account added", "operator"),
        ("role changed", "technician"),
        ("one-time codes on", ""),
        ("one-time codes off", ""),
        ("password changed", ""),
        ("account disabled", ""),
        ("account enabled", ""),
    ]


def test_roles_have_the_rights_that_their_work_needs():
    assert {role: RIGHTS[role] for role in Role} == {
        Role.AUDITOR: {Right.LOOK, Right.SEE_AUDIT_LOG},
        Role.OPERATOR: {Right.LOOK, Right.TEND_ALERTS},
        Role.TECHNICIAN: {Right.LOOK, Right.TEND_ALERTS, Right.COMMAND},
    }
    assert who_may(Right.TEND_ALERTS) == "operator or technician"
