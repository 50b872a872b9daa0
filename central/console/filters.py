"""PURE. What part of the fleet a page shows, and its address.

Owns the names of the filters in the URL and the order "worst first". Always true: what a URL says that makes no sense
is left out, so that every address leads to a page; the same address shows the same part to everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlencode

from central.fleet.view import KioskView, Standing
from central.fleet.words import Code, Severity

PAGE_KIOSKS = 50
_MAX_TEXT = 64
_NEVER = datetime.min.replace(tzinfo=UTC)
_URGENCY = {code: rank for rank, code in enumerate(Code)}


class Sort(StrEnum):
    """What comes first."""

    WORST = "worst"
    NAME = "name"
    QUEUE = "queue"
    HEARD = "heard"
    CROSSING = "crossing"


@dataclass(frozen=True, slots=True)
class Filter:
    """One part of the fleet; empty is everything. `page` counts from 1."""

    standing: str = ""
    site: str = ""
    code: str = ""
    version: str = ""
    text: str = ""
    sort: Sort = Sort.WORST
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """Read the query of an address."""
        page = query.get("page", "")
        return cls(
            standing=_one_of(Standing, query.get("state", "")),
            site=query.get("site", "")[:_MAX_TEXT],
            code=_one_of(Code, query.get("wrong", "")),
            version=query.get("version", "")[:_MAX_TEXT],
            text=query.get("find", "").strip().lower()[:_MAX_TEXT],
            sort=Sort(_one_of(Sort, query.get("sort", "")) or Sort.WORST),
            page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 7 and int(page) else 1,
        )

    @property
    def query(self) -> str:
        """Return the query of this part's address, without what is empty or usual."""
        said = {
            "state": self.standing,
            "site": self.site,
            "wrong": self.code,
            "version": self.version,
            "find": self.text,
            "sort": "" if self.sort is Sort.WORST else self.sort.value,
            "page": "" if self.page == 1 else str(self.page),
        }
        return urlencode({name: value for name, value in said.items() if value})

    def but(self, **changes: object) -> str:
        """Return the address of another part: this one with something changed, from its first page on."""
        query = replace(self, **({"page": 1} | changes)).query  # type: ignore[arg-type]
        return f"/?{query}" if query else "/"

    @property
    def is_everything(self) -> bool:
        """Tell whether nothing is left out."""
        return not (self.standing or self.site or self.code or self.version or self.text)

    def choose(self, kiosks: Iterable[KioskView]) -> list[KioskView]:
        """Return the kiosks of this part, all pages of it, in order."""
        return sorted(filter(self._fits, kiosks), key=_ORDERS[self.sort])

    def _fits(self, one: KioskView) -> bool:
        return (
            (not self.standing or one.standing == self.standing)
            and (not self.site or one.site == self.site)
            and (not self.code or any(found.code == self.code for found in one.findings))
            and (not self.version or (one.report is not None and one.report.version == self.version))
            and self.text in one.kiosk
        )


def worst_first(one: KioskView) -> tuple[int, int, str]:
    """Return the place of a kiosk: by its worst finding, then by name."""
    if not one.findings:
        return len(Severity), 0, one.kiosk
    worst = one.findings[0]
    return worst.severity, _URGENCY[worst.code], one.kiosk


_ORDERS: dict[Sort, Callable[[KioskView], tuple[object, ...]]] = {
    Sort.WORST: worst_first,
    Sort.NAME: lambda one: (one.kiosk,),
    Sort.QUEUE: lambda one: (-one.queue, one.kiosk),
    Sort.HEARD: lambda one: (one.heard_at or _NEVER, one.kiosk),
    Sort.CROSSING: lambda one: (one.last_stored_at or _NEVER, one.kiosk),
}


def _one_of(names: type[StrEnum], text: str) -> str:
    return text if text in set(names) else ""
