"""Records that a lane gave up waiting for, and that may reach the disk all the same. PURE.

Owns their ids, in memory. The lane was closed when they were late, and whoever stood there goes on a paper form; so a
record that turns up later must not count as well. Always true: it is voided by an amendment, and the amendment is asked
for again until it is on disk, or the kiosk is restarted.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.events import LaneEvent, Moment, Record, Recorded, RecordFailed, StoreReady, VoidDraft


class LateRecords:
    """The drafts that one lane no longer waits for; there are never more than the recorder has in hand."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._given_up: dict[str, str | None] = {}  # draft -> its group
        self._unwanted: dict[str, str | None] = {}  # on disk, and not voided yet
        self._voids: dict[str, VoidDraft] = {}  # on their way

    def give_up(self, draft: str, group: str | None = None) -> None:
        """Note that the lane has closed without waiting for this draft any longer."""
        self._given_up[draft] = group

    def gave_up(self, draft: str) -> bool:
        """Tell whether nobody has heard yet what became of this draft, and nobody waits."""
        return draft in self._given_up

    def handle(self, event: LaneEvent, now: Moment) -> list[Record]:
        """Take any event of the lane, and return the amendments that have to be recorded now."""
        match event:
            case Recorded(id=id) if id in self._given_up:
                self._unwanted[id] = self._given_up.pop(id)
            case RecordFailed(id=id) if id in self._given_up:
                del self._given_up[id]
                return []
            case Recorded(id=id) if id in self._voids:
                del self._voids[id]
                return []
            case RecordFailed(id=id) if id in self._voids:
                void = self._voids.pop(id)
                self._unwanted[void.amends] = void.group
                return []  # the store takes nothing now
            case StoreReady():
                pass
            case _:
                return []
        drafts = [VoidDraft(self._new_id(), now, id, group=group) for id, group in self._unwanted.items()]
        self._unwanted.clear()
        self._voids |= {draft.id: draft for draft in drafts}
        return [Record(draft) for draft in drafts]
