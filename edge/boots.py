"""When each boot of this machine was, as far as it can be known, and a clock that goes only while the machine is on.

Owns the arithmetic and what the store keeps of it from one start to the next; it reads no clock. Always true: what is
kept are lower bounds, so a power cut that takes the last of them makes an interval wider and never wrong; the clock
that released records are aged by goes neither back nor forward by itself, whatever becomes of the time of day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from edge.events import Moment
from edge.wire.crossing import Clock

DRIFT = 50e-6  # how far CLOCK_BOOTTIME may be off the true time
MOST_UNDATED = 200
KEPT_FOR_S = 600.0


class Boot(msgspec.Struct, frozen=True):
    """One boot: `began_after_s` (Unix time) was past when it began, and its CLOCK_BOOTTIME reached `lived_s`."""

    boot_id: str
    began_after_s: float
    lived_s: float


class Kept(msgspec.Struct, frozen=True):
    """What the store keeps: the current boot, whether it has records without a known time, and what was before.

    `known_s` is the latest Unix time that a synchronised clock gave, `running_s` the clock of age at `boot.lived_s`,
    `undated` are earlier boots whose records nobody could date yet, the oldest first. `boots` counts them all,
    `is_stopped` says that the daemon has ended in good order, `last_end` whether it had at the end of the boot before.
    """

    boot: Boot
    has_undated: bool
    known_s: float
    running_s: float
    undated: tuple[Boot, ...] = ()
    boots: int = 1
    is_stopped: bool = False
    last_end: Literal["", "clean", "interrupted"] = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """Between which times CLOCK_BOOTTIME of a boot was 0; no `earliest` where what was known contradicts itself."""

    boot_id: str
    earliest: datetime | None
    latest: datetime

    @property
    def detail(self) -> dict[str, object]:
        """Return what an amendment says: a record's time lies in this interval, its own `boottime_s` added."""
        return {"boot_id": self.boot_id, "at_boottime_0": [self.earliest and _text(self.earliest), _text(self.latest)]}


class Boots:
    """The boots of one store; `now` is a reading in the current one, `floor_s` a Unix time that is certainly past."""

    def __init__(self, kept: Kept | None, now: Moment, *, floor_s: float = 0.0) -> None:
        if kept is None:
            began = Boot(now.clock.boot_id, floor_s, 0.0)
            kept = Kept(began, False, floor_s, now.at.timestamp() - now.clock.boottime_s)
        elif kept.boot.boot_id != now.clock.boot_id:
            last = kept.boot
            after_s = max(floor_s, kept.known_s, last.began_after_s + last.lived_s)
            undated = (*kept.undated, last) if kept.has_undated else kept.undated
            began = Boot(now.clock.boot_id, after_s, now.clock.boottime_s)
            end: Literal["clean", "interrupted"] = "clean" if kept.is_stopped else "interrupted"
            undated = undated[-MOST_UNDATED:]
            kept = Kept(began, False, kept.known_s, kept.running_s, undated, kept.boots + 1, last_end=end)
        self.kept = msgspec.structs.replace(kept, is_stopped=False)
        self.look(now)

    def look(self, now: Moment) -> None:
        """Move on to this moment of the current boot."""
        boot, boottime_s = self.kept.boot, max(now.clock.boottime_s, self.kept.boot.lived_s)
        self.kept = msgspec.structs.replace(
            self.kept,
            boot=msgspec.structs.replace(boot, lived_s=boottime_s),
            running_s=self.kept.running_s + boottime_s - boot.lived_s,
            known_s=_known_s(now) if now.clock.state == "synchronised" else self.kept.known_s,
        )

    def wrote(self, clock: Clock) -> None:
        """Take note that a record was written by this clock: it will have to be dated if its error is not known."""
        if clock.error_bound_s is None:
            self.kept = msgspec.structs.replace(self.kept, has_undated=True)

    def running_s(self, now: Moment) -> float:
        """Return the clock of age, in seconds; it began as the time of day and goes on while the machine is on."""
        self.look(now)
        return self.kept.running_s

    def intervals(self, now: Moment) -> list[Interval]:
        """Return what a synchronised clock now tells of boots that have undated records, the latest first."""
        if now.clock.state != "synchronised":
            return []
        error_s = (now.clock.error_bound_s or 0.0) + now.clock.boottime_s * DRIFT
        began_s = now.at.timestamp() - now.clock.boottime_s
        found = []
        if self.kept.has_undated:
            found.append(_interval(now.clock.boot_id, began_s - error_s, began_s + error_s))
        latest_s = began_s + error_s
        for boot in reversed(self.kept.undated):
            latest_s -= boot.lived_s * (1 - DRIFT)
            found.append(_interval(boot.boot_id, boot.began_after_s, latest_s))
        return found

    def is_news_after(self, kept: Kept | None) -> bool:
        """Tell whether what was kept last is so old, or so wrong, that a start would miss something."""
        before = (kept.has_undated, kept.undated, kept.boot.boot_id) if kept else None
        own = self.kept
        is_old = kept is not None and own.boot.lived_s - kept.boot.lived_s >= KEPT_FOR_S
        return is_old or before != (own.has_undated, own.undated, own.boot.boot_id)

    def stopped(self) -> None:
        """Take note that the daemon ends in good order."""
        self.kept = msgspec.structs.replace(self.kept, is_stopped=True)

    def dated(self) -> None:
        """Take note that every interval is on record."""
        self.kept = msgspec.structs.replace(self.kept, has_undated=False, undated=())


def encode(boots: Boots) -> str:
    """Return what the store keeps, as text."""
    return msgspec.json.encode(boots.kept).decode()


def decode(text: str | None) -> Kept | None:
    """Return what the store kept; None for a new store, or for text that another version wrote."""
    try:
        return None if text is None else msgspec.json.decode(text, type=Kept)
    except msgspec.DecodeError:
        return None


def _known_s(now: Moment) -> float:
    return now.at.timestamp() - (now.clock.error_bound_s or 0.0)


def _interval(boot_id: str, earliest_s: float, latest_s: float) -> Interval:
    latest = datetime.fromtimestamp(latest_s, UTC) + timedelta(milliseconds=1)  # text is cut to milliseconds
    return Interval(boot_id, datetime.fromtimestamp(earliest_s, UTC) if earliest_s <= latest_s else None, latest)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
