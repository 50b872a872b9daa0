"""What officers ask of the running kiosk: manual mode, keying in, voids, decisions and groups.

Owns the verbs of the control socket that change a lane, their forms and their answers; what a group is on disk and on
the audit stream is `edge.open_groups`. It runs in the main loop alone. Always true: everything goes through the lane
and the recorder, so what is answered as recorded is on disk; what an officer has typed is in no answer, log or error;
who asks for what cannot be done is told why.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edge.documents.keyed import keyed
from edge.events import (
    CrossingDraft,
    DecisionDraft,
    DecisionTaken,
    DocumentKeyed,
    Draft,
    FormKeyed,
    LaneEvent,
    Moment,
    Recorded,
    RecordFailed,
    VoidAsked,
)
from edge.kiosk import State
from edge.named_crossing import Name, Word, shown, why_not
from edge.open_groups import OpenGroups
from edge.verbs import Refused, take_apart
from edge.wire.crossing import (
    SERVICE_NUMBER,
    Conveyance,
    ConveyanceKind,
    Direction,
    OutcomeResult,
    ReadDocument,
    VoidReasonOfOfficer,
)
from edge.wiring import Lane
from hw.devices import Button, ButtonPressed

MOST_REMEMBERED = 200
TOO_LATE = "the disk did not answer in time, and the lane has closed"
KEYED = "keyed"  # the reader of what was typed

Officer = Annotated[str, Meta(pattern=rf"{SERVICE_NUMBER}|^\Z")]
Short = Annotated[str, Meta(max_length=120)]


class _Asked(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What every verb may say: which lane, where there are two, and who asks."""

    lane: str = ""
    officer: Officer = ""


class ManualAsked(_Asked):
    """Begin or end manual mode."""

    on: bool = True


class EnterAsked(_Asked):
    """Key in a document of whoever is at the lane, or a form of an outage (`written_at` is the time on it)."""

    typed: dict[str, Short]
    is_document: bool = True
    written_at: str = ""
    direction: Direction | None = None
    result: OutcomeResult | None = None


class VoidVerb(_Asked):
    """Void the last crossing of the lane, or the last form; `crossing` says which one the officer means."""

    reason: VoidReasonOfOfficer = "other"
    is_form: bool = False
    crossing: Name = ""


class DecideAsked(_Asked):
    """Decide about the traveller at the lane, or about the last one who was referred; `crossing` says who is meant."""

    result: OutcomeResult
    crossing: Name = ""


class GroupAsked(_Asked):
    """Open a group, close it, or show it."""

    do: Literal["open", "close", "show"] = "show"
    expected: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    conveyance: ConveyanceKind | None = None
    number: Short = ""
    name: Short = ""


class OutcomeAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Ask what became of something that was asked for before."""

    id: str


VERBS: dict[str, type[msgspec.Struct]] = {
    "manual": ManualAsked,
    "enter": EnterAsked,
    "void": VoidVerb,
    "decide": DecideAsked,
    "group": GroupAsked,
    "outcome": OutcomeAsked,
}
_HINTS = {"$.officer": "officer must be a service number such as A-1042, never a name"}


class Officers:
    """Answers officers. `hand` gives a lane an event and returns the drafts that it asked to be recorded."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        hand: Callable[[Lane, LaneEvent, Moment], list[Draft]],
        groups: OpenGroups,
    ) -> None:
        self._lanes = {lane.settings.name: lane for lane in lanes}
        self._hand, self._groups = hand, groups
        self._came_of: OrderedDict[str, dict[str, Any]] = OrderedDict()

    # --- called by the main loop -------------------------------------------------------------------------------------

    def answer(self, verb: str, arguments: dict[str, Any], now: Moment) -> dict[str, Any] | None:
        """Do what an officer asks and return the answer; None for a verb that is none of an officer's."""
        if verb not in VERBS:
            return None
        try:
            match asked := take_apart(verb, arguments, VERBS, hints=_HINTS):
                case ManualAsked():
                    return self._manual(asked, now)
                case EnterAsked(written_at=""):
                    return self._enter(asked, now)
                case EnterAsked():
                    return self._enter_form(asked, now)
                case VoidVerb():
                    word: Word = "void_form" if asked.is_form else "void"
                    command = "landfall void --form" if asked.is_form else "landfall void"
                    void = VoidAsked(asked.reason, asked.officer, asked.is_form)
                    return self._afterwards(asked, void, word, command, now)
                case DecideAsked():
                    decision = DecisionTaken(asked.result, asked.officer)
                    return self._afterwards(asked, decision, "decide", f"landfall decide {asked.result}", now)
                case GroupAsked():
                    return self._group(asked, now)
                case OutcomeAsked():
                    return self._outcome(asked)
        except Refused as refused:
            return {"error": str(refused)}
        return None

    def drafted(self, draft: Draft) -> None:
        """Take note of what is going to be recorded."""
        if draft.id in self._came_of:
            self._came_of[draft.id] |= _said_by(draft)

    def recorded(self, event: Recorded | RecordFailed) -> None:
        """Take note of what became of a draft."""
        if (found := self._came_of.get(event.id)) is None:
            return
        if self._lanes[found["lane"]].kiosk.gave_up(event.id):
            found |= {"state": "failed", "reason": TOO_LATE}
        elif isinstance(event, Recorded):
            found |= {"state": "recorded", "sequence": event.position.sequence}
        else:
            found |= {"state": "failed", "reason": event.reason}

    def crossings(self, now: Moment) -> list[dict[str, Any]]:
        """Return the crossings of which something can still be said, and what."""
        return shown(self._lanes.values(), now)

    # --- documents ---------------------------------------------------------------------------------------------------

    def _manual(self, asked: ManualAsked, now: Moment) -> dict[str, Any]:
        lane = self._lane(asked)
        if asked.on is not (lane.kiosk.state is State.MANUAL):
            if asked.on and not lane.kiosk.takes(ButtonPressed):
                raise Refused(_busy(lane))
            self._hand(lane, ButtonPressed("control", Button.MANUAL), now)
            if asked.on and lane.kiosk.state is not State.MANUAL:
                raise Refused(_busy(lane))  # a lamp is still shown to somebody
        return {"lane": lane.settings.name, "state": lane.kiosk.state.value}

    def _enter(self, asked: EnterAsked, now: Moment) -> dict[str, Any]:
        lane = self._lane(asked)
        if not lane.kiosk.takes(DocumentKeyed):
            raise Refused(_busy(lane))
        document = _document(asked, "manual", now)
        drafts = self._hand(lane, DocumentKeyed(document, asked.officer), now)
        return self._await(lane, lane.kiosk.traveller, drafts)

    def _enter_form(self, asked: EnterAsked, now: Moment) -> dict[str, Any]:
        lane = self._lane(asked)
        if asked.result is None or not asked.officer:
            raise Refused("a form needs the result that stands on it, and the officer who keys it in")
        document = _document(asked, "paper", now)
        direction = asked.direction or lane.kiosk.direction
        form = FormKeyed(document, _written_at(asked.written_at, now), direction, asked.result, asked.officer)
        (draft,) = self._hand(lane, form, now)
        return self._await(lane, draft.id, [draft])

    def _afterwards(
        self, asked: VoidVerb | DecideAsked, event: VoidAsked | DecisionTaken, word: Word, command: str, now: Moment
    ) -> dict[str, Any]:
        """Say something of the one crossing that is meant; another turn of the loop may have brought another."""
        lane = self._lane(asked)
        if refusal := why_not(lane, word, asked.crossing, command, now):
            raise Refused(refusal)
        drafts = self._hand(lane, event, now)
        return self._await(lane, drafts[0].id, drafts)

    def _await(self, lane: Lane, id: str, drafts: list[Draft]) -> dict[str, Any]:
        """Remember that somebody wants to know what becomes of this, and say by which id to ask."""
        self._came_of[id] = {"state": "pending", "lane": lane.settings.name}
        for draft in drafts:
            self.drafted(draft)
        while len(self._came_of) > MOST_REMEMBERED:
            self._came_of.popitem(last=False)
        return {"id": id, "lane": lane.settings.name}

    def _outcome(self, asked: OutcomeAsked) -> dict[str, Any]:
        found = self._came_of.get(asked.id)
        if found is None:
            raise Refused("nothing is known of this id (any more)")
        lane = self._lanes[found["lane"]]
        has_left = "result" not in found and lane.kiosk.traveller != asked.id
        if found["state"] == "pending" and (has_left or lane.kiosk.gave_up(asked.id)):
            return {**found, "state": "failed", "reason": TOO_LATE}
        return dict(found)

    # --- groups ------------------------------------------------------------------------------------------------------

    def _group(self, asked: GroupAsked, now: Moment) -> dict[str, Any]:
        lane = self._lane(asked)
        match asked.do:
            case "open":
                number, name = asked.number.strip(), asked.name.strip()
                conveyance = Conveyance(asked.conveyance, number=number, name=name) if asked.conveyance else None
                expected, officer = asked.expected, asked.officer
                return self._groups.open(lane, now, expected=expected, conveyance=conveyance, officer=officer)
            case "close":
                if lane.kiosk.group.group is None:
                    raise Refused(f"lane {lane.settings.name}: no group is open")
                closed = self._groups.shown(lane)
                self._groups.close(lane, "officer", asked.officer)
                return closed
        return self._groups.shown(lane)

    def _lane(self, asked: _Asked) -> Lane:
        if not asked.lane and len(self._lanes) == 1:
            return next(iter(self._lanes.values()))
        if asked.lane not in self._lanes:
            raise Refused(f"say which lane: {', '.join(self._lanes)}")
        return self._lanes[asked.lane]


def _busy(lane: Lane) -> str:
    if lane.kiosk.state is State.CLOSED:
        return f"lane {lane.settings.name} is closed, since nothing can be recorded; use a paper form"
    return f"lane {lane.settings.name} is {lane.kiosk.state.value}; try again in a moment"


def _document(asked: EnterAsked, source: Literal["manual", "paper"], now: Moment) -> ReadDocument:
    found = keyed(asked.typed, source=source, today=now.today, is_document=asked.is_document)
    return ReadDocument(source, found.kind, KEYED, found.fields, found.verdicts)


def _written_at(text: str, now: Moment) -> str:
    """Return the time on a form in UTC, without fractions; raise `Refused` for none, or one that has not come yet."""
    try:
        at = datetime.fromisoformat(text).astimezone(UTC) if "T" in text else None
    except (ValueError, OverflowError):
        at = None
    if at is None or datetime.fromisoformat(text).tzinfo is None:
        raise Refused("the time on the form must be RFC 3339, such as 2026-03-01T09:40:00Z")
    if now.clock.state != "unset" and at > now.at:
        raise Refused("the time on the form has not come yet")
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _said_by(draft: Draft) -> dict[str, Any]:
    match draft:
        case CrossingDraft():
            return {"result": draft.outcome.result, "by": draft.outcome.by, "reasons": draft.outcome.reasons}
        case DecisionDraft():
            return {"result": draft.result, "by": "officer", "amends": draft.amends}
    return {"result": "void", "amends": draft.amends}
