"""By which name an officer says which crossing is meant, and whether it is still the one that is open.

Owns the short name (the end of the crossing's UUIDv7, which is its random part), what `landfall status` shows of each
lane, and the words of a refusal. Always true: between the officer's look and the key a lane may have moved on, so a
decision or a void counts only for the crossing that it names; no name is of a traveller.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from edge.events import Moment
from edge.kiosk import State

if TYPE_CHECKING:
    from edge.wiring import Lane

SHORT = 6  # of the last crossings of two lanes, two have the same end once in eight million pairs
Name = Annotated[str, Meta(pattern=r"^([0-9A-Za-z-]{4,36})?\Z")]
Word = Literal["decide", "void", "void_form"]

_NOTHING = {
    "decide": "nobody waits for a decision (any more)",
    "void": "there is no crossing that can be voided (any more)",
    "void_form": "there is no form that can be voided (any more)",
}
_OPEN = {
    "decide": "waits for a decision",
    "void": "is the last that can be voided",
    "void_form": "is the last form that can be voided",
}


def short(crossing: str) -> str:
    """Return the short name of a crossing."""
    return crossing[-SHORT:]


def is_named(crossing: str, name: str) -> bool:
    """Tell whether a name, short or whole, is this crossing's."""
    return crossing == name.lower() or (len(name) >= SHORT and crossing.endswith(name.lower()))


def open_for(lane: Lane, word: Word, now: Moment) -> str:
    """Return the id of the one crossing of a lane about which this can be said now; empty where there is none."""
    afterwards = lane.kiosk.afterwards
    match word:
        case "decide" if lane.kiosk.state is State.DECIDING:
            return lane.kiosk.traveller
        case "decide":
            return afterwards.decidable(now)
    return afterwards.voidable(now, is_form=word == "void_form")


def why_not(lane: Lane, word: Word, name: str, command: str, now: Moment) -> str:
    """Return why this may not be said of the crossing of that name, and what to do; empty where it may.

    `command` is what the officer typed, without the crossing.
    """
    found, place = open_for(lane, word, now), f"lane {lane.settings.name}"
    if not found:
        return f"{place}: {_NOTHING[word]}"
    if not name:
        return f"{place}: say which crossing you mean; {short(found)} {_OPEN[word]}: `{command} {short(found)}`"
    if not is_named(found, name):
        return f"{place}: that crossing is not open any more; {short(found)} {_OPEN[word]}: look again"
    return ""


def shown(lanes: Iterable[Lane], now: Moment) -> list[dict[str, Any]]:
    """Return what can still be said, for each lane and crossing: `words` are those that are open for it."""
    found: dict[tuple[str, str], list[str]] = {}
    for lane in lanes:
        for word in ("decide", "void", "void_form"):
            if crossing := open_for(lane, word, now):
                found.setdefault((lane.settings.name, crossing), []).append(word)
    return [
        {"lane": lane, "crossing": short(crossing), "id": crossing, "words": words}
        for (lane, crossing), words in found.items()
    ]
