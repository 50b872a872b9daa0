"""How figures and moments read on a page.

Owns units and roundings, as filters for the templates. Always true: a moment is shown in UTC, or as an age beside the
moment itself; what is not known is a dash.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from markupsafe import Markup, escape

UNKNOWN = "–"
_STEPS = ((86_400 * 2, 86_400, "d"), (7200, 3600, "h"), (120, 60, "min"), (0, 1, "s"))


def age(moment: str | datetime | None, now: datetime) -> str:
    """Return how long ago a moment is, in one unit: `5 s`, `12 min`, `3 h`, `9 d`; later than now counts as now."""
    if not moment:
        return UNKNOWN
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return duration((now - at).total_seconds())


def duration(seconds: float | None) -> str:
    """Return a duration in one unit."""
    if seconds is None:
        return UNKNOWN
    seconds = max(0.0, seconds)
    size, unit = next((size, unit) for least, size, unit in _STEPS if seconds >= least)
    return f"{int(seconds // size)} {unit}"


def utc(moment: str | datetime | None) -> str:
    """Return a moment for people: `2026-03-01 12:00:05 UTC`."""
    if not moment:
        return UNKNOWN
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def count(number: float | None) -> str:
    """Return a whole number with thin spaces between thousands (ISO 80000-1, 7.3.1)."""
    return UNKNOWN if number is None else f"{round(number):,}".replace(",", "\u202f")


def octets(number: float | None) -> str:
    """Return a number of bytes in one decimal unit."""
    if number is None:
        return UNKNOWN
    for unit in ("B", "kB", "MB", "GB"):
        if abs(number) < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def iso(moment: str | datetime | None) -> str:
    """Return a moment for machines, as `time` elements want it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if isinstance(moment, datetime) else moment or ""


def words(code: str) -> str:
    """Return a code as words: `device_lost` is `Device lost`."""
    return code.replace("_", " ").capitalize()


def prose(text: str) -> Markup:
    """Return a sentence, escaped, with what stands in backquotes as code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))


FILTERS = {one.__name__: one for one in (age, count, duration, iso, octets, prose, utc, words)}
