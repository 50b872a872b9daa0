"""What the cache keeps, as its users see it: records, heads, and what could not be read.

Owns the types alone. Always true: none of them shows the body of a record in its `repr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

LOST = "lost"
DAMAGED = "damaged"
PURGED = "purged"


class StoredRecord(msgspec.Struct, frozen=True):
    """One sealed record at its position; `body` is what is published, byte for byte.

    `time` is RFC 3339 in UTC, `hash` that of the record (its place in the chain). `direction` and `outcome` are empty
    where they do not apply. Nothing beside `body` says anything of the traveller.
    """

    stream: str
    epoch: str
    sequence: int
    id: str
    type: str
    time: str
    direction: str
    outcome: str
    training: bool
    hash: str
    body: bytes

    def __repr__(self) -> str:
        return f"StoredRecord({self.stream} {self.sequence} of {self.epoch}, {self.type}, {len(self.body)} bytes)"


class Unreadable(msgspec.Struct, frozen=True):
    """A position whose record cannot be read; `hash` is empty when no neighbour knows it.

    `reason` is `damaged` (the row is there and is not what was written), `lost` (there is no row) or `purged` (the
    centre held it and it was released).
    """

    stream: str
    sequence: int
    hash: str
    reason: str


class Head(msgspec.Struct, frozen=True):
    """How far a stream has come: the next sequence, what the centre holds, what was purged, and what is here.

    `purged_hash` is the hash of record `purged_up_to`. `count` and `bytes` (of bodies) tell what the store still has.
    `epoch` is empty in a salvaged store until the next epoch begins: nothing can be appended before.
    """

    stream: str
    epoch: str
    next_sequence: int = 1
    last_hash: str = ""
    held_up_to: int = 0
    purged_up_to: int = 0
    purged_hash: str = ""
    count: int = 0
    bytes: int = 0


class Lost(msgspec.Struct, frozen=True):
    """What a salvage knows of one stream: its last position and hash, and what is gone though the centre lacks it.

    `ranges` are of sequences, both ends included; each of these positions reads as `Unreadable` until it is set aside.
    """

    last_sequence: int
    last_hash: str
    ranges: tuple[tuple[int, int], ...] = ()


class Salvage(msgspec.Struct, frozen=True):
    """A damaged store was set aside and its readable records moved to a new one; a new epoch must begin.

    `epoch` is the last epoch of the damaged store, empty if that could not be read; `damaged_file` where it lies now.
    """

    epoch: str
    streams: Mapping[str, Lost]
    damaged_file: Path
