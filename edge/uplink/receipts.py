"""What a receipt means for this store, whichever way it came: by MQTT, or on a stick.

Owns the rules that decide whether a record may be released, and what follows from each meaning. `judge` is pure, and
`weigh` looks up what it needs to know. Always true: a receipt is followed only when the centre signed it and the
store's own record at that position has the very hash that the centre names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from edge.errors import ContractError, SealError
from edge.events import EpochEnded, ReceiptAccepted, UplinkTrouble
from edge.wire import messages
from edge.wire.messages import Receipt
from edge.wire.record import TOMBSTONE, decode_record

NOT_VALID = "not_valid"  # of a receipt, or any message, that the centre did not sign


class Meaning(StrEnum):
    """What to do about a receipt."""

    HELD = "held"  # the centre holds the stream up to there
    NO_NEWS = "no_news"  # an old one again
    ROLLED_BACK = "rolled_back"  # the centre holds more of this epoch than the store: the store is an older copy
    FORKED = "forked"  # the centre holds another record at this position
    OLD_GENERATION = "old_generation"  # signed before the centre's database was restored
    FOREIGN_KIOSK = "foreign_kiosk"
    FOREIGN_EPOCH = "foreign_epoch"
    UNREADABLE_HERE = "unreadable_here"  # this one record cannot be compared any more; a later receipt covers it


Consequence = ReceiptAccepted | EpochEnded | UplinkTrouble


class Reader(Protocol):
    """What is needed of `edge.cache.CacheReader`."""

    def heads(self) -> dict: ...
    def first_after(self, stream: str, sequence: int, *, limit: int, max_bytes: int) -> list: ...
    def state(self, key: str) -> str | None: ...
    def close(self) -> None: ...


class Verifies(Protocol):
    """`edge.seal.Verifier` with the centre's keys."""

    def verify(self, token: str, typ: str) -> bytes: ...


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


def weigh(receipt: Receipt, kiosk: str, stream: str, reader: Reader, *, held: int, generation: str) -> Meaning:
    """Judge a verified receipt for one stream of a store; `held` and `generation` are the newest that were followed."""
    head = reader.heads().get(stream)
    if head is None or receipt.kiosk != kiosk:
        return Meaning.FOREIGN_KIOSK
    known = Known(kiosk, stream, head.epoch, head.next_sequence, held, generation)
    if held < receipt.held_up_to < head.next_sequence:
        (own,) = reader.first_after(stream, receipt.held_up_to - 1, limit=1, max_bytes=1)
        if not own.hash:
            return Meaning.UNREADABLE_HERE
        if own.hash != receipt.hash_at and _is_blank(own):
            return Meaning.UNREADABLE_HERE
        known = replace(known, epoch_at=getattr(own, "epoch", receipt.epoch), hash_at=own.hash)
    return judge(receipt, known)


def _is_blank(own: Any) -> bool:
    """Tell whether this is a tombstone that does not know the hash of what it replaces, and has its own instead."""
    return getattr(own, "type", "") == TOMBSTONE and decode_record(own.body).hash == own.hash


def consequences(receipt: Receipt, stream: str, meaning: Meaning) -> list[Consequence]:
    """Return what the daemon has to be told of a verified receipt."""
    match meaning:
        case Meaning.HELD:
            held = (receipt.epoch, receipt.held_up_to, receipt.generation, receipt.forked)
            return [ReceiptAccepted(stream, *held, at=receipt.at)]
        case Meaning.ROLLED_BACK | Meaning.FORKED:
            return [UplinkTrouble(stream, meaning), EpochEnded(stream, receipt.epoch, meaning.value)]
        case Meaning.NO_NEWS | Meaning.UNREADABLE_HERE:
            return []
    return [UplinkTrouble(stream, meaning)]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What came of a receipt that was carried here; `meaning` is one of `Meaning`, or `NOT_VALID`."""

    meaning: str
    consequences: list[Consequence]
    receipt: Receipt | None = None

    @property
    def position(self) -> dict[str, str | int]:
        """Return whose stream it speaks of and how far, nothing if the centre did not sign it."""
        names = ("kiosk", "stream", "epoch", "held_up_to")
        return {} if self.receipt is None else {name: getattr(self.receipt, name) for name in names}


def weigh_carried(token: str, kiosk: str, centre: Verifies, reader: Reader) -> Weighed:
    """Verify and judge a receipt that did not come by MQTT, against what the store says now."""
    try:
        receipt = messages.decode(Receipt, centre.verify(token, messages.RECEIPT_TYP))
    except (SealError, ContractError):
        return Weighed(NOT_VALID, [UplinkTrouble("receipt", NOT_VALID)])
    head = reader.heads().get(receipt.stream)
    held = 0 if head is None else head.held_up_to
    generation = reader.state("generation") or ""
    meaning = weigh(receipt, kiosk, receipt.stream, reader, held=held, generation=generation)
    return Weighed(meaning, consequences(receipt, receipt.stream, meaning), receipt)
