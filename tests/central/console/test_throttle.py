"""Guessing passwords takes ever longer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central import database
from central.console import throttle
from tests.central.console.harness import START


def attempt(engine, name="ada", address="192.0.2.1", after_s=0.0):
    with database.writing(engine) as connection:
        return throttle.begin(connection, throttle.strangers(name, address), START + timedelta(seconds=after_s))


def test_the_wait_doubles_after_the_free_attempts_and_ends_at_a_quarter_of_an_hour():
    assert [throttle.ONE.wait_s(failures) for failures in (1, 2, 3, 4, 5, 12, 13, 10_000)] == [
        0,
        0,
        2,
        4,
        8,
        900,
        900,
        900,
    ]


def test_attempts_in_a_row_are_refused_until_the_wait_is_over(engine):
    assert [attempt(engine) for _ in range(4)] == [0, 0, 0, 2]
    assert attempt(engine, after_s=1) == pytest.approx(1)
    assert [attempt(engine, after_s=2), attempt(engine, after_s=2)] == [0, 4]


def test_an_attempt_that_came_too_early_is_not_counted(engine):
    for _ in range(20):
        attempt(engine)
    assert attempt(engine, after_s=2) == 0


def test_many_accounts_from_one_address_are_one_guesser(engine):
    assert [attempt(engine, name=f"a{n}") for n in range(4)] == [0, 0, 0, 2]
    assert attempt(engine, name="a9", address="192.0.2.2") == 0


def test_many_addresses_for_one_account_are_one_guesser(engine):
    assert [attempt(engine, address=f"192.0.2.{n}") for n in range(4)] == [0, 0, 0, 2]
    assert attempt(engine, name="grace", address="192.0.2.9") == 0


def test_the_addresses_of_one_ipv6_subscriber_are_one_guesser(engine):
    assert [attempt(engine, name=f"a{n}", address=f"2001:db8::{n}") for n in range(4)] == [0, 0, 0, 2]
    assert attempt(engine, name="a9", address="2001:db8:0:1::1") == 0


def test_who_signs_in_begins_anew_and_others_at_that_address_do_not(engine):
    for _ in range(3):
        attempt(engine)
    whom = throttle.strangers("ada", "192.0.2.1")
    with database.writing(engine) as connection:
        throttle.succeed(connection, whom, START)
    assert attempt(engine, address="192.0.2.2") == 0
    assert [attempt(engine, name="grace"), attempt(engine, name="grace")] == [0, 2]


def test_failures_are_forgotten_after_a_day(engine):
    for _ in range(4):
        attempt(engine)
    assert [attempt(engine, after_s=90_000) for _ in range(3)] == [0, 0, 0]


def test_unlocking_forgets_an_accounts_failures(engine):
    for n in range(3):
        attempt(engine, address=f"192.0.2.{n}")
    with database.writing(engine) as connection:
        assert throttle.forget(connection, "ada")
        assert not throttle.forget(connection, "ada")
    assert attempt(engine, address="192.0.2.9") == 0


def looked_at(engine, guesses, every_s):
    """Return how many of so many guesses, each from an address of its own, were looked at."""
    return sum(attempt(engine, address=f"10.0.{n // 250}.{n % 250}", after_s=n * every_s) == 0 for n in range(guesses))


def test_guessing_from_everywhere_at_one_account_is_bounded_to_a_hundred_a_day(sqlite):
    assert looked_at(sqlite, 1440, 60) < 110


def test_guessing_from_everywhere_at_every_account_is_slowed_down_too(sqlite):
    guesses = ({"name": f"a{n}", "address": f"10.0.{n // 250}.{n % 250}", "after_s": n * 2} for n in range(600))
    assert sum(attempt(sqlite, **guess) == 0 for guess in guesses) < 100 + 10 + 600 * 2 / 30


def test_strangers_are_let_try_again_soon_after_a_flood(sqlite):
    for n in range(130):
        attempt(sqlite, name=f"a{n}", address=f"10.0.0.{n}")
    assert attempt(sqlite, address="192.0.2.200") > 0
    assert [attempt(sqlite, name=f"b{n}", address=f"192.0.2.{n}", after_s=600) for n in range(5)] == [0] * 5


def test_attempts_of_somebody_familiar_are_counted_and_slow_down_nobody_else(engine):
    def familiar(mark, name="ada"):
        with database.writing(engine) as connection:
            return throttle.begin(connection, throttle.familiars(name, mark), START)

    assert [familiar("home") for _ in range(4)] == [0, 0, 0, 2]
    assert [familiar("work"), familiar("home", "grace"), attempt(engine)] == [0, 0, 0]
