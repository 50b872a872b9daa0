"""PURE. The rules of chain and prefix for one epoch of one stream.

Owns what makes a record stand where it stands. Nothing here reads a database, a clock or a key.

- An epoch starts with its epoch record. If that has no `prev`, the store was new; else it stands only behind the record
  that its `prev` names, in whatever epoch that is. What comes before that record, or after a hole, waits.
- A record goes behind the one whose sequence is one lower and whose hash is its `prev`. If nothing stands there yet,
  the branch grows; if something does, a new branch starts: a fork, and both are kept.
- A branch is held up to its last record, and there is no hole below that, ever.
- A tombstone stands for the record that it replaces, under that record's hash. If it does not know the hash it is
  blank, and the next record's `prev` tells. The record itself, should it come after all, takes the tombstone's place.
- The same position and hash once more is a duplicate; of two copies the one that says more is kept.

Always true: the set of records that stand, and of branch ends, does not depend on the order in which records came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, NamedTuple

TRUNK = 0


class Standing(IntEnum):
    """What is known of a record, from the copy that says least to the one that says most."""

    BLANK = 0  # a tombstone that does not know the hash of what it replaces
    TOMBSTONE = 1
    QUARANTINE = 2  # well signed, but its letter could not be read
    OPENED = 3

    @property
    def state(self) -> str:
        """Return how the table `record` names it."""
        return self.name.lower()


class Arrival(Enum):
    """What an arriving record turned out to be."""

    NEW = "new"
    DUPLICATE = "duplicate"
    BETTER = "better"  # known already, but this copy says more


class End(NamedTuple):
    """The end of a branch, and the sequence of its first record (0: the epoch has not been founded)."""

    root_sequence: int
    held_up_to: int
    hash_at: str


def highest(branches: Mapping[int, End]) -> int:
    """Return how far the longest branch of an epoch is held; 0 for an epoch that is not known."""
    return max((end.held_up_to for end in branches.values()), default=0)


@dataclass(slots=True, eq=False)
class Entry:
    """One record as far as the chain is concerned.

    `branch` is None while it waits. `opens` says that it may be the first of its epoch (an epoch record, or a
    tombstone in its place), `founds` that it is: there is no record before it, or that one stands in another epoch.
    `stored_hash` is the hash under which it is stored already, None if it is not; `content` is whatever has to be
    written for it, None when what is stored stays.
    """

    sequence: int
    hash: str
    prev: str
    standing: Standing
    opens: bool = False
    founds: bool = False
    branch: int | None = None
    stored_hash: str | None = None
    content: Any = None
    is_changed: bool = False


class Epoch:
    """One epoch of one stream: its branches, and those of its records that matter to what arrives.

    `known` must hold every stored record at the sequence of an arriving one, one below it and one above it; more may be
    added before `settle`, such as records that wait for a hole to close.
    """

    def __init__(self, ends: dict[int, End], known: Iterable[Entry] = ()) -> None:
        self.ends = {number: end for number, end in ends.items() if end.root_sequence}
        self.forked_records = 0  # how many were put on another branch than the trunk
        self.moved: set[int] = set()  # branches that grew
        self.asked: set[int] = set()  # branches that have to be answered for: they grew, or a duplicate stands on them
        self._at: dict[int, dict[str, Entry]] = {}
        self._loose: list[Entry] = []
        self._remembered: set[tuple[int, str | None]] = set()
        for entry in known:
            self.remember(entry)

    @property
    def picked_up_from(self) -> int | None:
        """Return the lowest stored record that waited and now stands; others may stand behind it."""
        picked_up = (entry.sequence for entry in self.entries if entry.is_changed and entry.stored_hash is not None)
        return min(picked_up, default=None)

    @property
    def is_founded(self) -> bool:
        """Tell whether the epoch's first record stands."""
        return TRUNK in self.ends

    @property
    def is_forked(self) -> bool:
        """Tell whether there is more than one branch."""
        return len(self.ends) > 1

    @property
    def entries(self) -> list[Entry]:
        """Return every record that was given, in the order of the chain."""
        return [entry for sequence in sorted(self._at) for entry in self._at[sequence].values()]

    def remember(self, entry: Entry) -> bool:
        """Add a stored record; return False when it was here already, perhaps under another name by now."""
        if (entry.sequence, entry.stored_hash) in self._remembered:
            return False
        self._remembered.add((entry.sequence, entry.stored_hash))
        self._add(entry)
        return True

    def stands(self, sequence: int, hash: str) -> bool:
        """Tell whether this record was given, and has its place; any record there if `hash` is empty."""
        here = self._at.get(sequence, {})
        return any(entry.branch is not None for entry in here.values() if hash in ("", entry.hash))

    def arrive(self, entry: Entry) -> Arrival:
        """Take an arriving record, and tell what it is; `settle` then finds its place."""
        same = self._same(entry)
        if same is None:
            entry.is_changed = True
            self._add(entry)
            return Arrival.NEW
        if same.branch is not None:
            self.asked.add(same.branch)
        if entry.standing <= same.standing:
            return Arrival.DUPLICATE
        self._rename(same, entry.hash)
        same.standing, same.content, same.is_changed = entry.standing, entry.content, True
        if same.branch is None:  # a stored place is never argued about; one that waits is judged by the better copy
            same.prev, same.opens, same.founds = entry.prev, entry.opens, entry.founds
        return Arrival.BETTER

    def settle(self) -> None:
        """Give every record its place whose predecessor stands."""
        loose, self._loose = sorted(self._loose, key=lambda entry: entry.sequence), []
        for entry in loose:
            self._place(entry)
            if entry.branch is None:
                self._loose.append(entry)

    def _add(self, entry: Entry) -> None:
        self._at.setdefault(entry.sequence, {})[entry.hash] = entry
        if entry.branch is None:
            self._loose.append(entry)

    def _same(self, entry: Entry) -> Entry | None:
        """Return the record here that the arriving one repeats, or replaces."""
        here = self._at.get(entry.sequence, {})
        if entry.hash in here:
            return here[entry.hash]
        if entry.standing is Standing.BLANK:
            if self._has_orphan_at(entry.sequence + 1):
                return None  # somebody's predecessor is missing here, and this is what is left of it
            return next((one for one in here.values() if entry.prev in ("", one.prev)), None)
        blanks = (one for one in here.values() if one.standing is Standing.BLANK)
        return next((blank for blank in blanks if blank.prev in ("", entry.prev)), None)

    def _has_orphan_at(self, sequence: int) -> bool:
        parents = self._at.get(sequence - 1, {})
        return any(one.branch is None and one.prev not in parents for one in self._at.get(sequence, {}).values())

    def _place(self, entry: Entry) -> None:
        if entry.founds:
            self._grow(entry, None)
            return
        before = self._at.get(entry.sequence - 1, {})
        parent = before.get(entry.prev)
        if entry.standing <= Standing.TOMBSTONE and not entry.prev:  # it does not know; whatever stands there is it
            parent = next((one for one in before.values() if one.branch is not None), None)
        if parent is None:
            blanks = (one for one in before.values() if one.standing is Standing.BLANK and one.branch is not None)
            parent = next(blanks, None)
            if parent is not None and entry.prev:
                self._learn(parent, entry.prev)
        if parent is not None and parent.branch is not None:
            self._grow(entry, parent)

    def _grow(self, entry: Entry, parent: Entry | None) -> None:
        end = None if parent is None else self.ends[parent.branch]  # type: ignore[index]
        if parent is not None and end is not None and (end.held_up_to, end.hash_at) == (parent.sequence, parent.hash):
            number, root = parent.branch, end.root_sequence
        else:
            number, root = (max(self.ends) + 1 if self.ends else TRUNK), entry.sequence
        entry.branch, entry.is_changed = number, True
        self.ends[number] = End(root, entry.sequence, entry.hash)  # type: ignore[index]
        self.moved.add(number)  # type: ignore[arg-type]
        self.asked.add(number)  # type: ignore[arg-type]
        self.forked_records += number != TRUNK

    def _learn(self, blank: Entry, truth: str) -> None:
        """Let a blank tombstone stand for the record whose hash its successor names."""
        self._rename(blank, truth)
        blank.standing, blank.is_changed = Standing.TOMBSTONE, True

    def _rename(self, entry: Entry, name: str) -> None:
        if entry.hash != name:
            here = self._at[entry.sequence]
            del here[entry.hash]
            entry.hash = name
            here[name] = entry
            end = self.ends.get(entry.branch) if entry.branch is not None else None
            if end is not None and end.held_up_to == entry.sequence:
                self.ends[entry.branch] = end._replace(hash_at=name)  # type: ignore[index]
                self.moved.add(entry.branch)  # type: ignore[arg-type]


class Succession(NamedTuple):
    """What the first record of an epoch says of the epoch before it."""

    previous_epoch: str
    last_sequence: int
    last_hash: str
    reason: str


def judge_succession(said: Succession, ends: Iterable[End], held_there: Iterable[str]) -> str:
    """Compare what a new epoch says with what is held of the one before; return the kind of incident, or nothing.

    `ends` are the branches of the previous epoch and `held_there` the hashes held of it at `last_sequence`. More held
    than said: the store was taken back (`rolled_back`). Another record held there: its tail was cut off and grew anew
    (`cut_tail`). Less held is no news: it may still be on its way.
    """
    if not said.previous_epoch:
        return ""
    hashes = set(held_there)
    if said.last_hash and hashes and said.last_hash not in hashes:
        return "cut_tail"
    if any(end.held_up_to > said.last_sequence for end in ends):
        return "rolled_back"
    return ""
