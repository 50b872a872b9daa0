"""How much room the disk has, and what it is kept for.

Owns the measure and the two limits; it deletes nothing. Photos stop first, crossings go on down to a reserve, and then
the lane closes. Always true: the reserve is never given to a crossing or a photo, so that receipts, decisions and the
purging that makes room again can still be written; nothing that the centre does not hold is deleted to make room.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from edge.errors import StoreError
from edge.events import Room

MB = 1_000_000


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
