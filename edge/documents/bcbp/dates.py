"""Gives the day of the year on a boarding pass its year.

Owns the two rules. A date of issue carries the last digit of its year: it is the latest such year that is not after
today's. A flight has no year at all: it is the first such day from the date of issue on, and without a date of issue
the one nearest to today. Always true: a day that does not exist in the year is no date, and with no today at hand only
what holds in every year it could be is said (EDTF, `X` for open digits).
"""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta

# A pass may be printed again for a leg that was flown the day before, in a time zone behind the issuer's.
_FLOWN_BEFORE_ISSUE_DAYS = 3
# A clock that is a little behind must not throw a pass issued on New Year's Day back by ten years.
_CLOCK_BEHIND_DAYS = 7


def day_in_year(year: int, day: int) -> date | None:
    """Return the `day`-th day of `year` (1 is the first of January), or None where that year has no such day."""
    if not date.min.year <= year <= date.max.year or not 1 <= day <= 365 + isleap(year):
        return None
    return date(year, 1, 1) + timedelta(days=day - 1)


def date_of_issue(year_digit: int, day: int, today: date) -> date | None:
    """Return the date of issue for the last digit of its year and the day of that year."""
    latest = _shift(today, _CLOCK_BEHIND_DAYS).year
    resolved = day_in_year(latest - (latest - year_digit) % 10, day)
    if resolved is not None and latest != today.year and resolved > _shift(today, _CLOCK_BEHIND_DAYS):
        return day_in_year(latest - 10, day)  # only its first days are near enough to count as this year's
    return resolved


def flight_after_issue(day: int, issued: date) -> date | None:
    """Return the first date with this day of the year that is not before the date of issue (3 days of grace)."""
    earliest = _shift(issued, -_FLOWN_BEFORE_ISSUE_DAYS)
    for year in (earliest.year, earliest.year + 1):
        resolved = day_in_year(year, day)
        if resolved is not None and resolved >= earliest:
            return resolved
    return None


def flight_nearest(day: int, today: date) -> date | None:
    """Return the date with this day of the year that is nearest to today."""
    years = range(max(today.year - 1, date.min.year), min(today.year + 1, date.max.year) + 1)
    candidates = [resolved for year in years if (resolved := day_in_year(year, day)) is not None]
    return min(candidates, key=lambda candidate: abs(candidate - today), default=None)


def open_date(day: int, year_digit: int | None = None) -> str | None:
    """Return the date as EDTF where the year is open, or None where not even the month holds in every such year.

    `year_digit` is the last digit of the year if the pass says it; an odd one rules out a leap year.
    """
    year = "XXXX" if year_digit is None else f"XXX{year_digit}"
    leap = day_in_year(2000, day)
    if year_digit is not None and year_digit % 2:
        common = day_in_year(2001, day)
        return None if common is None else f"{year}-{common:%m-%d}"
    common = day_in_year(2001, day)
    if leap is None or common is None:
        return None if leap is None else f"{year}-{leap:%m-%d}"
    if leap.month != common.month:
        return None
    return f"{year}-{leap:%m-%d}" if leap.day == common.day else f"{year}-{leap:%m}-XX"


def _shift(moment: date, days: int) -> date:
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return moment
