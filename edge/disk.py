"""How much room the disk has, and what it is kept for.

Owns the measure, the two limits, and when a change is told; it deletes nothing. Photos stop first, crossings go on down
to a reserve, and then the lane closes. Always true: the reserve is never given to a crossing or a photo, so that
receipts, decisions and the purging that makes room again can still be written; nothing that the centre does not hold is
deleted to make room.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from edge.errors import StoreError, StoreFull
from edge.events import CrossingDraft, Room, RoomMeasured

MB = 1_000_000
TOLD_BYTES = 1_000_000  # a change of room that is worth a message


@dataclass(frozen=True, slots=True)
class DiskBudget:
    """The limits, in bytes: below `photos_stop_below` no new photo is kept, below `reserve` no crossing."""

    photos_stop_below: int
    reserve: int

    def room(self, free_bytes: int, before: Room) -> Room:
        """Return what there is room for; a lane that was closed needs a quarter of the reserve more to open again."""
        margin = self.reserve // 4 if before is Room.NONE else 0
        if free_bytes < self.reserve + margin:
            return Room.NONE
        return Room.SHORT if free_bytes < self.photos_stop_below else Room.PLENTY


def free_bytes(folder: Path) -> int:
    """Return what the file system of a folder has left for the daemon's user; raise `StoreError` if it cannot say."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}", remedy="check the folder and its owner") from None
    return found.f_bavail * found.f_frsize


class Audits(Protocol):
    """`edge.recorder.Recorder.audit`."""

    def __call__(self, event: str, **detail: object) -> None: ...


class RoomForStore:
    """The room that one store has, as it was measured last.

    `free_bytes` measures the disk and `reusable_bytes` what purged records have left inside the store; `tell` takes
    `RoomMeasured`.
    """

    def __init__(
        self,
        folder: Path,
        budget: DiskBudget,
        *,
        free_bytes: Callable[[Path], int],
        reusable_bytes: Callable[[], int],
        tell: Callable[[RoomMeasured], None],
        audit: Audits,
    ) -> None:
        self._folder, self._budget = folder, budget
        self._free_bytes, self._reusable_bytes = free_bytes, reusable_bytes
        self._tell, self._audit = tell, audit
        self._told_free_bytes = 0
        self.room = Room.PLENTY

    def measure(self) -> None:
        """Look how much room there is and tell when that is news; that there is none is told each time.

        Raises `StoreError` where the disk cannot say.
        """
        free = self._free_bytes(self._folder) + self._reusable_bytes()
        room = self._budget.room(free, self.room)
        if room is not self.room:
            self._audit("disk_room_changed", room=room.value, free_bytes=free)
        if room is not self.room or room is Room.NONE or abs(free - self._told_free_bytes) >= TOLD_BYTES:
            self._tell(RoomMeasured(room, free))
            self._told_free_bytes = free
        self.room = room

    def within_budget(self, draft: CrossingDraft) -> CrossingDraft:
        """Return the draft, without its photo while room is short; raise `StoreFull` when only the reserve is left."""
        if self.room is Room.PLENTY and self._free_bytes(self._folder) >= self._budget.photos_stop_below:
            return draft  # whatever the store itself could reuse comes on top; when idle, all of it is measured
        self.measure()
        if self.room is Room.NONE:
            kept = f"{self._budget.reserve // MB} MB are kept for what is on its way"
            raise StoreFull(f"no room on the disk: {self._told_free_bytes // MB} MB are left, {kept}")
        if self.room is Room.SHORT and draft.photo is not None:
            return replace(draft, photo=None, photo_absent="disk")
        return draft
