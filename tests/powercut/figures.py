"""The count of many power cuts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.powercut.examine import Entry, Examined, SeenOff

READY_WITHIN_S = 5.0
_SHOWN = 5


class Start(NamedTuple):
    """How long a kiosk took from nothing to ready, and of that from its first word to ready: opening the store."""

    ready_s: float
    opening_s: float


@dataclass(slots=True)
class Figures:
    """What came of the cuts of one way.

    `lost` are travellers, each counted once, `losing_cuts` cuts that lost any, `halves` crossings without their photo
    or the other way round, `salvaged` stores that had to be salvaged though only the power was cut. `released` is how
    far the furthest store had purged its crossings. A start is ready once its store is open; what an interpreter needs
    before the first word depends on the machine and its load.
    """

    cuts: int = 0
    seen_off: set[tuple[str, SeenOff]] = field(default_factory=set)
    lost: set[tuple[str, SeenOff]] = field(default_factory=set)
    losing_cuts: int = 0
    twice: int = 0
    halves: int = 0
    breaks: int = 0
    unopened: int = 0
    salvaged: int = 0
    starts: int = 0
    released: int = 0
    slowest_opening_s: float = 0.0
    slowest_ready_s: float = 0.0
    remarks: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Tell whether there were travellers, none of them was lost, and every store opened whole."""
        troubles = (len(self.lost), self.twice, self.halves, self.breaks, self.unopened, self.salvaged)
        return bool(self.seen_off) and not any(troubles)

    @property
    def is_quick(self) -> bool:
        """Tell whether every kiosk and every store was ready in time."""
        return max(self.slowest_opening_s, self.slowest_ready_s) <= READY_WITHIN_S

    def take(
        self, kiosk: str, found: Examined, seen_off: set[SeenOff], centre: list[Entry] | None = None, *, where: str
    ) -> None:
        """Count one cut: what was found, who had left by then, and what the centre holds."""
        missing = found.missing(seen_off, centre or ())
        halves = found.halves(centre or ())
        self.cuts += 1
        self.seen_off |= {(kiosk, traveller) for traveller in seen_off}
        self.lost |= {(kiosk, traveller) for traveller in missing}
        self.losing_cuts += bool(missing)
        self.twice += found.twice
        self.halves += len(halves)
        self.breaks += len(found.breaks)
        self.unopened += bool(found.trouble)
        self.salvaged += found.was_salvaged
        self.released = max(self.released, found.purged_up_to)
        self.slowest_opening_s = max(self.slowest_opening_s, found.opened_in_s)
        for remark in (
            *([f"lost {len(missing)} of {len(seen_off)}"] if missing else []),
            *([f"{found.twice} twice"] if found.twice else []),
            *halves[:1],
            *found.breaks[:1],
            *([found.trouble] if found.trouble else []),
            *(["salvaged"] if found.was_salvaged else []),
        ):
            self.remark(f"{where}: {remark}")

    def started(self, start: Start, where: str) -> None:
        """Count one start of a whole kiosk after a cut."""
        self.starts += 1
        self.slowest_ready_s = max(self.slowest_ready_s, start.ready_s)
        self.slowest_opening_s = max(self.slowest_opening_s, start.opening_s)
        if start.ready_s > READY_WITHIN_S:
            self.remark(
                f"{where}: ready after {start.ready_s:.1f} s, of which its store took {start.opening_s:.2f} s "
                f"(load of this machine {os.getloadavg()[0]:.1f})"
            )

    def remark(self, text: str) -> None:
        """Keep a remark for the end, the first few of them."""
        if len(self.remarks) < _SHOWN:
            self.remarks.append(text)

    def add(self, other: Figures) -> None:
        """Add the count of others to this one."""
        for name in ("cuts", "losing_cuts", "twice", "halves", "breaks", "unopened", "salvaged", "starts"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.seen_off |= other.seen_off
        self.lost |= other.lost
        self.released = max(self.released, other.released)
        self.slowest_opening_s = max(self.slowest_opening_s, other.slowest_opening_s)
        self.slowest_ready_s = max(self.slowest_ready_s, other.slowest_ready_s)
        for remark in other.remarks:
            self.remark(remark)
