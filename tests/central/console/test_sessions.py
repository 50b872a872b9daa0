"""Signing in and out: what is refused, what ends a session, and what the tables give away."""

from __future__ import annotations

import threading
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select, text

from central import database
from central.console import accounts, audit
from central.console.accounts import By
from central.console.rights import Role
from central.console.sessions import Attempt, Sessions, SignInRefused, TooManyAttempts, csrf_token
from central.console.tables import session
from central.console.totp import new_secret
from edge.errors import LandfallError
from tests.central.console.harness import PASSWORD, START, cheap_passwords

BY = By("test", START)


@pytest.fixture
def sessions(engine):
    passwords = cheap_passwords()
    accounts.add(engine, "ada", Role.OPERATOR, PASSWORD, passwords, BY)
    return Sessions(engine, passwords, idle=timedelta(minutes=60), longest=timedelta(hours=12))


def at(minutes):
    return START + timedelta(minutes=minutes)


def sign_in(sessions, name="ada", password=PASSWORD, code="", *, minutes=0.0, address="192.0.2.1"):
    return sessions.sign_in(Attempt(name, password, code, address), at(minutes)).session_id


def actions(engine):
    with database.reading(engine) as connection:
        return [(entry.actor, entry.action) for entry in reversed(audit.page(connection, before=None, size=99))]


def test_signing_in_gives_a_new_id_each_time_and_keeps_only_its_hash(engine, sessions):
    first, second = sign_in(sessions), sign_in(sessions)
    assert first != second
    assert sessions.of(first, START).account.name == "ada"
    with database.reading(engine) as connection:
        kept = str(connection.execute(select(session)).all())
    assert first not in kept and second not in kept


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "lighthouse walnut bus"), ("ada", ""), ("grace", PASSWORD), ("", ""), ("\0", "\0")]
)
def test_a_refusal_does_not_say_what_was_wrong(sessions, name, password):
    with pytest.raises(SignInRefused) as caught:
        sign_in(sessions, name, password)
    assert str(caught.value) == "name, password or code is not right"


def test_a_typed_name_that_is_no_account_is_nowhere_in_the_database(engine, sessions):
    with pytest.raises(SignInRefused):
        sign_in(sessions, "lighthouse walnut tram")
    assert actions(engine)[-1] == ("unknown account", "sign-in refused")
    with database.reading(engine) as connection:
        failures = str(connection.execute(text("SELECT * FROM sign_in_failure")).all())
    assert "walnut" not in failures


def test_too_many_attempts_are_refused_without_a_look_at_the_password(sessions):
    for _ in range(3):
        with pytest.raises(SignInRefused):
            sign_in(sessions, password="x")
    with pytest.raises(TooManyAttempts) as caught:
        sign_in(sessions)
    assert caught.value.wait_s == 2
    assert sessions.of(sign_in(sessions, minutes=1), at(1))


def test_many_attempts_at_once_do_not_slip_through(engine, sessions):
    outcomes = []

    def guess():
        try:
            sign_in(sessions, password="x")
        except LandfallError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["SignInRefused"] * 3 + ["TooManyAttempts"] * 5


def test_a_session_ends_after_a_time_without_a_page(sessions):
    session_id = sign_in(sessions)
    assert sessions.of(session_id, at(59))
    assert sessions.of(session_id, at(118))
    assert sessions.of(session_id, at(179)) is None


def test_a_stream_that_stays_open_does_not_keep_a_session_alive(sessions):
    session_id = sign_in(sessions)
    for minutes in range(0, 60, 5):
        assert sessions.of(session_id, at(minutes), is_seen=False)
    assert sessions.of(session_id, at(61), is_seen=False) is None


def test_no_session_lasts_longer_than_the_longest_time(sessions):
    session_id = sign_in(sessions)
    for minutes in range(0, 12 * 60, 30):
        assert sessions.of(session_id, at(minutes))
    assert sessions.of(session_id, at(12 * 60 + 1)) is None


def test_signing_out_ends_the_session_at_once(engine, sessions):
    session_id = sign_in(sessions)
    sessions.end(sessions.of(session_id, START), By("ada", START))
    assert sessions.of(session_id, START) is None
    assert actions(engine)[-1] == ("ada", "signed out")


@pytest.mark.parametrize(
    "change",
    [
        lambda engine: accounts.disable(engine, "ada", BY),
        lambda engine: accounts.set_role(engine, "ada", Role.AUDITOR, BY),
        lambda engine: accounts.set_password(engine, "ada", "walnut tram lighthouse", cheap_passwords(), BY),
        lambda engine: accounts.set_totp(engine, "ada", pyotp.random_base32(), BY),
    ],
    ids=["disabled", "another role", "another password", "a second factor"],
)
def test_a_change_of_the_account_ends_its_sessions(engine, sessions, change):
    session_id = sign_in(sessions)
    change(engine)
    assert sessions.of(session_id, START) is None


def test_a_disabled_account_is_refused_and_may_come_back(engine, sessions):
    accounts.disable(engine, "ada", BY)
    with pytest.raises(SignInRefused):
        sign_in(sessions)
    accounts.enable(engine, "ada", BY)
    assert sign_in(sessions)


@pytest.fixture
def totp(engine, sessions):
    secret, uri = new_secret("ada")
    assert uri.startswith("otpauth://totp/") and secret in uri
    accounts.set_totp(engine, "ada", secret, BY)
    return pyotp.TOTP(secret)


def test_a_one_time_code_counts_once(sessions, totp):
    code = totp.at(START)
    assert sign_in(sessions, code=f"{code[:3]} {code[3:]}")
    with pytest.raises(SignInRefused):
        sign_in(sessions, code=code)
    assert sign_in(sessions, code=totp.at(at(0.5)), minutes=0.5)


def test_of_two_who_use_one_code_at_once_one_gets_in(sessions, totp):
    outcomes = []

    def enter():
        try:
            sign_in(sessions, code=totp.at(START))
            outcomes.append("in")
        except SignInRefused:
            outcomes.append("out")

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "out"]


def test_a_code_may_be_one_step_early_or_late_and_no_more(sessions, totp):
    with pytest.raises(SignInRefused):
        sign_in(sessions, code=totp.at(at(-1)))
    assert sign_in(sessions, code=totp.at(at(-0.5)))
    assert sign_in(sessions, code=totp.at(at(0.5)))
    with pytest.raises(SignInRefused):
        sign_in(sessions, code=totp.at(at(1.0)))


@pytest.mark.parametrize("code", ["", "abcdef", "١٢٣٤٥٦", "000000000000", "\0"])
def test_what_is_no_code_is_refused(sessions, totp, code):
    with pytest.raises(SignInRefused):
        sign_in(sessions, code=code)


def test_a_form_token_belongs_to_one_session():
    assert csrf_token("a") == csrf_token("a") != csrf_token("b")


def test_no_secret_is_in_a_repr(sessions):
    attempt = Attempt("ada", PASSWORD, "123456", "192.0.2.1")
    assert PASSWORD not in repr(attempt) and "123456" not in repr(attempt)
