"""What an officer says of a lane when the traveller is gone: amendments of the last crossing, and forms. PURE.

Owns what may still be said: a void or, after a referral by the rules, the final decision, of the last crossing and of
the last form that was keyed in. It is kept in memory, for a bounded time, until the next one is on disk. Always true:
nothing is changed, an amendment is added; a crossing is voided once and decided once; what the disk did not take may be
asked for again.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.events import (
    CrossingDraft,
    DecisionDraft,
    DecisionTaken,
    Draft,
    FormKeyed,
    LaneEvent,
    Moment,
    Recorded,
    RecordFailed,
    VoidAsked,
    VoidDraft,
    VoidReason,
)
from edge.settings import LaneSettings
from edge.wire.crossing import Outcome, OutcomeResult


class LastCrossing:
    """What of the last crossing is known: its id, its group, when it was recorded, and whether a word is open."""

    def __init__(self, new_id: Callable[[], str], within_s: float) -> None:
        self._new_id, self._within_s = new_id, within_s
        self._id, self._group, self._at_s = "", None, 0.0
        self._is_referred = False  # by the rules, and nobody has decided
        self._asked: VoidDraft | DecisionDraft | None = None

    def recorded(self, draft: CrossingDraft, now: Moment) -> None:
        """Take note of the crossing that is on disk now."""
        self._id, self._group, self._at_s = draft.id, draft.group, now.clock.boottime_s
        self._is_referred = draft.outcome.result == "referred" and draft.outcome.by == "rule"
        self._asked = None

    def voidable(self, now: Moment) -> str:
        """Return the id of the crossing while it can be voided; empty where it cannot (any more)."""
        return self._id if self._is_open(now) else ""

    def decidable(self, now: Moment) -> str:
        """Return the id of the crossing while it can be decided about; empty where it cannot (any more)."""
        return self.voidable(now) if self._is_referred else ""

    def void(self, reason: VoidReason, officer: str, now: Moment) -> VoidDraft | None:
        """Return the amendment that voids the crossing, or None where there is none that can be voided."""
        if not (crossing := self.voidable(now)):
            return None
        self._asked = VoidDraft(self._new_id(), now, crossing, reason, officer, self._group)
        return self._asked

    def decide(self, result: OutcomeResult, officer: str, now: Moment) -> DecisionDraft | None:
        """Return the amendment with the final decision, or None where nothing is to be decided."""
        if not (crossing := self.decidable(now)):
            return None
        self._asked = DecisionDraft(self._new_id(), now, crossing, result, officer)
        return self._asked

    def give_up(self, draft: str) -> None:
        """Take note that the lane waits no longer for an amendment: if it comes, it is voided, so ask again."""
        if self._asked is not None and self._asked.id == draft:
            self._asked = None

    def handle(self, event: LaneEvent) -> VoidDraft | None:
        """Take any event of the lane; return the void that is on disk now."""
        asked = self._asked
        if not isinstance(event, Recorded | RecordFailed) or asked is None or event.id != asked.id:
            return None
        self._asked = None
        if isinstance(event, RecordFailed):
            return None
        self._is_referred = False
        if isinstance(asked, DecisionDraft):
            return None
        self._id = ""
        return asked

    def _is_open(self, now: Moment) -> bool:
        is_recent = now.clock.boottime_s - self._at_s <= self._within_s
        return bool(self._id) and is_recent and self._asked is None


class Afterwards:
    """The last crossing of one lane, the last form keyed in there, and the forms that are on their way to the disk."""

    def __init__(self, lane: LaneSettings, new_id: Callable[[], str]) -> None:
        self._lane, self._new_id = lane, new_id
        self._last = LastCrossing(new_id, lane.policy.amend_s)
        self._last_form = LastCrossing(new_id, lane.policy.amend_s)
        self._forms: dict[str, CrossingDraft] = {}

    def draft(self, event: DecisionTaken | VoidAsked | FormKeyed, now: Moment) -> Draft | None:
        """Return what shall be recorded, or None where nothing can be said (any more)."""
        match event:
            case DecisionTaken():
                return self._last.decide(event.result, event.officer, now)
            case VoidAsked():
                last = self._last_form if event.is_form else self._last
                return last.void(event.reason, event.officer, now)
            case FormKeyed():
                return self._form(event, now)

    def decidable(self, now: Moment) -> str:
        """Return the id of the last crossing while it can be decided about, or nothing."""
        return self._last.decidable(now)

    def voidable(self, now: Moment, *, is_form: bool) -> str:
        """Return the id of the last crossing, or of the last form, while it can be voided, or nothing."""
        return (self._last_form if is_form else self._last).voidable(now)

    def recorded(self, draft: CrossingDraft, now: Moment) -> None:
        """Take note of a crossing of the lane that is on disk."""
        self._last.recorded(draft, now)

    def give_up(self, draft: str) -> None:
        """Take note that the lane waits no longer for an amendment."""
        self._last.give_up(draft)

    def group_of_voided(self, event: LaneEvent, now: Moment) -> str | None:
        """Take any event of the lane; return the group of a crossing whose void is on disk now."""
        form = self._forms.pop(event.id, None) if isinstance(event, Recorded | RecordFailed) else None
        if form is not None and isinstance(event, Recorded):
            self._last_form.recorded(form, now)
        self._last_form.handle(event)
        void = self._last.handle(event)
        return None if void is None else void.group

    def _form(self, event: FormKeyed, now: Moment) -> CrossingDraft:
        """Return the crossing of an outage; its person is gone, so it has no photo and no lamp."""
        draft = CrossingDraft(
            id=self._new_id(),
            moment=now,
            direction=event.direction,
            lane=self._lane.kind,
            documents=(event.document,),
            conveyance=None,
            outcome=Outcome(event.result, "officer", officer=event.officer),
            training=self._lane.policy.training,
            photo_absent="paper",
            written_at=event.written_at,
        )
        self._forms[draft.id] = draft
        return draft
