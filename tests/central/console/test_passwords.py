"""Which passwords are good enough, and that a hash gives nothing away."""

from __future__ import annotations

import pytest

from central.console.passwords import MAX_CHARS
from edge.errors import LandfallError
from tests.central.console.harness import PASSWORD, cheap_passwords


@pytest.fixture(scope="module")
def passwords():
    return cheap_passwords()


def test_the_right_password_fits_and_another_does_not(passwords):
    kept = passwords.hash(PASSWORD, account="ada")
    assert PASSWORD not in kept
    assert kept.startswith("$argon2id$")
    assert (passwords.is_right(PASSWORD, kept), passwords.is_right(PASSWORD + " ", kept)) == (True, False)


def test_without_an_account_no_password_fits(passwords):
    assert not passwords.is_right("the password of no account", None)
    assert not passwords.is_right("anything", "no hash at all")


def test_two_keyboards_that_compose_letters_differently_write_the_same_password(passwords):
    kept = passwords.hash("caf\u00e9 lighthouse walnut", account="ada")
    assert passwords.is_right("cafe\u0301 lighthouse walnut", kept)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("walnut tram 14", "too short"),
        ("", "too short"),
        ("walnut " * 40, "too long"),
        ("aaaaaaaaaaaaaaaaaaaa", "guessed first"),
        ("passwordpassword", "guessed first"),
        ("123456789012345678", "guessed first"),
        ("grace.hoppergrace.hopper", "guessed first"),
    ],
)
def test_a_password_that_is_no_good_is_refused_and_not_repeated(passwords, password, why):
    with pytest.raises(LandfallError, match=why) as caught:
        passwords.hash(password, account="grace.hopper")
    assert not password or password not in str(caught.value)


def test_no_kind_of_character_is_asked_for_and_the_longest_is_taken(passwords):
    longest = ("lighthouse walnut tram " * 9)[:MAX_CHARS]
    assert passwords.is_right(longest, passwords.hash(longest, account="ada"))
    assert not passwords.is_right(longest + "x" * 100_000, passwords.hash(longest, account="ada"))
