"""A memory card that knows which of its bytes would outlive a power cut. PURE.

Owns the model: what was written to a file is certain only after a sync of that file, a name only after a sync of the
folder. What was not synced may be there or not, in any order and sector by sector; a sector is old or new, never a
mixture, and a write never harms the bytes beside it. Always true: the same operations give the same card.

The card has one folder and no others: a store needs no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from random import Random
from typing import NamedTuple

SECTOR_BYTES = 512
Contents = dict[str, bytes]


class Write(NamedTuple):
    """Bytes went to a place in a file."""

    file: int
    at: int
    content: bytes


class Resize(NamedTuple):
    """A file was cut off, or made longer with zeros."""

    file: int
    size: int


class Sync(NamedTuple):
    """fsync or fdatasync of a file returned."""

    file: int


class Create(NamedTuple):
    """An empty file got a name."""

    name: str
    file: int


class Rename(NamedTuple):
    """A file got another name, in place of whatever had it."""

    old: str
    new: str


class Remove(NamedTuple):
    """A name went away."""

    name: str


class SyncNames(NamedTuple):
    """fsync of the folder returned."""


Operation = Write | Resize | Sync | Create | Rename | Remove | SyncNames


class Survival(StrEnum):
    """What of the unsynced outlives the cut."""

    NOTHING = "nothing unsynced"
    EVERYTHING = "everything in order"
    TORN = "everything, the last write torn"
    SCATTERED = "some sectors of it"


class Card:
    """Files by number and their names, as a running program sees them and as a cut would leave them."""

    def __init__(self, contents: Mapping[str, bytes] = {}) -> None:
        self.names = {name: number for number, name in enumerate(contents)}
        self.files = {number: bytearray(content) for number, content in enumerate(contents.values())}
        self._synced = {number: bytearray(content) for number, content in enumerate(contents.values())}
        self._synced_names = dict(self.names)
        self._unsynced: dict[int, list[Write | Resize]] = {}
        self._unsynced_names: list[Create | Rename | Remove] = []
        self._last: Operation | None = None

    def apply(self, operation: Operation) -> None:
        """Carry out one operation."""
        self._last = operation
        match operation:
            case Write(file) | Resize(file):
                _alter(self.files[file], operation)
                self._unsynced.setdefault(file, []).append(operation)
            case Sync(file):
                for change in self._unsynced.pop(file, []):
                    _alter(self._synced[file], change)
            case SyncNames():
                for naming in self._unsynced_names:
                    _name(self._synced_names, naming)
                self._unsynced_names.clear()
            case _:
                if isinstance(operation, Create):
                    self.files[operation.file] = bytearray()
                    self._synced[operation.file] = bytearray()
                _name(self.names, operation)
                self._unsynced_names.append(operation)

    def survivals(self) -> list[Survival]:
        """Return the ways in which a cut now may turn out; `TORN` only right after a write that has two sectors."""
        torn = [Survival.TORN] if isinstance(self._last, Write) and _inner_edges(self._last) else []
        return [Survival.NOTHING, Survival.EVERYTHING, *torn, Survival.SCATTERED]

    def after_cut(self, survival: Survival, chance: Random) -> Contents:
        """Return what a power cut now leaves on the card; `chance` decides what is up to chance."""
        match survival:
            case Survival.NOTHING:
                return self._left(self._synced_names, {})
            case Survival.EVERYTHING:
                return {name: bytes(self.files[file]) for name, file in self.names.items()}
            case Survival.TORN:
                return self._torn(chance)
            case Survival.SCATTERED:
                return self._scattered(chance)

    def _torn(self, chance: Random) -> Contents:
        last = self._last
        assert isinstance(last, Write), "only a write can be torn"
        whole = chance.choice(_inner_edges(last)) - last.at
        changes = {**self._unsynced, last.file: [*self._unsynced[last.file][:-1]]}
        changes[last.file].append(last._replace(content=last.content[:whole]))
        return self._left(self.names, changes)

    def _scattered(self, chance: Random) -> Contents:
        names = dict(self._synced_names)
        for naming in self._unsynced_names[: chance.randint(0, len(self._unsynced_names))]:
            _name(names, naming)  # a journal keeps the order of names
        share = chance.choice((0.1, 0.5, 0.9))
        changes = {
            file: [part for change in changes for part in _sectors(change) if chance.random() < share]
            for file, changes in self._unsynced.items()
        }
        return self._left(names, changes)

    def _left(self, names: Mapping[str, int], changes: Mapping[int, list[Write | Resize]]) -> Contents:
        left = {}
        for name, file in names.items():
            content = bytearray(self._synced[file])
            for change in changes.get(file, []):
                _alter(content, change)
            left[name] = bytes(content)
        return left


def _alter(content: bytearray, change: Write | Resize) -> None:
    end = change.size if isinstance(change, Resize) else change.at + len(change.content)
    if end > len(content):
        content.extend(bytes(end - len(content)))
    if isinstance(change, Resize):
        del content[end:]
    else:
        content[change.at : end] = change.content


def _name(names: dict[str, int], naming: Create | Rename | Remove) -> None:
    match naming:
        case Create(name, file):
            names[name] = file
        case Rename(old, new):
            names[new] = names.pop(old)
        case Remove(name):
            del names[name]


def _inner_edges(write: Write) -> range:
    """Return the edges of sectors inside a write."""
    first = (write.at // SECTOR_BYTES + 1) * SECTOR_BYTES
    return range(first, write.at + len(write.content), SECTOR_BYTES)


def _sectors(change: Write | Resize) -> list[Write | Resize]:
    """Split a write where it crosses from one sector into the next."""
    if isinstance(change, Resize):
        return [change]
    edges = [change.at, *_inner_edges(change), change.at + len(change.content)]
    return [
        Write(change.file, start, change.content[start - change.at : end - change.at]) for start, end in pairwise(edges)
    ]
