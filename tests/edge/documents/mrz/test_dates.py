"""Dates of six characters, and the century that they leave out."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.documents.mrz.dates import bounds, date_of_birth, date_of_expiry

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("six", "full_date"),
    [
        ("740812", "1974-08-12"),
        ("261122", "2026-11-22"),
        ("261123", "1926-11-23"),
        ("000229", "2000-02-29"),
        ("74<<<<", "1974-XX-XX"),
        ("7408<<", "1974-08-XX"),
        ("740800", "1974-08-XX"),
        ("740000", "1974-XX-XX"),
        ("74<<12", "1974-XX-12"),
        ("26<<<<", "2026-XX-XX"),
        ("2612<<", "1926-12-XX"),
        ("<<0812", "XXXX-08-12"),
        ("<<0229", "XXXX-02-29"),
        ("00<<<<", "2000-XX-XX"),
        ("<<<<<<", "XXXX-XX-XX"),
        ("000000", "XXXX-XX-XX"),
        ("741301", None),
        ("740231", None),
        ("010229", None),
        ("740832", None),
        ("7<0812", None),
        ("74081", None),
        ("７４0812", None),
        ("74O812", None),
    ],
)
def test_nobody_is_born_in_the_future_and_unknown_parts_stay_unknown(six, full_date):
    assert date_of_birth(six, TODAY) == full_date


@pytest.mark.parametrize(
    ("six", "full_date"),
    [
        ("120415", "2012-04-15"),
        ("940623", "1994-06-23"),
        ("340415", "2034-04-15"),
        ("760101", "1976-01-01"),
        ("751231", "2075-12-31"),
        ("<<<<<<", "XXXX-XX-XX"),
        ("270231", None),
    ],
)
def test_a_document_expires_within_fifty_years_of_today(six, full_date):
    assert date_of_expiry(six, TODAY) == full_date


@pytest.mark.parametrize(
    ("six", "full_date"),
    [("740812", "XX74-08-12"), ("000229", "XX00-02-29"), ("010229", None), ("7408<<", "XX74-08-XX")],
)
def test_without_a_clock_the_century_stays_open(six, full_date):
    assert date_of_birth(six, None) == full_date
    assert date_of_expiry(six, None) == full_date


@given(born=st.dates(date(1930, 1, 1), date(2120, 1, 1)), age_days=st.integers(0, 36_000))
def test_a_birth_date_less_than_a_century_back_comes_out_whole(born, age_days):
    today = date.fromordinal(born.toordinal() + age_days)

    assert date_of_birth(born.strftime("%y%m%d"), today) == born.isoformat()


def test_an_open_date_spans_from_its_first_to_its_last_day():
    assert bounds("2026-11-XX") == ("2026-11-01", "2026-11-31")
    assert bounds("2026-XX-XX") == ("2026-01-01", "2026-12-31")
    assert bounds("2026-11-22") == ("2026-11-22", "2026-11-22")
