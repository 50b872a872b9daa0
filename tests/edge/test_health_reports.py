"""When the kiosk says how it is."""

from __future__ import annotations

import msgspec

from edge.cache import Head
from edge.errors import StoreError
from edge.health import Vitals
from edge.health_reports import NEWS_S, HealthReports
from tests.edge.lane import moment
from tests.edge.post import Post

EVERY_S = 30.0


class Told:
    """Reports of a post with one lane, as they are published."""

    def __init__(self) -> None:
        self.published: list[dict] = []
        self.vitals = Vitals()
        self.reports = HealthReports("utopia/lane-1", "1.0", self.vitals, Post().lanes, self._publish, every_s=EVERY_S)

    def _publish(self, figures: bytes) -> None:
        self.published.append(msgspec.json.decode(figures))

    def count_at(self, at_s: float) -> int:
        """Let the loop turn at a time; return how many reports went out so far."""
        self.reports.tick(moment(at_s))
        return len(self.published)


class Broken:
    """A reader of a store that cannot be read."""

    def heads(self) -> dict[str, Head]:
        raise StoreError("disk I/O error")


def test_a_report_goes_out_at_the_start_and_then_regularly() -> None:
    told = Told()
    assert [told.count_at(at_s) for at_s in (100, 101, 129.9, 130, 131)] == [1, 1, 1, 2, 2]
    assert told.reports.newest == told.published[-1]
    assert told.published[0]["devices"]["left"]["state"] == "lane ready"


def test_news_goes_out_soon_and_not_again_and_again() -> None:
    told = Told()
    told.count_at(100)
    for _ in range(3):
        told.reports.soon()
    assert told.reports.deadline_s == 100 + NEWS_S
    assert [told.count_at(at_s) for at_s in (100.5, 101, 101.5, 130.9, 131)] == [1, 2, 2, 2, 3]


def test_a_store_that_cannot_be_read_is_in_the_report() -> None:
    told = Told()
    told.reports.store_ready(Broken())  # type: ignore[arg-type]
    told.count_at(100)
    assert told.published[0]["store"]["error"] == "disk I/O error"
