"""What one traveller of a scenario brings along, and what goes wrong with it. PURE.

Owns everything about a turn at the lane that is known beforehand, down to the bytes on the wire. Always true: the same
scenario, ordinal and day of flight give the same turn, in every process, whatever happened to anybody before.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from hw.simulated.scenario import Fault, Scenario
from hw.simulated.travellers import SpecimenTraveller, specimen

_NOISE = b"\xff\x80\x00\xfe\x9c\xff"
_GARBLES = {"flip", "half", "noise", "unplug", "early"}
Word = Literal["accept", "refer", "nobody"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One traveller's turn.

    `shows` is how the lane hears of the document: from a reader, or from an officer who keys it in, or keys in a name
    alone; `word` is what the officer says if called; `is_followed` if the next one shows a passport right behind.
    """

    traveller: SpecimenTraveller
    shows: Literal["document", "keyed", "nothing"]
    has_boarding_pass: bool
    faults: tuple[Fault, ...]
    word: Word
    is_followed: bool
    pause_s: float  # until the next one steps up

    @property
    def bounce_s(self) -> float:
        """Return how long the contacts of the officer's button bounce."""
        return max((fault.lasts_s for fault in self.faults if fault.kind == "bounce"), default=0.0)


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes that leave the reader; then it is unplugged after `unplug_at` of them, or rests for `pause_s`."""

    wire: bytes = field(repr=False)
    unplug_at: int | None = None
    pause_s: float = 0.0


def turn(scenario: Scenario, ordinal: int, *, flight_day: int = 1) -> Turn:
    """Return the turn of one traveller; `flight_day` is the day of the year that stands on the boarding pass."""
    kind = scenario.documents[(ordinal - 1) % len(scenario.documents)]
    is_expired = _is(ordinal, scenario.expired_every)
    shows = "nothing" if _is(ordinal, scenario.no_document_every) else "document"
    if shows == "document" and _is(ordinal, scenario.keyed_every):
        shows = "keyed"
    faults = tuple(fault for fault in scenario.faults if _is(ordinal, fault.every))
    is_last = scenario.count and ordinal == scenario.first + scenario.count - 1
    is_plain = shows == "document" and not is_expired and _GARBLES.isdisjoint(fault.kind for fault in faults)
    next_is_read = not (_is(ordinal + 1, scenario.no_document_every) or _is(ordinal + 1, scenario.keyed_every))
    return Turn(
        specimen(scenario.seed, ordinal, kind, flight_day=flight_day, is_expired=is_expired),
        shows,
        _is(ordinal, scenario.boarding_pass_every) and not _is(ordinal, scenario.no_boarding_pass_every),
        faults,
        _word(scenario, ordinal),
        # Whoever is in trouble keeps the place at the reader, so nobody can come too close.
        is_plain and next_is_read and not is_last and any(fault.kind == "together" for fault in faults),
        scenario.interval_s if _ends_party(scenario, ordinal) else 0.0,
    )


def messages(wire: bytes, faults: Sequence[Fault], chance: random.Random) -> list[Message]:
    """Return what leaves the reader in place of a message, once these faults have met it."""
    sent, unplug_at, again = bytearray(wire), None, 1
    early: Fault | None = None
    for fault in faults:
        at = (fault.at_byte if fault.at_byte is not None else chance.randrange(len(wire))) % len(wire)
        match fault.kind:
            case "flip":
                sent[at : at + 1] = random.Random(at).choice("BDGHKQ").encode() if wire[at] > 0x20 else b" "
            case "noise":
                sent[:0] = _NOISE
            case "half":
                del sent[min(fault.at_byte, len(wire) - 1) if fault.at_byte is not None else at :]
            case "early":
                early, pulled_at = fault, at
            case "repeat":
                again = fault.times or chance.randint(2, 5)
            case "unplug":
                unplug_at = fault.at_byte if fault.at_byte is not None else at
    whole = bytes(sent)
    found = [Message(whole)] * (again - 1)
    if early is not None:
        found.insert(0, Message(whole[:pulled_at], pause_s=early.lasts_s))
    out_s = max((fault.lasts_s for fault in faults if fault.kind == "unplug"), default=0.0)
    return [*found, Message(whole, unplug_at, out_s)]


def chance_of(scenario: Scenario, ordinal: int) -> random.Random:
    """Return the luck of one traveller."""
    return random.Random(f"{scenario.seed}/{ordinal}/luck")


def _is(ordinal: int, every: int) -> bool:
    return bool(every) and ordinal % every == 0


def _word(scenario: Scenario, ordinal: int) -> Word:
    if _is(ordinal, scenario.no_officer_every):
        return "nobody"
    return "refer" if _is(ordinal, scenario.refer_every) else scenario.officer


def _ends_party(scenario: Scenario, ordinal: int) -> bool:
    """Tell whether this traveller is the last of a party."""
    place = (ordinal - scenario.first) % sum(scenario.parties)
    for size in scenario.parties:
        if place < size:
            return place == size - 1
        place -= size
    raise AssertionError("a place lies in one of the parties")
