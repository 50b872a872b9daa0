"""The first page: the whole fleet, the worst first, and what to do about it.

Owns what of the fleet is put together for the page; the templates own how it looks. Always true: it reads the snapshot
alone, so that five kiosks and five thousand take the same few lines, and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from starlette.responses import Response

from central.console.filters import PAGE_KIOSKS, Filter, Sort
from central.console.live import Picture
from central.console.visit import Visit
from central.fleet.view import FleetView, KioskView, Standing
from central.fleet.words import WORDS, Code, Severity

SITES_SHOWN = 12
SORTS = {
    Sort.WORST: "worst first",
    Sort.NAME: "by name",
    Sort.QUEUE: "longest queue first",
    Sort.HEARD: "longest silent first",
    Sort.CROSSING: "longest without a crossing first",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """How many kiosks have one thing wrong with them."""

    code: Code
    severity: Severity
    kiosks: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What one address shows of the fleet at one moment."""

    fleet: FleetView
    filter: Filter
    kiosks: Sequence[KioskView]  # of this page
    chosen: int
    pages: int
    needy: int  # kiosks of the whole fleet that somebody should look after

    @classmethod
    def of(cls, fleet: FleetView, filter: Filter) -> Shown:
        """Put a page together."""
        chosen = filter.choose(fleet.kiosks)
        pages = max(1, ceil(len(chosen) / PAGE_KIOSKS))
        start = (min(filter.page, pages) - 1) * PAGE_KIOSKS
        needy = sum(any(found.severity < Severity.NOTICE for found in one.findings) for one in fleet.kiosks)
        return cls(fleet, filter, chosen[start : start + PAGE_KIOSKS], len(chosen), pages, needy)

    @property
    def troubles(self) -> list[Trouble]:
        """Return what is wrong in the fleet and with how many kiosks, the most urgent first."""
        counted = Counter(code for one in self.fleet.kiosks for code in {found.code for found in one.findings})
        found = [Trouble(code, WORDS[code].severity, counted[code]) for code in Code if counted[code]]
        return sorted(found, key=lambda one: one.severity)

    @property
    def versions(self) -> list[tuple[str, int]]:
        """Return the versions that kiosks run, the most frequent first."""
        said = Counter(one.report.version for one in self.fleet.kiosks if one.report and one.report.version)
        return said.most_common()

    @property
    def worst_sites(self) -> list[tuple[str, int, int]]:
        """Return the sites that have most kiosks in trouble: name, how many, of how many."""
        found = [(one.site, one.kiosks - one.standings[Standing.OK], one.kiosks) for one in self.fleet.sites]
        return sorted((one for one in found if one[1]), key=lambda one: (-one[1], one[0]))[:SITES_SHOWN]


def show(visit: Visit) -> Response:
    """Show the part of the fleet that the address names."""
    filter = Filter.of(visit.request.query_params)
    shown = Shown.of(visit.console.snapshot.fleet(visit.now), filter)
    return visit.show("fleet.html", {"shown": shown, "sorts": SORTS, "stream": f"/live?{filter.query}"})


def stream(visit: Visit) -> Response:
    """Keep the page of an address up to date."""
    filter = Filter.of(visit.request.query_params)
    parts = visit.console.templates.get_template("fleet_parts.html").module

    def draw(now: datetime) -> Picture:
        shown = Shown.of(visit.console.snapshot.fleet(now), filter)
        return Picture(
            {
                "notice": parts.notice(shown.fleet, now),
                "heading": parts.heading(shown),
                "aside": parts.aside(shown),
                "foot": parts.foot(shown),
            },
            {one.kiosk: parts.row(one, now, is_live=True) for one in shown.kiosks},
        )

    return visit.live(f"/live?{filter.query}", draw)


def show_sites(visit: Visit) -> Response:
    """Show every site, those in trouble first."""
    fleet = visit.console.snapshot.fleet(visit.now)
    sites = sorted(fleet.sites, key=lambda one: (one.standings[Standing.OK] == one.kiosks, one.site))
    return visit.show("sites.html", {"sites": sites, "fleet": fleet})
