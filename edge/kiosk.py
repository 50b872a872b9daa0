"""One crossing at one lane, from the first scan to the record: a pure state machine.

Owns the states of a lane and the table of what each event does in each state. It has no thread, no I/O and no clock of
its own: time comes in with each event, deadlines go out as data, and what shall be done is returned as a list of
actions. Who stands there is `edge.traveller`, what an officer says later `edge.afterwards`. Always true:
- `Show(PASSED)` follows only a `Recorded` of the same draft;
- the outcome is passed or referred, never refused;
- a record that came too late to be shown is voided (`edge.late`);
- a closed lane opens by `StoreReady` alone;
- every pair of state and event stands in `TRANSITIONS` or in `IGNORED`; anything else is refused with an error.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from edge.afterwards import Afterwards
from edge.errors import LandfallError
from edge.events import (
    Action,
    CrossingDraft,
    DeadlinePassed,
    DecisionDraft,
    DecisionTaken,
    DocumentKeyed,
    FormKeyed,
    Guide,
    LaneEvent,
    Moment,
    OpenGate,
    ProbeStore,
    Record,
    Recorded,
    RecordFailed,
    Show,
    StoreClosed,
    StoreReady,
    TakePhoto,
    VoidAsked,
)
from edge.groups import LaneGroup
from edge.late import LateRecords
from edge.rules import document_class, is_misread, reasons_to_refer
from edge.settings import LaneSettings
from edge.traveller import Reads, RepeatedReads, Traveller, understand
from edge.wire.crossing import Direction, Outcome, OutcomeResult, ReadDocument
from hw.devices import (
    Button,
    ButtonPressed,
    DocumentRead,
    PhotoFailed,
    PhotoGuidance,
    PhotoTaken,
    ReadFailed,
    Signal,
)

PROBE_S = 5.0


class State(StrEnum):
    """Where a lane is."""

    CLOSED = "closed"  # the store takes nothing: paper mode
    READY = "ready"  # nobody there
    COLLECTING = "collecting"  # a document was shown; what the policy wants besides is awaited
    MANUAL = "manual"  # an officer keys the document in; the readers are not heard
    DECIDING = "deciding"  # everything is there, the officer has the word
    RECORDING = "recording"  # a draft is on its way to the disk
    SHOWING = "showing"  # the outcome is shown to the traveller


class Kiosk:
    """The state machine of one lane.

    `memory_key` keys the digests by which a repeated read is known; they live in memory and a restart forgets them.
    `group` is the open group of the lane, which the caller opens and closes; `afterwards` knows of which crossing an
    officer may still say something.
    `deadline_s` is the CLOCK_BOOTTIME at which the caller must hand in `DeadlinePassed`, or None.
    """

    def __init__(self, lane: LaneSettings, *, new_id: Callable[[], str], read: Reads, memory_key: bytes) -> None:
        self._lane = lane
        self._policy = lane.policy
        self._new_id = new_id
        self._read = read
        self._seen = RepeatedReads(memory_key, lane.policy.repeat_s)
        self._late = LateRecords(new_id)
        self.afterwards = Afterwards(lane, new_id)
        self.group = LaneGroup(lane.policy.group_idle_s)
        self.state = State.CLOSED
        self.deadline_s: float | None = None
        self._direction: Direction = "entry" if lane.policy.direction == "button" else lane.policy.direction
        self._traveller: Traveller | None = None
        self._draft: CrossingDraft | DecisionDraft | None = None
        self._held: DocumentRead | None = None  # the next traveller was quick
        self._is_practice = False

    @property
    def traveller(self) -> str:
        """Return the id that the crossing of whoever is at the lane has, or will have; empty while nobody is there."""
        return self._traveller.id if self._traveller is not None else ""

    def gave_up(self, draft: str) -> bool:
        """Tell whether the lane waits no longer for this draft: if it is recorded all the same, it is voided."""
        return self._late.gave_up(draft)

    @property
    def direction(self) -> Direction:
        """Return which way people cross here now."""
        return self._direction

    def practise(self, is_practice: bool) -> None:
        """Let whoever steps up from now on be practice, or no more; what was held for later is let go.

        Whoever is at the lane already stays what they are.
        """
        self._is_practice, self._held = is_practice, None

    def takes(self, event: type) -> bool:
        """Tell whether an event of this kind changes anything now; one from a person is not dropped in silence."""
        return event in TRANSITIONS[self.state]

    def handle(self, event: LaneEvent, now: Moment) -> list[Action]:
        """Take one event and return what shall be done, in this order; raise `LandfallError` for an unknown event."""
        voids = self._late.handle(event, now)
        self.group.voided(self.afterwards.group_of_voided(event, now))
        if type(event) in IGNORED[self.state]:
            return [*voids]
        transition = TRANSITIONS[self.state].get(type(event))
        if transition is None:
            raise LandfallError(f"lane {self._lane.name}: {type(event).__name__} is not an event of a lane")
        return [*voids, *transition(self, event, now)]

    # --- closed ------------------------------------------------------------------------------------------------------

    def _open(self, event: LaneEvent, now: Moment) -> list[Action]:
        return self._be_ready(now)

    def _probe(self, event: LaneEvent, now: Moment) -> list[Action]:
        self.deadline_s = now.clock.boottime_s + PROBE_S
        return [ProbeStore()]

    def _close(self, now: Moment) -> list[Action]:
        self.state = State.CLOSED
        self.deadline_s = now.clock.boottime_s + PROBE_S
        self._traveller = self._draft = self._held = None
        self._seen.forget()  # whoever was here comes again once the store works
        return [Show(Signal.CLOSED)]

    # --- ready -------------------------------------------------------------------------------------------------------

    def _be_ready(self, now: Moment) -> list[Action]:
        self.state, self.deadline_s = State.READY, None
        self._traveller = self._draft = None
        actions: list[Action] = [Show(Signal.READY)]
        if (held := self._held) is not None:
            self._held = None
            actions += self._begin(held, now)
        return actions

    def _press_ready(self, event: ButtonPressed, now: Moment) -> list[Action]:
        if event.button is Button.MANUAL:
            return [*self._welcome(now), *self._go_manual(now)]
        return self._turn_direction(event)

    def _turn_direction(self, event: ButtonPressed) -> list[Action]:
        if event.button is Button.DIRECTION and self._policy.direction == "button":
            self._direction = "exit" if self._direction == "entry" else "entry"
        return []

    def _stop_serving(self, event: StoreClosed, now: Moment) -> list[Action]:
        return self._close(now)

    def _begin(self, event: DocumentRead | ReadFailed, now: Moment) -> list[Action]:
        if isinstance(event, DocumentRead) and self._seen.has(event, now):
            return []
        return [*self._welcome(now), *self._look_at(event, now)]

    def _welcome(self, now: Moment) -> list[Action]:
        """Take note that somebody is there."""
        self._traveller = Traveller(self._new_id(), self._is_practice)
        self._collect_until(now)
        if self._policy.photo == "wanted":
            return [TakePhoto(self._traveller.id)]
        self._traveller.photo_absent = "off"
        return []

    def _collect_until(self, now: Moment) -> None:
        self.state, self.deadline_s = State.COLLECTING, now.clock.boottime_s + self._policy.collect_s

    # --- collecting --------------------------------------------------------------------------------------------------

    def _collect(self, event: DocumentRead | ReadFailed, now: Moment) -> list[Action]:
        if isinstance(event, ReadFailed):
            return self._look_at(event, now)
        document = self._of_present(event, now)
        return [] if document is None else self._take(document, now)

    def _of_present(self, event: DocumentRead, now: Moment) -> ReadDocument | None:
        """Return what was read of whoever is here.

        None for a repeat, and for the passport of whoever stands too close behind: that one gets a crossing of its own.
        """
        if self._seen.has(event, now, remember=False):
            return None
        document = understand(self._read, event, now)
        if self._present.is_another(document):
            self._held = event
            return None
        self._seen.has(event, now)
        return document

    def _look_at(self, event: DocumentRead | ReadFailed, now: Moment) -> list[Action]:
        """Take in one read; a misread asks for another, anything else may be the last thing that was missing."""
        if isinstance(event, ReadFailed):
            self._present.was_misread = True
            return [Show(Signal.TRY_AGAIN)]
        return self._take(understand(self._read, event, now), now)

    def _take(self, document: ReadDocument, now: Moment) -> list[Action]:
        return self._taken_in(document, now) if self._present.take_in(document) else [Show(Signal.TRY_AGAIN)]

    def _taken_in(self, document: ReadDocument, now: Moment) -> list[Action]:
        """Go on after a document that counts."""
        if document_class(document) in self._policy.required and not self._missing():
            self.deadline_s = min(self._due, now.clock.boottime_s + self._policy.optional_s)
        is_asked_again = self._present.was_misread and bool(self._missing())
        return self._settle(now) or [Show(Signal.TRY_AGAIN if is_asked_again else Signal.WORKING)]

    def _keep_photo(self, event: PhotoTaken | PhotoFailed, now: Moment) -> list[Action]:
        traveller = self._present
        if event.request != traveller.id or traveller.is_photo_settled:
            return []
        traveller.settle_photo(event)
        return [*self._end_guidance(), *(self._settle(now) if self.state is State.COLLECTING else [])]

    def _guide(self, event: PhotoGuidance, now: Moment) -> list[Action]:
        traveller = self._present
        if event.request != traveller.id or traveller.is_photo_settled:
            return []
        traveller.is_guided = True
        return [Guide(event.guidance)]

    def _end_guidance(self) -> list[Action]:
        was_guided, self._present.is_guided = self._present.is_guided, False
        return [Guide(None)] if was_guided else []

    def _settle(self, now: Moment) -> list[Action]:
        """Go on as soon as nothing is awaited any more; return no action while something is."""
        wanted = {*self._policy.required, *self._policy.optional}
        if wanted - self._present.classes() or not self._present.is_photo_settled:
            return []
        return self._decide(now)

    def _stop_waiting(self, event: DeadlinePassed, now: Moment) -> list[Action]:
        return self._decide(now)

    def _decide(self, now: Moment) -> list[Action]:
        if self._policy.decision == "officer":
            self.state = State.DECIDING
            self.deadline_s = now.clock.boottime_s + self._policy.officer_s
            return [Show(Signal.CALL_OFFICER)]
        return self._record_crossing(self._outcome_by_rule(), now)

    # --- manual mode -------------------------------------------------------------------------------------------------

    def _go_manual(self, now: Moment) -> list[Action]:
        """Wait for an officer to key in the document of whoever is there."""
        self.state, self.deadline_s = State.MANUAL, now.clock.boottime_s + self._policy.manual_s
        return [Show(Signal.MANUAL)]

    def _press_manual(self, event: ButtonPressed, now: Moment) -> list[Action]:
        match event.button:
            case Button.MANUAL:
                return self._leave_manual(event, now)
            case Button.ACCEPT | Button.REFER if self._is_anything_known():
                return self._decided(_RESULT_OF[event.button], "", now)
        return self._turn_direction(event)

    def _leave_manual(self, event: LaneEvent, now: Moment) -> list[Action]:
        """Go on with what the readers have read before; without that nobody was there."""
        return self._decide(now) if self._is_anything_known() else [*self._end_guidance(), *self._be_ready(now)]

    def _begin_keyed(self, event: DocumentKeyed, now: Moment) -> list[Action]:
        return [*self._welcome(now), *self._key_in(event, now)]

    def _key_in(self, event: DocumentKeyed, now: Moment) -> list[Action]:
        """Take in what an officer has typed; what it lacks refers, and nothing of it is a misread."""
        traveller = self._present
        self._collect_until(now)
        traveller.officer = event.officer
        traveller.documents.append(event.document)
        if document_class(event.document) == "none":
            return self._decide(now)
        return self._taken_in(event.document, now)

    def _is_anything_known(self) -> bool:
        return bool(self._present.documents) or self._present.was_misread

    # --- deciding ----------------------------------------------------------------------------------------------------

    def _press_decision(self, event: ButtonPressed, now: Moment) -> list[Action]:
        match event.button:
            case Button.ACCEPT | Button.REFER:
                return self._decided(_RESULT_OF[event.button], "", now)
            case Button.MANUAL:
                return self._go_manual(now)
        return self._turn_direction(event)

    def _take_decision(self, event: DecisionTaken, now: Moment) -> list[Action]:
        return self._decided(event.result, event.officer, now)

    def _decided(self, result: OutcomeResult, officer: str, now: Moment) -> list[Action]:
        outcome = Outcome(result, "officer", self._reasons(), officer or self._present.officer)
        return self._record_crossing(outcome, now)

    def _no_decision(self, event: DeadlinePassed, now: Moment) -> list[Action]:
        reasons = (*self._reasons(), "officer_did_not_decide")
        return self._record_crossing(Outcome("referred", "rule", reasons, self._present.officer), now)

    def _add_document(self, event: DocumentRead, now: Moment) -> list[Action]:
        document = self._of_present(event, now)
        if document is not None and not is_misread(document):
            self._present.documents.append(document)
        return []

    # --- recording ---------------------------------------------------------------------------------------------------

    def _record_crossing(self, outcome: Outcome, now: Moment) -> list[Action]:
        group = self.group.group
        draft = self._present.draft(self._lane, self._direction, group, outcome, now)
        return [*self._end_guidance(), *self._record(draft, now)]

    def _record(self, draft: CrossingDraft | DecisionDraft, now: Moment) -> list[Action]:
        self.state, self._draft = State.RECORDING, draft
        self.deadline_s = now.clock.boottime_s + self._policy.record_s
        return [Record(draft)]

    def _show_outcome(self, event: Recorded, now: Moment) -> list[Action]:
        draft = self._draft
        if draft is None or event.id != draft.id:
            return []
        self.state = State.SHOWING
        if isinstance(draft, CrossingDraft):
            result = draft.outcome.result
            self.afterwards.recorded(draft, now)
            self.group.crossed(draft.group, now)
        else:
            result = draft.result
        if result == "passed":
            self.deadline_s = now.clock.boottime_s + self._policy.show_s
            return [Show(Signal.PASSED), OpenGate()]
        self.deadline_s = now.clock.boottime_s + self._policy.refer_s
        return [Show(Signal.CALL_OFFICER)]

    def _fail(self, event: RecordFailed, now: Moment) -> list[Action]:
        return self._close(now) if self._draft is not None and event.id == self._draft.id else []

    def _too_late(self, event: DeadlinePassed, now: Moment) -> list[Action]:
        if self._draft is not None:
            self._late.give_up(self._draft.id, self._draft.group if isinstance(self._draft, CrossingDraft) else None)
            self.afterwards.give_up(self._draft.id)
        return self._close(now)

    # --- showing -----------------------------------------------------------------------------------------------------

    def _press_after_referral(self, event: ButtonPressed, now: Moment) -> list[Action]:
        if event.button not in _RESULT_OF:
            return self._turn_direction(event)
        return self._decide_shown(DecisionTaken(_RESULT_OF[event.button], ""), now)

    def _decide_shown(self, event: DecisionTaken, now: Moment) -> list[Action]:
        """Take the final decision on the traveller who is still here: the lamp follows it."""
        draft = self.afterwards.draft(event, now)
        return [] if draft is None else self._record(draft, now)

    def _hold(self, event: DocumentRead, now: Moment) -> list[Action]:
        """Keep one read of the next traveller until this one has seen the lamp; a late optional document is let go."""
        if not self._seen.has(event, now, remember=False):
            document = understand(self._read, event, now)
            if is_misread(document) or document_class(document) in self._policy.required:
                self._held = event
        return []

    def _done(self, event: DeadlinePassed, now: Moment) -> list[Action]:
        return self._be_ready(now)

    # --- whatever the lane does --------------------------------------------------------------------------------------

    def _say_afterwards(self, event: DecisionTaken | VoidAsked | FormKeyed, now: Moment) -> list[Action]:
        """Record what is said of somebody who is not at the lane any more; the lamps are another's."""
        draft = self.afterwards.draft(event, now)
        return [] if draft is None else [Record(draft)]

    # --- whoever is at the lane --------------------------------------------------------------------------------------

    @property
    def _present(self) -> Traveller:
        assert self._traveller is not None, "a traveller is present in this state"
        return self._traveller

    @property
    def _due(self) -> float:
        assert self.deadline_s is not None, "a deadline is set in this state"
        return self.deadline_s

    def _missing(self) -> set[str]:
        return set(self._policy.required) - self._present.classes()

    def _reasons(self) -> tuple[str, ...]:
        return reasons_to_refer(self._policy, self._present.compared(), was_misread=self._present.was_misread)

    def _outcome_by_rule(self) -> Outcome:
        reasons = self._reasons()
        return Outcome("referred" if reasons else "passed", "rule", reasons, self._present.officer)


