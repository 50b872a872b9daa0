"""Six-character dates of a machine readable zone (ICAO Doc 9303-3 section 4.8) and the century they leave out.

Owns the century rule: nobody is born in the future, and a document expires within fifty years of today, before or
after. Unknown parts (fillers; 00 for a month or day) stay unknown. Always true: today's date is an argument; without it
the century stays open (`XX74-08-12`).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date

EXPIRY_WINDOW_YEARS = 50

_PARTS = re.compile(r"([0-9]{2}|<<)([0-9]{2}|<<)([0-9]{2}|<<)", re.ASCII)


def date_of_birth(six: str, today: date | None) -> str | None:
    """Return YYMMDD as a full-date not after `today`, `X` for open digits; None when there is no such day."""
    return _resolve(six, today, _birth_year)


def date_of_expiry(six: str, today: date | None) -> str | None:
    """Return YYMMDD as a full-date within fifty years of `today`; None when there is no such day."""
    return _resolve(six, today, _expiry_year)


def bounds(full_date: str) -> tuple[str, str]:
    """Return the earliest and the latest day that a date with open month or day can mean, as strings that sort."""
    year, month, day = full_date.split("-")
    if month != "XX":
        return f"{year}-{month}-{day.replace('XX', '01')}", f"{year}-{month}-{day.replace('XX', '31')}"
    return f"{year}-01-01", f"{year}-12-31"


def _birth_year(two: int, month: int, day: int, today: date) -> int:
    year = today.year - today.year % 100 + two
    return year - 100 if (year, month, day) > (today.year, today.month, today.day) else year


def _expiry_year(two: int, month: int, day: int, today: date) -> int:
    first = today.year - EXPIRY_WINDOW_YEARS
    return first + (two - first) % 100


def _resolve(six: str, today: date | None, year_of: Callable[[int, int, int, date], int]) -> str | None:
    if today is None or not (six.isascii() and six.isdecimal()) or six[2:4] == "00" or six[4:] == "00":
        return _resolve_open(six, today, year_of)
    number = int(six)
    month, day = number // 100 % 100, number % 100
    try:
        return date(year_of(number // 10000, month, day, today), month, day).isoformat()
    except ValueError:
        return None


def _resolve_open(six: str, today: date | None, year_of: Callable[[int, int, int, date], int]) -> str | None:
    """Resolve a date of which a part is not known: year, month, day, or the century for want of a clock."""
    parts = _PARTS.fullmatch(six)
    if parts is None:
        return None
    year, month, day = parts.groups()
    month, day = month.replace("<<", "00"), day.replace("<<", "00")
    if month > "12" or day > "31":
        return None
    if year == "<<" or six == "000000":  # of the year 2000 alone, 00<<<< would remain
        full = "XXXX"
    elif today is None:
        full = f"XX{year}"
    else:
        full = f"{year_of(int(year), int(month) or 1, int(day) or 1, today):04}"
    if month != "00" and int(day) > _most_days(full, int(month)):
        return None
    return f"{full}-{month}-{day}".replace("-00", "-XX")


def _most_days(year: str, month: int) -> int:
    """Return the days that the month can have, an open year or century taken as kindly as it can be."""
    kindest = "2000" if year == "XXXX" else year.replace("XX", "20")
    return calendar.monthrange(int(kindest), month)[1]
