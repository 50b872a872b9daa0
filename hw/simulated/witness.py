"""An account of who saw which lamp, kept outside the kiosk.

A reconciliation compares it with the records at the centre. It knows travellers by ordinal alone, and is on disk before
the traveller walks away.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Literal

import msgspec


class Sighting(msgspec.Struct, frozen=True, omit_defaults=True):
    """A traveller left the lane after this lamp: green, or amber and the officer.

    `waited_s` is how long green took from the end of the document's last message; 0 where that was not seen. `again` is
    how often the documents had to be shown again.
    """

    traveller: int
    saw: Literal["green", "amber"]
    waited_s: float = 0.0
    again: int = 0


def sightings_in(path: Path) -> list[Sighting]:
    """Return what a witness has written; a line that is being written, or that a power cut tore off, is left out."""
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return [msgspec.json.decode(line, type=Sighting) for line in whole.splitlines() if line]


class Witness:
    """Keeps sightings in memory and, where a path is given, in a file of one JSON object a line."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._sightings: list[Sighting] = []
        self._left: set[int] = set()
        if path is not None and path.exists():
            # A line that a power cut tore off was not on disk: its traveller had not walked away.
            whole = path.read_bytes().rpartition(b"\n")[0]
            self._sightings = [msgspec.json.decode(line, type=Sighting) for line in whole.splitlines() if line]
            self._left = {sighting.traveller for sighting in self._sightings}
            os.truncate(path, len(whole) + 1 if whole else 0)

    @property
    def sightings(self) -> list[Sighting]:
        """Return all sightings in their order, those of earlier runs included."""
        with self._lock:
            return list(self._sightings)

    def has_left(self, traveller: int) -> bool:
        """Tell whether this traveller has been seen off."""
        with self._lock:
            return traveller in self._left

    def note(self, sighting: Sighting) -> None:
        """Write a sighting down, and to disk."""
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(sighting) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        with self._lock:
            self._sightings.append(sighting)
            self._left.add(sighting.traveller)