_RESULT_OF: dict[Button, OutcomeResult] = {Button.ACCEPT: "passed", Button.REFER: "referred"}

# What an officer may say of somebody who is not at the lane any more, whatever the lane does.
_ANYWHERE: dict[type, Callable[..., list[Action]]] = {
    DecisionTaken: Kiosk._say_afterwards,
    VoidAsked: Kiosk._say_afterwards,
    FormKeyed: Kiosk._say_afterwards,
}
TRANSITIONS: dict[State, dict[type, Callable[..., list[Action]]]] = {
    State.CLOSED: {
        **_ANYWHERE,
        DeadlinePassed: Kiosk._probe,
        Recorded: Kiosk._probe,  # late, or an officer's word, which may use the reserve: is there room?
        StoreReady: Kiosk._open,
    },
    State.READY: {
        **_ANYWHERE,
        DocumentRead: Kiosk._begin,
        ReadFailed: Kiosk._begin,
        ButtonPressed: Kiosk._press_ready,
        DocumentKeyed: Kiosk._begin_keyed,
        StoreClosed: Kiosk._stop_serving,
    },
    State.COLLECTING: {
        **_ANYWHERE,
        DocumentRead: Kiosk._collect,
        ReadFailed: Kiosk._collect,
        PhotoTaken: Kiosk._keep_photo,
        PhotoFailed: Kiosk._keep_photo,
        PhotoGuidance: Kiosk._guide,
        ButtonPressed: Kiosk._press_decision,
        DeadlinePassed: Kiosk._stop_waiting,
    },
    State.MANUAL: {
        **_ANYWHERE,
        DocumentKeyed: Kiosk._key_in,
        PhotoTaken: Kiosk._keep_photo,
        PhotoFailed: Kiosk._keep_photo,
        PhotoGuidance: Kiosk._guide,
        ButtonPressed: Kiosk._press_manual,
        DeadlinePassed: Kiosk._leave_manual,
    },
    State.DECIDING: {
        **_ANYWHERE,
        DecisionTaken: Kiosk._take_decision,
        DocumentRead: Kiosk._add_document,
        PhotoTaken: Kiosk._keep_photo,
        PhotoFailed: Kiosk._keep_photo,
        PhotoGuidance: Kiosk._guide,
        ButtonPressed: Kiosk._press_decision,
        DeadlinePassed: Kiosk._no_decision,
    },
    State.RECORDING: {
        **_ANYWHERE,
        DocumentRead: Kiosk._hold,
        DeadlinePassed: Kiosk._too_late,
        Recorded: Kiosk._show_outcome,
        RecordFailed: Kiosk._fail,
    },
    State.SHOWING: {
        **_ANYWHERE,
        DocumentRead: Kiosk._hold,
        DecisionTaken: Kiosk._decide_shown,
        ButtonPressed: Kiosk._press_after_referral,
        DeadlinePassed: Kiosk._done,
    },
}
IGNORED: dict[State, frozenset[type]] = {
    State.CLOSED: frozenset(
        {
            DocumentRead, ReadFailed, DocumentKeyed, PhotoTaken, PhotoFailed, PhotoGuidance, ButtonPressed,
            RecordFailed, StoreClosed,
        }
    ),
    State.READY: frozenset(
        {PhotoTaken, PhotoFailed, PhotoGuidance, DeadlinePassed, Recorded, RecordFailed, StoreReady}
    ),
    State.COLLECTING: frozenset({DocumentKeyed, Recorded, RecordFailed, StoreReady, StoreClosed}),
    State.MANUAL: frozenset({DocumentRead, ReadFailed, Recorded, RecordFailed, StoreReady, StoreClosed}),
    State.DECIDING: frozenset({ReadFailed, DocumentKeyed, Recorded, RecordFailed, StoreReady, StoreClosed}),
    State.RECORDING: frozenset(
        {
            ReadFailed, DocumentKeyed, PhotoTaken, PhotoFailed, PhotoGuidance, ButtonPressed, StoreReady, StoreClosed,
        }
    ),
    State.SHOWING: frozenset(
        {
            ReadFailed, DocumentKeyed, PhotoTaken, PhotoFailed, PhotoGuidance, Recorded, RecordFailed, StoreReady,
            StoreClosed,
        }
    ),
}  # fmt: skip
