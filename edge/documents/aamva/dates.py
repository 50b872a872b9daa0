"""Dates on driving licences: MMDDCCYY in the United States, CCYYMMDD in Canada, in Mexico and in version 1.

Owns the reading of eight digits. The two orders cannot be mistaken for each other while years lie between 1900 and
2099, because no month is 19 or 20: so a date in the other order than its state's is read, and said to be.
"""

from __future__ import annotations

from calendar import monthrange
from typing import NamedTuple

_FIRST_YEAR, _LAST_YEAR = 1900, 2099
_NEVER = ("00000000", "99999999")


class CardDate(NamedTuple):
    """One date: full-date or EDTF, and whether it stood in the order that was expected."""

    printed: str
    in_order: bool


def is_year_first(version: int, state: str) -> bool:
    """Tell whether dates are CCYYMMDD on cards of this version from this state (alpha-3)."""
    return version == 1 or state in ("CAN", "MEX")


def read_date(digits: str, *, year_first: bool) -> CardDate | None:
    """Read eight digits in the expected order, else in the other one; None where neither is a date.

    Separators between the digits are ignored. A month or day of 00 stays open (`XX`).
    """
    digits = digits.translate(_WITHOUT_SEPARATORS)
    if len(digits) != 8 or not (digits.isascii() and digits.isdecimal()):
        return None
    for order in (year_first, not year_first):
        year, month, day = (digits[:4], digits[4:6], digits[6:]) if order else (digits[4:], digits[:2], digits[2:4])
        if printed := _printed(year, month, day):
            return CardDate(printed, order is year_first)
    return None


def never_expires(text: str) -> bool:
    """Tell whether the text stands for a card without an end: nines, zeros or nothing."""
    return not text or text in _NEVER or text.upper() in ("NONE", "NON-EXPIRING", "INDEF")


def write_date(full_date: str, *, year_first: bool) -> str:
    """Write a full-date in the order of the state; raises ValueError for anything but YYYY-MM-DD or its EDTF form."""
    year, month, day = (part.replace("XX", "00") for part in full_date.split("-"))
    if _printed(year, month, day) is None:
        raise ValueError("no date between 1900 and 2099")
    return year + month + day if year_first else month + day + year


_WITHOUT_SEPARATORS = str.maketrans("", "", "-/. ")


def _printed(year: str, month: str, day: str) -> str | None:
    if not (len(year) == 4 and len(month) == len(day) == 2 and (year + month + day).isdecimal()):
        return None
    if not _FIRST_YEAR <= int(year) <= _LAST_YEAR or int(month) > 12:
        return None
    if int(month) == 0:
        return f"{year}-XX-XX" if int(day) == 0 else None
    if int(day) > monthrange(int(year), int(month))[1]:
        return None
    return f"{year}-{month}-{'XX' if int(day) == 0 else day}"
