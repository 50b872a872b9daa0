"""What a store still holds after a power cut, judged without asking the kiosk that wrote it.

Owns the sums: who is missing, what is there twice, where the chain is broken. Always true: a signature is checked with
the kiosk's public key and a letter is opened with the centre's key, so what is counted as there could be read by the
centre; each distinct record is verified once, however often it is found.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge.cache import Cache, CacheReader, Head, StoredRecord
from edge.errors import LandfallError
from edge.seal import Opener, Verifier
from edge.wire import record as wire
from edge.wire.crossing import Amendment, Crossing, Evidence
from edge.wire.messages import RECORD_TYP
from edge.wire.topics import Stream

_ALL = 1 << 30


class SeenOff(NamedTuple):
    """A traveller who left: by the number of the document, and whether the lamp was green."""

    document: str
    is_green: bool


class Entry(NamedTuple):
    """What one record of the crossing stream says of travellers: who was there, and which crossing it lets pass."""

    sequence: int
    id: str
    documents: tuple[str, ...] = ()
    passes: str = ""
    photo_at: int = 0


@dataclass(frozen=True, slots=True)
class Examined:
    """A store after a cut. `trouble` is why it did not open, `breaks` are places where the chain is not whole.

    `photos` has the crossing's id by the sequence of the photo; `purged_up_to` and `photos_purged_up_to` tell how far
    crossings and photos were released.
    """

    trouble: str = ""
    opened_in_s: float = 0.0
    was_salvaged: bool = False
    entries: tuple[Entry, ...] = ()
    purged_up_to: int = 0
    photos: Mapping[int, str] = field(default_factory=dict)
    photos_purged_up_to: int = 0
    twice: int = 0
    breaks: tuple[str, ...] = ()

    def missing(self, seen_off: Iterable[SeenOff], centre: Iterable[Entry] = ()) -> set[SeenOff]:
        """Return who left and is neither in the store nor among the records that it released to the centre."""
        ids: dict[str, set[str]] = {}
        passed = set()
        for entry in (*self.entries, *(entry for entry in centre if entry.sequence <= self.purged_up_to)):
            passed.add(entry.passes)
            for document in entry.documents:
                ids.setdefault(document, set()).add(entry.id)
        return {
            traveller
            for traveller in seen_off
            if not (found := ids.get(traveller.document)) or (traveller.is_green and not found & passed)
        }

    def halves(self, centre: Iterable[Entry] = ()) -> list[str]:
        """Return crossings without their photo and photos without their crossing: the two are one transaction."""
        ids = {entry.id for entry in (*self.entries, *centre)}
        bare = (
            f"crossing {entry.sequence} without its photo, evidence {entry.photo_at}"
            for entry in self.entries
            if entry.photo_at > self.photos_purged_up_to and self.photos.get(entry.photo_at) != entry.id
        )
        stray = (f"photo {at} without its crossing" for at, id in self.photos.items() if id not in ids)
        return [*bare, *stray]


@dataclass(slots=True)
class _Walk:
    """What is found on the way through a store."""

    entries: list[Entry] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)
    photos: dict[int, str] = field(default_factory=dict)  # crossing ids by sequence of the evidence


class Examiner:
    """Examines the stores of one kiosk; `verifier` has its public key, `opener` the centre's private one."""

    def __init__(self, verifier: Verifier, opener: Opener) -> None:
        self._verifier = verifier
        self._opener = opener
        self._known: dict[bytes, tuple[wire.Claims, Entry | str | None]] = {}

    def examine(self, store: Path) -> Examined:
        """Open a store as the kiosk would, and walk all of it; the files are changed by that as they would be."""
        began_s = time.monotonic()
        try:
            with Cache.open(store) as cache:
                opened_in_s = time.monotonic() - began_s
                was_salvaged = cache.salvaged is not None
                with contextlib.closing(CacheReader.open(store)) as reader:
                    return self._walk(reader, opened_in_s, was_salvaged)
        except (LandfallError, OSError, sqlite3.Error) as error:
            return Examined(trouble=f"{type(error).__name__}: {error}", opened_in_s=time.monotonic() - began_s)

    def _walk(self, reader: CacheReader, opened_in_s: float, was_salvaged: bool) -> Examined:
        walk = _Walk()
        heads = reader.heads()
        for head in heads.values():
            self._walk_stream(reader, head, walk)
        released = {stream: head.purged_up_to for stream, head in heads.items()}
        return Examined(
            opened_in_s=opened_in_s,
            was_salvaged=was_salvaged,
            entries=tuple(walk.entries),
            purged_up_to=released.get(Stream.CROSSING, 0),
            photos=walk.photos,
            photos_purged_up_to=released.get(Stream.EVIDENCE, 0),
            twice=len(walk.ids) - len(set(walk.ids)),
            breaks=tuple(walk.breaks),
        )

    def _walk_stream(self, reader: CacheReader, head: Head, walk: _Walk) -> None:
        sequence, hash_, epoch = head.purged_up_to, head.purged_hash, ""
        for found in reader.first_after(head.stream, head.purged_up_to, limit=_ALL, max_bytes=_ALL):
            sequence += 1
            place = f"{head.stream} {sequence}"
            if not isinstance(found, StoredRecord):
                walk.breaks.append(f"{place}: {found.reason}")
                continue
            try:
                claims, said = self._read(found)
            except LandfallError as error:
                walk.breaks.append(f"{place}: {error.message}")
                continue
            if (claims.stream, claims.sequence, claims.epoch) != (head.stream, sequence, found.epoch):
                walk.breaks.append(f"{place}: signed for another position")
            if claims.prev != hash_:
                walk.breaks.append(f"{place}: does not follow the record before it")
            if epoch and claims.epoch != epoch and claims.type != wire.EPOCH:
                walk.breaks.append(f"{place}: an epoch without a beginning")
            hash_, epoch = found.hash, claims.epoch
            walk.ids.append(found.id)
            if isinstance(said, Entry):
                walk.entries.append(said)
            elif said is not None:
                walk.photos[sequence] = said
        if (sequence, hash_) != (head.next_sequence - 1, head.last_hash):
            walk.breaks.append(f"{head.stream}: the head does not fit the last record")

    def _read(self, stored: StoredRecord) -> tuple[wire.Claims, Entry | str | None]:
        """Return what a record claims, and what it says of a traveller; raise `LandfallError` if it is not sound."""
        known = self._known.get(stored.body)
        if known is None:
            record = wire.decode_record(stored.body)
            claims = wire.decode_claims(self._verifier.verify(record.signature, RECORD_TYP))
            if claims.sha256 != wire.sha256_hex(record.data) or record.hash != stored.hash:
                raise LandfallError("the letter or the hash is another one than was signed")
            plaintext = self._opener.open(record.data)
            if claims.type == wire.EVIDENCE:
                said: Entry | str | None = msgspec.json.decode(plaintext, type=Evidence).crossing
            else:
                said = entry_of(claims.type, claims.sequence, plaintext)
            known = self._known[stored.body] = (claims, said)
        return known


def entry_of(type: str, sequence: int, plaintext: bytes) -> Entry | None:
    """Return what an opened letter says of travellers, None when it says nothing."""
    if type == wire.CROSSING:
        crossing = msgspec.json.decode(plaintext, type=Crossing)
        documents = tuple(str(document.fields.get("document_number", "")) for document in crossing.documents)
        passes = crossing.id if crossing.outcome.result == "passed" else ""
        return Entry(sequence, crossing.id, documents, passes, crossing.photo.evidence_sequence)
    if type == wire.AMENDMENT:
        amendment = msgspec.json.decode(plaintext, type=Amendment)
        return Entry(sequence, amendment.id, passes=amendment.amends if amendment.detail["result"] == "passed" else "")
    return None
