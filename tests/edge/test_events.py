"""Events and actions: silent about the traveller, exact about the time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from edge.documents.verdict import Result, Verdict
from edge.events import CrossingDraft, Moment, Record
from edge.wire.crossing import Clock, Conveyance, Outcome, ReadDocument
from hw.devices import DocumentRead, Frame, PhotoTaken


def moment(at: datetime, state: str = "synchronised") -> Moment:
    """Return a moment with a clock in this state."""
    return Moment(at, Clock(state, None, "boot", 1.0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [
        (0, "2026-03-01T12:00:00.000Z"),
        (999, "2026-03-01T12:00:00.000Z"),
        (1000, "2026-03-01T12:00:00.001Z"),
        (999_999, "2026-03-01T12:00:00.999Z"),
    ],
)
def test_a_time_is_written_with_its_milliseconds_cut_and_never_rounded_up(microsecond, text) -> None:
    assert moment(datetime(2026, 3, 1, 12, 0, 0, microsecond, UTC)).text == text


@pytest.mark.parametrize("state", ["synchronised", "holdover"])
def test_today_is_the_day_in_utc(state) -> None:
    assert moment(datetime(2026, 3, 1, 23, 59, tzinfo=UTC), state).today == date(2026, 3, 1)


def test_today_begins_at_midnight_at_the_post() -> None:
    at = datetime(2026, 3, 1, 11, 0, tzinfo=UTC)
    clock = Clock("synchronised", None, "boot", 1.0)
    assert Moment(at, clock, ZoneInfo("Pacific/Auckland")).today == date(2026, 3, 2)
    assert Moment(at, clock, ZoneInfo("Pacific/Pago_Pago")).today == date(2026, 3, 1)
    assert Moment(at, clock, ZoneInfo("Pacific/Auckland")).text == "2026-03-01T11:00:00.000Z"


def test_there_is_no_today_while_the_clock_is_unset() -> None:
    assert moment(datetime(2026, 3, 1, tzinfo=UTC), "unset").today is None


def test_no_repr_shows_what_was_read_or_photographed() -> None:
    fields = {"primary_identifier": "ERIKSSON", "document_number": "L898902C3"}
    document = ReadDocument("mrz", "TD3", "passport", fields, (Verdict("sex", Result.OK),))
    draft = CrossingDraft(
        id="id",
        moment=moment(datetime(2026, 3, 1, tzinfo=UTC)),
        direction="entry",
        lane="desk",
        documents=(document,),
        conveyance=Conveyance("flight", number="UT204", seat="12A"),
        outcome=Outcome("passed", "rule"),
        training=False,
        photo=b"JPEG ERIKSSON",
    )
    shown = " ".join(
        map(
            repr,
            [
                Record(draft),
                DocumentRead("passport", Frame(b"P<UTOERIKSSON", "raw")),
                PhotoTaken("camera", "id", b"ERIKSSON"),
            ],
        )
    )
    assert not [value for value in ("ERIKSSON", "L898902C3", "UT204", "12A") if value in shown]
