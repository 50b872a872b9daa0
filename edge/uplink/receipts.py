"""What a receipt means for this store. PURE.

Owns the rules that decide whether a record may be released. The caller has checked the signature. Always true: a
receipt is followed only when the store's own record at that position has the very hash that the centre names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.wire.messages import Receipt


class Meaning(StrEnum):
    """What to do about a receipt."""

    HELD = "held"  # the centre holds the stream up to there
    NO_NEWS = "no_news"  # an old one again
    ROLLED_BACK = "rolled_back"  # the centre holds more of this epoch than the store: the store is an older copy
    FORKED = "forked"  # the centre holds another record at this position
    OLD_GENERATION = "old_generation"  # signed before the centre's database was restored
    FOREIGN_KIOSK = "foreign_kiosk"
    FOREIGN_EPOCH = "foreign_epoch"


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a stream, and of its record at the receipt's position (empty where there is none).

    `generation` is the newest one of the centre that was seen; generations grow with time, as text.
    """

    kiosk: str
    stream: str
    epoch: str
    next_sequence: int
    held_up_to: int
    generation: str = ""
    epoch_at: str = ""
    hash_at: str = ""


def judge(receipt: Receipt, known: Known) -> Meaning:
    """Return what a verified receipt means; anything but `HELD` releases nothing."""
    if receipt.kiosk != known.kiosk or receipt.stream != known.stream:
        return Meaning.FOREIGN_KIOSK
    if receipt.generation < known.generation:
        return Meaning.OLD_GENERATION
    if receipt.held_up_to >= known.next_sequence:
        return Meaning.ROLLED_BACK if receipt.epoch == known.epoch else Meaning.FOREIGN_EPOCH
    if receipt.held_up_to <= known.held_up_to:
        return Meaning.NO_NEWS
    if receipt.epoch != known.epoch_at:
        return Meaning.FOREIGN_EPOCH
    return Meaning.HELD if receipt.hash_at == known.hash_at else Meaning.FORKED
