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
        self._given_up: set[str] = set()
        self._unwanted: set[str] = set()  # on disk, and not voided yet
        self._voids: dict[str, str] = {}  # amendment on its way -> what it voids

    def give_up(self, draft: str) -> None:
        """Note that the lane has closed without waiting for this draft any longer."""
        self._given_up.add(draft)

    def handle(self, event: LaneEvent, now: Moment) -> list[Record]:
        """Take any event of the lane, and return the amendments that have to be recorded now."""
        match event:
            case Recorded(id=id) if id in self._given_up:
                self._given_up.discard(id)
                self._unwanted.add(id)
            case RecordFailed(id=id) if id in self._given_up:
                self._given_up.discard(id)
                return []
            case Recorded(id=id) if id in self._voids:
                del self._voids[id]
                return []
            case RecordFailed(id=id) if id in self._voids:
                self._unwanted.add(self._voids.pop(id))
                return []  # the store takes nothing now
            case StoreReady():
                pass
            case _:
                return []
        drafts = [VoidDraft(self._new_id(), now, unwanted) for unwanted in sorted(self._unwanted)]
        self._unwanted.clear()
        self._voids |= {draft.id: draft.amends for draft in drafts}
        return [Record(draft) for draft in drafts]
