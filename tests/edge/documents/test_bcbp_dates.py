"""How a day of the year gets its year, and how the verdict says so."""

from datetime import date

import pytest

from edge.documents.bcbp import parse
from edge.documents.bcbp.dates import (
    date_of_issue,
    day_in_year,
    flight_after_issue,
    flight_nearest,
    open_date,
)
from edge.documents.verdict import Result


def a_pass(flight="226", issued=None):
    block = "00" if issued is None else f"0D>807   {issued}00"
    return f"M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 {flight}F001A0025 1{block}"


def answer(document, check):
    [verdict] = [verdict for verdict in document.verdicts if verdict.check == check]
    return verdict.result, verdict.detail


def test_the_first_day_is_new_years_day_and_a_leap_year_has_366():
    assert day_in_year(2026, 1) == date(2026, 1, 1)
    assert day_in_year(2024, 366) == date(2024, 12, 31)
    assert day_in_year(2026, 366) is None
    assert day_in_year(2026, 0) is None


@pytest.mark.parametrize(
    ("digit", "day", "today", "expected"),
    [
        (6, 225, date(2026, 8, 14), date(2026, 8, 13)),
        (5, 365, date(2026, 1, 2), date(2025, 12, 31)),
        (7, 1, date(2026, 12, 31), date(2027, 1, 1)),  # the kiosk's clock is a day behind
        (7, 200, date(2026, 12, 31), date(2017, 7, 19)),
        (7, 1, date(2026, 8, 14), date(2017, 1, 1)),
        (6, 366, date(2026, 8, 14), None),
        (1, 364, date(2023, 1, 1), date(2021, 12, 30)),
        (9, 365, date(9999, 12, 31), date(9999, 12, 31)),
    ],
)
def test_the_date_of_issue_is_in_the_latest_year_with_its_digit(digit, day, today, expected):
    assert date_of_issue(digit, day, today) == expected


@pytest.mark.parametrize(
    ("day", "issued", "expected"),
    [
        (226, date(2026, 8, 13), date(2026, 8, 14)),
        (1, date(2026, 12, 31), date(2027, 1, 1)),
        (364, date(2026, 12, 31), date(2026, 12, 30)),  # printed again after the first leg
        (365, date(2026, 1, 1), date(2025, 12, 31)),  # issued ahead of us in time
        (200, date(2026, 8, 14), date(2027, 7, 19)),
        (366, date(2026, 8, 14), None),
        (366, date(2027, 8, 14), date(2028, 12, 31)),
        (1, date(9999, 12, 31), None),
    ],
)
def test_a_flight_is_on_the_first_such_day_from_its_issue_on(day, issued, expected):
    assert flight_after_issue(day, issued) == expected


@pytest.mark.parametrize(
    ("day", "today", "expected"),
    [
        (226, date(2026, 8, 14), date(2026, 8, 14)),
        (365, date(2027, 1, 1), date(2026, 12, 31)),
        (1, date(2026, 12, 31), date(2027, 1, 1)),
        (366, date(2025, 1, 1), date(2024, 12, 31)),
        (366, date(2026, 6, 1), None),
        (1, date(1, 1, 1), date(1, 1, 1)),
        (365, date(9999, 12, 31), date(9999, 12, 31)),
    ],
)
def test_without_an_issue_a_flight_is_on_the_nearest_such_day(day, today, expected):
    assert flight_nearest(day, today) == expected


@pytest.mark.parametrize(
    ("day", "digit", "expected"),
    [
        (1, None, "XXXX-01-01"),
        (59, None, "XXXX-02-28"),
        (60, None, None),  # 29 February or 1 March
        (226, None, "XXXX-08-XX"),
        (366, None, "XXXX-12-31"),
        (226, 7, "XXX7-08-14"),  # an odd year is no leap year
        (226, 6, "XXX6-08-XX"),
        (366, 7, None),
    ],
)
def test_an_open_year_says_no_more_than_holds_in_every_year(day, digit, expected):
    assert open_date(day, digit) == expected


def test_the_verdict_says_that_the_year_came_from_the_issue():
    document = parse(a_pass(issued="6225"), today=date(2026, 8, 14))
    assert document.fields["legs"][0]["date_of_flight"] == "2026-08-14"
    assert answer(document, "date_of_flight") == (Result.OK, "year taken from the date of issue")


def test_the_verdict_says_that_the_year_came_from_today():
    document = parse(a_pass(), today=date(2026, 8, 14))
    assert answer(document, "date_of_flight") == (Result.OK, "year taken as the nearest to today")


def test_a_year_taken_from_today_is_doubtful_months_away():
    document = parse(a_pass(), today=date(2026, 1, 14))
    assert document.fields["legs"][0]["date_of_flight"] == "2025-08-14"
    assert answer(document, "date_of_flight")[0] is Result.DOUBTFUL


def test_an_unset_clock_leaves_the_year_open():
    document = parse(a_pass(issued="7225"), today=None)
    assert document.fields["legs"][0]["date_of_flight"] == "XXXX-08-XX"
    assert document.fields["date_of_issue_of_boarding_pass"] == "XXX7-08-13"
    assert answer(document, "date_of_flight") == (Result.NOT_DONE, "clock unset")
    assert answer(document, "date_of_issue") == (Result.NOT_DONE, "clock unset")


@pytest.mark.parametrize("flight", ["000", "367", "999", "A26"])
def test_what_is_no_day_of_the_year_fails_and_the_rest_stays(flight):
    document = parse(a_pass(flight=flight), today=date(2026, 8, 14))
    assert answer(document, "date_of_flight")[0] is Result.FAILED
    assert "date_of_flight" not in document.fields["legs"][0]
    assert document.fields["legs"][0]["seat_number"] == "001A"


def test_a_pass_issued_long_ago_or_in_the_future_is_doubtful():
    assert answer(parse(a_pass(issued="6230"), today=date(2026, 8, 14)), "date_of_issue")[0] is Result.DOUBTFUL
    assert answer(parse(a_pass(issued="4230"), today=date(2026, 8, 14)), "date_of_issue")[0] is Result.DOUBTFUL


def test_a_bad_date_of_issue_leaves_the_flight_to_today():
    document = parse(a_pass(issued="A225"), today=date(2026, 8, 14))
    assert answer(document, "date_of_issue")[0] is Result.DOUBTFUL
    assert document.fields["legs"][0]["date_of_flight"] == "2026-08-14"
