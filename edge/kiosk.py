"""One crossing at one lane, from the first scan to the record: a pure state machine.

Owns the states of a lane, the table of what each event does in each state, and the rules by which a traveller passes or
is referred. It has no thread, no I/O and no clock of its own: time comes in with each event, deadlines go out as data,
and what shall be done is returned as a list of actions. Always true:
- `Show(PASSED)` follows only a `Recorded` of the same draft;
- the outcome is passed or referred, never refused;
- a record that came too late to be shown is voided (`edge.late`);
- every pair of state and event stands in `TRANSITIONS` or in `IGNORED`; anything else is refused with an error.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Literal, Protocol

from edge.config import LaneSettings
from edge.documents.verdict import Document, Result, Verdict
from edge.errors import LandfallError
from edge.events import (
    Action,
    CrossingDraft,
    DeadlinePassed,
    DecisionDraft,
    Guide,
    LaneEvent,
    Moment,
    OpenGate,
    ProbeStore,
    Record,
    Recorded,
    RecordFailed,
    RoomRanOut,
    Show,
    StoreReady,
    TakePhoto,
)
from edge.late import LateRecords
from edge.rules import best_of, compared, conveyance_of, document_class, is_misread, reasons_to_refer
from edge.wire.crossing import MAX_PHOTO_BYTES, Direction, Outcome, ReadDocument
from hw.devices import (
    Button,
    ButtonPressed,
    DocumentRead,
    Guidance,
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
    DECIDING = "deciding"  # everything is there, the officer has the word
    RECORDING = "recording"  # a draft is on its way to the disk
    SHOWING = "showing"  # the outcome is shown to the traveller


class Reads(Protocol):
    """`edge.documents.read.read`, or a stand-in with its signature."""

    def __call__(
        self, payload: bytes, *, today: date | None, symbology: str | None, unrecognised: tuple[int, ...]
    ) -> Document:
        """Return what a payload says."""


@dataclass(slots=True)
class _Traveller:
    """What is known of the person at the lane."""

    id: str
    documents: list[ReadDocument] = field(default_factory=list, repr=False)
    misread: ReadDocument | None = field(default=None, repr=False)
    was_misread: bool = False
    photo: bytes | None = field(default=None, repr=False)
    photo_absent: str = ""
    photo_quality: tuple[Guidance, ...] | None = None
    is_guided: bool = False

    @property
    def is_photo_settled(self) -> bool:
        return self.photo is not None or bool(self.photo_absent)

    def compared(self) -> tuple[ReadDocument, ...]:
        return compared(self.documents)

    def classes(self) -> set[str]:
        return {document_class(document) for document in self.documents}


class Kiosk:
    """The state machine of one lane.

    `memory_key` keys the digests by which a repeated read is known; they live in memory and a restart forgets them.
    `deadline_s` is the CLOCK_BOOTTIME at which the caller must hand in `DeadlinePassed`, or None.
    """

    def __init__(self, lane: LaneSettings, *, new_id: Callable[[], str], read: Reads, memory_key: bytes) -> None:
        self._lane = lane
        self._policy = lane.policy
        self._new_id = new_id
        self._read = read
        self._memory_key = memory_key
        self._late = LateRecords(new_id)
        self.state = State.CLOSED
        self.deadline_s: float | None = None
        self._direction: Direction = "entry" if lane.policy.direction == "button" else lane.policy.direction
        self._traveller: _Traveller | None = None
        self._draft: CrossingDraft | DecisionDraft | None = None
        self._referred: CrossingDraft | None = None  # shown to the officer now, and not decided yet
        self._held: DocumentRead | None = None  # the next traveller was quick
        self._seen: dict[bytes, float] = {}

    def handle(self, event: LaneEvent, now: Moment) -> list[Action]:
        """Take one event and return what shall be done, in this order; raise `LandfallError` for an unknown event."""
        voids = self._late.handle(event, now)
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
        self._traveller = self._draft = self._referred = self._held = None
        self._seen.clear()  # whoever was here comes again once the store works
        return [Show(Signal.CLOSED)]

    # --- ready -------------------------------------------------------------------------------------------------------

    def _be_ready(self, now: Moment) -> list[Action]:
        self.state, self.deadline_s = State.READY, None
        self._traveller = self._draft = self._referred = None
        actions: list[Action] = [Show(Signal.READY)]
        if (held := self._held) is not None:
            self._held = None
            actions += self._begin(held, now)
        return actions

    def _press_ready(self, event: ButtonPressed, now: Moment) -> list[Action]:
        if event.button is Button.DIRECTION and self._policy.direction == "button":
            self._direction = "exit" if self._direction == "entry" else "entry"
        return []

    def _run_out_of_room(self, event: RoomRanOut, now: Moment) -> list[Action]:
        return self._close(now)

    def _begin(self, event: DocumentRead | ReadFailed, now: Moment) -> list[Action]:
        if isinstance(event, DocumentRead) and self._is_repeated(event, now):
            return []
        self._traveller = _Traveller(self._new_id())
        self.state = State.COLLECTING
        actions: list[Action] = []
        if self._policy.photo == "wanted":
            actions.append(TakePhoto(self._traveller.id))
        else:
            self._traveller.photo_absent = "off"
        self.deadline_s = now.clock.boottime_s + self._policy.collect_s
        return actions + self._look_at(event, now)

    # --- collecting --------------------------------------------------------------------------------------------------

    def _collect(self, event: DocumentRead | ReadFailed, now: Moment) -> list[Action]:
        if isinstance(event, DocumentRead) and self._is_repeated(event, now):
            return []
        return self._look_at(event, now)

    def _look_at(self, event: DocumentRead | ReadFailed, now: Moment) -> list[Action]:
        """Take in one read; a misread asks for another, anything else may be the last thing that was missing."""
        traveller = self._present
        if isinstance(event, ReadFailed):
            traveller.was_misread = True
            return [Show(Signal.TRY_AGAIN)]
        document = self._understand(event, now)
        if is_misread(document):
            traveller.was_misread = True
            traveller.misread = best_of(traveller.misread, document)
            return [Show(Signal.TRY_AGAIN)]
        traveller.documents.append(document)
        if document_class(document) in self._policy.required and not self._missing():
            self.deadline_s = min(self._due, now.clock.boottime_s + self._policy.optional_s)
        return self._settle(now) or [Show(Signal.WORKING)]

    def _understand(self, event: DocumentRead, now: Moment) -> ReadDocument:
        frame = event.frame
        about = {"symbology": frame.symbology, "unrecognised": frame.unrecognised}
        try:
            found = self._read(frame.payload, today=now.today, **about)
        except Exception as error:  # no document stops a lane; the error's text may quote it
            failed = Verdict("understood", Result.FAILED, f"the reading failed: {type(error).__name__}")
            found = Document("unknown", "mrz", {}, (failed,))
        return ReadDocument(found.source, found.kind, event.device, found.fields, found.verdicts)

    def _keep_photo(self, event: PhotoTaken | PhotoFailed, now: Moment) -> list[Action]:
        traveller = self._present
        if event.request != traveller.id or traveller.is_photo_settled:
            return []
        if isinstance(event, PhotoTaken) and len(event.jpeg) <= MAX_PHOTO_BYTES:
            traveller.photo, traveller.photo_quality = event.jpeg, event.quality
        elif isinstance(event, PhotoTaken):
            traveller.photo_absent = "too_large"
        else:
            traveller.photo_absent = event.reason
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

    # --- deciding ----------------------------------------------------------------------------------------------------

    def _press_decision(self, event: ButtonPressed, now: Moment) -> list[Action]:
        match event.button:
            case Button.ACCEPT:
                result: Literal["passed", "referred"] = "passed"
            case Button.REFER:
                result = "referred"
            case _:
                return self._press_ready(event, now)
        return self._record_crossing(Outcome(result, "officer", self._reasons()), now)

    def _no_decision(self, event: DeadlinePassed, now: Moment) -> list[Action]:
        return self._record_crossing(Outcome("referred", "rule", (*self._reasons(), "officer_did_not_decide")), now)

    def _add_document(self, event: DocumentRead, now: Moment) -> list[Action]:
        if not self._is_repeated(event, now) and not is_misread(document := self._understand(event, now)):
            self._present.documents.append(document)
        return []

    # --- recording ---------------------------------------------------------------------------------------------------

    def _record_crossing(self, outcome: Outcome, now: Moment) -> list[Action]:
        traveller = self._present
        documents = traveller.compared()
        if not documents and traveller.misread is not None:
            documents = (traveller.misread,)
        draft = CrossingDraft(
            id=traveller.id,
            moment=now,
            direction=self._direction,
            lane=self._lane.kind,
            documents=documents,
            conveyance=conveyance_of(documents),
            outcome=outcome,
            training=self._policy.training,
            photo=traveller.photo,
            photo_absent="" if traveller.photo is not None else traveller.photo_absent or "deadline passed",
            photo_quality=traveller.photo_quality,
        )
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
            is_open = result == "referred" and draft.outcome.by == "rule"
            self._referred = replace(draft, photo=None, documents=()) if is_open else None
        else:
            result, self._referred = draft.result, None
        if result == "passed":
            self.deadline_s = now.clock.boottime_s + self._policy.show_s
            return [Show(Signal.PASSED), OpenGate()]
        self.deadline_s = now.clock.boottime_s + self._policy.refer_s
        return [Show(Signal.CALL_OFFICER)]

    def _fail(self, event: RecordFailed, now: Moment) -> list[Action]:
        return self._close(now) if self._draft is not None and event.id == self._draft.id else []

    def _too_late(self, event: DeadlinePassed, now: Moment) -> list[Action]:
        if self._draft is not None:
            self._late.give_up(self._draft.id)
        return self._close(now)

    # --- showing -----------------------------------------------------------------------------------------------------

    def _press_after_referral(self, event: ButtonPressed, now: Moment) -> list[Action]:
        if self._referred is None or event.button is Button.DIRECTION:
            return self._press_ready(event, now)
        result: Literal["passed", "referred"] = "passed" if event.button is Button.ACCEPT else "referred"
        return self._record(DecisionDraft(self._new_id(), now, self._referred.id, result), now)

    def _hold(self, event: DocumentRead, now: Moment) -> list[Action]:
        """Keep one read of the next traveller until this one has seen the lamp; a late optional document is let go."""
        if not self._is_repeated(event, now, remember=False):
            document = self._understand(event, now)
            if is_misread(document) or document_class(document) in self._policy.required:
                self._held = event
        return []

    def _done(self, event: DeadlinePassed, now: Moment) -> list[Action]:
        return self._be_ready(now)

    # --- helpers -----------------------------------------------------------------------------------------------------

    @property
    def _present(self) -> _Traveller:
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
        return Outcome("referred" if reasons else "passed", "rule", reasons)

    def _is_repeated(self, event: DocumentRead, now: Moment, *, remember: bool = True) -> bool:
        """Tell whether this very payload was read a moment ago; a document that lies on its reader stays known."""
        at, horizon = now.clock.boottime_s, now.clock.boottime_s - self._policy.repeat_s
        self._seen = {digest: seen for digest, seen in self._seen.items() if seen > horizon}
        digest = hmac.digest(self._memory_key, event.frame.payload, "sha256")
        is_repeated = digest in self._seen
        if is_repeated or remember:
            self._seen[digest] = at
        return is_repeated


TRANSITIONS: dict[State, dict[type, Callable[..., list[Action]]]] = {
    State.CLOSED: {
        DeadlinePassed: Kiosk._probe,
        Recorded: Kiosk._open,  # it was late, but it is on disk: the store works
        StoreReady: Kiosk._open,
    },
    State.READY: {
        DocumentRead: Kiosk._begin,
        ReadFailed: Kiosk._begin,
        ButtonPressed: Kiosk._press_ready,
        RoomRanOut: Kiosk._run_out_of_room,
    },
    State.COLLECTING: {
        DocumentRead: Kiosk._collect,
        ReadFailed: Kiosk._collect,
        PhotoTaken: Kiosk._keep_photo,
        PhotoFailed: Kiosk._keep_photo,
        PhotoGuidance: Kiosk._guide,
        ButtonPressed: Kiosk._press_decision,
        DeadlinePassed: Kiosk._stop_waiting,
    },
    State.DECIDING: {
        DocumentRead: Kiosk._add_document,
        PhotoTaken: Kiosk._keep_photo,
        PhotoFailed: Kiosk._keep_photo,
        PhotoGuidance: Kiosk._guide,
        ButtonPressed: Kiosk._press_decision,
        DeadlinePassed: Kiosk._no_decision,
    },
    State.RECORDING: {
        DocumentRead: Kiosk._hold,
        DeadlinePassed: Kiosk._too_late,
        Recorded: Kiosk._show_outcome,
        RecordFailed: Kiosk._fail,
    },
    State.SHOWING: {
        DocumentRead: Kiosk._hold,
        ButtonPressed: Kiosk._press_after_referral,
        DeadlinePassed: Kiosk._done,
    },
}
IGNORED: dict[State, frozenset[type]] = {
    State.CLOSED: frozenset(
        {DocumentRead, ReadFailed, PhotoTaken, PhotoFailed, PhotoGuidance, ButtonPressed, RecordFailed, RoomRanOut}
    ),
    State.READY: frozenset(
        {PhotoTaken, PhotoFailed, PhotoGuidance, DeadlinePassed, Recorded, RecordFailed, StoreReady}
    ),
    State.COLLECTING: frozenset({Recorded, RecordFailed, StoreReady, RoomRanOut}),
    State.DECIDING: frozenset({ReadFailed, Recorded, RecordFailed, StoreReady, RoomRanOut}),
    State.RECORDING: frozenset(
        {ReadFailed, PhotoTaken, PhotoFailed, PhotoGuidance, ButtonPressed, StoreReady, RoomRanOut}
    ),
    State.SHOWING: frozenset(
        {ReadFailed, PhotoTaken, PhotoFailed, PhotoGuidance, Recorded, RecordFailed, StoreReady, RoomRanOut}
    ),
}
