"""The two-ended count: what a kiosk's own store and its travellers say, against what the centre holds.

Owns the sums. Always true: the kiosk's end is read from the kiosk's files alone, the centre's from its database alone;
a crossing is known by its id.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from central.reconcile import verify_chain
from central.tables import crossing
from edge.cache import CacheReader
from edge.wire.record import CROSSING
from hw.simulated.witness import Sighting, sightings_in


@dataclass(frozen=True, slots=True)
class TwoEnds:
    """The count of one kiosk, or of several added up.

    `lost` are crossings on the kiosk's disk, or travellers who left after a lamp, that the centre does not have;
    `duplicated` are crossings that it has twice, or that no kiosk knows; `chain_breaks` are its chain's.
    """

    captured: int = 0
    stored: int = 0
    lost: int = 0
    duplicated: int = 0
    chain_breaks: int = 0

    def __add__(self, other: TwoEnds) -> TwoEnds:
        return TwoEnds(
            self.captured + other.captured,
            self.stored + other.stored,
            self.lost + other.lost,
            self.duplicated + other.duplicated,
            self.chain_breaks + other.chain_breaks,
        )

    @property
    def is_clean(self) -> bool:
        """Tell whether both ends agree on at least one crossing."""
        return self.lost == self.duplicated == self.chain_breaks == 0 < self.captured == self.stored


def count(engine: Engine, kiosk: str, *folders: Path) -> TwoEnds:
    """Count one kiosk, whose store and witness lie in `folders` (several where a card was cloned).

    Nothing may have been purged from the stores yet.
    """
    captured: set[str] = set()
    unseen = 0
    for folder in folders:
        reader = CacheReader.open(folder / "cache.db")
        try:
            here = {row["id"] for row in reader.table("crossing") if row["type"] == CROSSING}
        finally:
            reader.close()
        unseen += max(0, len({sighting.traveller for sighting in sightings(folder)}) - len(here))
        captured |= here
    with engine.connect() as connection:
        stored = Counter(connection.scalars(select(crossing.c.id).where(crossing.c.kiosk == kiosk)))
    return TwoEnds(
        captured=len(captured),
        stored=len(stored),
        lost=len(captured - stored.keys()) + unseen,
        duplicated=sum(number - 1 for number in stored.values()) + len(stored.keys() - captured),
        chain_breaks=verify_chain(engine, kiosk).breaks,
    )


def unreceipted(folder: Path) -> int:
    """Return how many records of a kiosk's store await their receipt; raise `StoreError` while there is no store."""
    reader = CacheReader.open(folder / "cache.db")
    try:
        return sum(head.next_sequence - 1 - head.held_up_to for head in reader.heads().values())
    finally:
        reader.close()


def sightings(folder: Path) -> list[Sighting]:
    """Return what travellers of one kiosk saw before they left; a line that is being written is left out."""
    return sightings_in(folder / "witness.jsonl")
