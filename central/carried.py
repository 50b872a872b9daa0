"""Take records that were carried here on a stick, and write the receipts that go back on it.

Owns how files are read, what of them is damaged or missing, and the file of receipts. Always true: a record goes the
very way of one that came by MQTT (`Examiner`, then `Store.take`), so what came both ways is stored once; what is whole
in a damaged file is taken; no receipt is written for anything that is not committed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from central import database, generations
from central.chain import Arrival
from central.database import rfc3339
from central.receipts import held_of, sign_receipt
from central.shelf import EpochKey
from central.store import Held, Store
from central.verify import Checked, Examiner, Rejected
from edge.errors import ContractError, LandfallError, SealError
from edge.printable import printable
from edge.seal import Signer, Verifier
from edge.wire import carried
from edge.wire.messages import EXPORT_TYP, Export, decode
from edge.wire.record import encode_batch
from edge.wire.topics import Topic, parse_topic, stream_topic

_TAKE_RECORDS, _TAKE_BYTES = 500, 4 * 1024 * 1024
_DAMAGES_SHOWN = 20

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Section:
    """What the files promised of one stream, and what was in them; a record that came before is a duplicate."""

    kiosk: str
    stream: str
    first: int
    last: int
    records: int = 0
    new: int = 0
    duplicates: int = 0
    refused: int = 0
    held_up_to: int = 0
    missing: list[tuple[int, int]] = field(default_factory=list)  # not in the files and not held, both ends included


@dataclass(slots=True)
class Imported:
    """What came of an import. `damages` are lines that could not be used, the first few of `damaged`."""

    streams: list[Section] = field(default_factory=list)
    damaged: int = 0
    damages: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)  # the files that were written

    @property
    def is_whole(self) -> bool:
        """Tell whether everything that was promised is held now."""
        return not self.damaged and not any(
            one.refused or one.missing or one.held_up_to < one.last for one in self.streams
        )


class Importer:
    """Takes files of records, one after the other; `verifier_of` gives the keys of a registered kiosk."""

    def __init__(
        self,
        store: Store,
        examiner: Examiner,
        verifier_of: Callable[[str], Verifier | None],
        signer: Signer,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._examiner, self._verifier_of = store, examiner, verifier_of
        self._signer, self._clock = signer, clock
        self._imported = Imported()
        self._sections: dict[tuple[str, str], Section] = {}
        self._seen: dict[tuple[str, str], set[int]] = {}
        self._epochs: dict[EpochKey, None] = {}
        self._good: list[Checked] = []
        self._bad: list[Rejected] = []
        self._bytes = 0

    def take(self, files: Iterable[Path], progress: Progress) -> Imported:
        """Take every file and return what came of it; `progress(done, total)` is told bytes."""
        paths = list(files)
        total, done = sum(path.stat().st_size for path in paths), 0
        for path in paths:
            position = 0
            try:
                with path.open("rb") as file:
                    for position in self._take_file(printable(path.name), file):
                        progress(done + position, total)
            except OSError as error:
                self._damaged(f"{printable(path.name)}: cannot be read any further ({error.strerror})")
            done += position
        self._commit()
        self._compare()
        return self._imported

    def write_receipts(self, folder: Path) -> None:
        """Write what the centre holds of every epoch that was taken, a file for each kiosk, over an older one."""
        at = rfc3339(self._clock())
        by_kiosk: dict[str, list[str]] = {}
        with database.reading(self._store.engine) as connection:
            current = generations.read(connection, {key.kiosk for key in self._epochs})
        for held in self._held():
            token = sign_receipt(held, current.of(held.key.kiosk), at, self._signer)
            by_kiosk.setdefault(held.key.kiosk, []).append(token)
        for kiosk, tokens in by_kiosk.items():
            path = folder / carried.receipts_name(kiosk)
            _write_whole(path, carried.encode_receipts(tokens))
            self._imported.receipts.append(str(path))

    # --- reading -----------------------------------------------------------------------------------------------------

    def _take_file(self, name: str, file: BinaryIO) -> Iterator[int]:
        """Take one file line by line; yield how many bytes were read."""
        section: Section | None = None
        is_new = True  # nothing was said yet of lines that belong to no section
        for number, line in _lines(file):
            if line is None:
                self._damaged(f"{name} line {number}: cut short, or too long")
            elif carried.is_section_line(line):
                section, is_new = self._begin(name, number, line), False
            elif section is not None:
                self._examine(section, line.rstrip(b"\r\n"))
            elif is_new:
                self._damaged(f"{name} line {number}: no section has begun; this is no file of records, or damaged")
                is_new = False
            yield file.tell()

    def _begin(self, name: str, number: int, line: bytes) -> Section | None:
        """Return the section that a line begins, or None when its records cannot be taken."""
        try:
            said = carried.decode_section_line(line)
            verifier = self._verifier_of(said.kiosk)
            if verifier is None:
                raise ContractError(f"{said.kiosk} is not registered here: landfall-central kiosk add, then again")
            export = decode(Export, verifier.verify(said.export, EXPORT_TYP))
            if export.kiosk != said.kiosk or not 1 <= export.from_ <= export.to:
                raise ContractError("the first line of a section is of another kiosk")
            parse_topic(stream_topic(export.kiosk, export.stream))
        except (ContractError, SealError) as error:
            self._damaged(f"{name} line {number}: {error.message}; the records behind it are not taken")
            return None
        key = (export.kiosk, export.stream)
        section = self._sections.setdefault(key, Section(*key, export.from_, export.to))
        section.first, section.last = min(section.first, export.from_), max(section.last, export.to)
        return section

    def _examine(self, section: Section, line: bytes) -> None:
        topic = Topic(section.kiosk, "stream", section.stream)
        good, bad = self._examiner.examine(topic, stream_topic(section.kiosk, section.stream), encode_batch([line]))
        section.records += len(good)
        section.refused += len(bad)
        for one in good:
            self._seen.setdefault((section.kiosk, section.stream), set()).add(one.claims.sequence)
            self._epochs[EpochKey(one.claims.kiosk, one.claims.stream, one.claims.epoch)] = None
        self._good += good
        self._bad += bad
        self._bytes += len(line)
        if len(self._good) + len(self._bad) >= _TAKE_RECORDS or self._bytes >= _TAKE_BYTES:
            self._commit()

    def _damaged(self, what: str) -> None:
        self._imported.damaged += 1
        if len(self._imported.damages) < _DAMAGES_SHOWN:
            self._imported.damages.append(what)

    # --- storing -----------------------------------------------------------------------------------------------------

    def _commit(self) -> None:
        """Store what was examined, each stream in a transaction of its own, so that arrivals can be told apart."""
        by_stream: dict[tuple[str, str], list[Checked]] = {}
        for one in self._good:
            by_stream.setdefault((one.claims.kiosk, one.claims.stream), []).append(one)
        if self._bad:
            self._store.take([], self._bad, self._clock())
        for key, checked in by_stream.items():
            taken = self._store.take(checked, [], self._clock())
            self._count(self._sections[key], taken.arrivals)
        self._good, self._bad, self._bytes = [], [], 0

    @staticmethod
    def _count(section: Section, arrivals: Counter[Arrival]) -> None:
        section.duplicates += arrivals[Arrival.DUPLICATE]
        section.new += arrivals[Arrival.NEW] + arrivals[Arrival.BETTER]

    def _held(self) -> list[Held]:
        return held_of(self._store.engine, list(self._epochs))

    def _compare(self) -> None:
        """Find what the files promised, and neither they nor the centre have."""
        for held in self._held():
            section = self._sections[held.key.kiosk, held.key.stream]
            section.held_up_to = max(section.held_up_to, held.held_up_to)
        for key, section in self._sections.items():
            first = max(section.first, section.held_up_to + 1)
            section.missing = _gaps(self._seen.get(key, set()), first, section.last)
            self._imported.streams.append(section)


def files_at(path: Path) -> list[Path]:
    """Return a file, or the files of records in a folder; raise `LandfallError` when there is none."""
    if path.is_dir():
        found = sorted(one for one in path.glob(carried.RECORDS_PATTERN) if one.is_file())
        if not found:
            raise LandfallError(f"{path}: no file of records is here", remedy="they are called records_*.jsonl")
        return found
    if not path.is_file():
        raise LandfallError(f"{path}: there is no such file or folder", remedy="is the stick mounted?")
    return [path]


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield number and line; None for one that was cut short or is longer than any record."""
    number = 0
    while line := file.readline(carried.MAX_LINE_BYTES):
        number += 1
        if line.endswith(b"\n"):
            if line.strip():
                yield number, line
            continue
        while line and not line.endswith(b"\n"):  # pass over the rest of it
            line = file.readline(carried.MAX_LINE_BYTES)
        yield number, None


def _gaps(present: set[int], first: int, last: int) -> list[tuple[int, int]]:
    """Return what is not present of `first` to `last`, as ranges with both ends included."""
    found = []
    for sequence in sorted(one for one in present if first <= one <= last):
        if sequence > first:
            found.append((first, sequence - 1))
        first = sequence + 1
    return [*found, (first, last)] if first <= last else found


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is whole under its name, or the one before it still is."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise LandfallError(
            f"{path}: cannot be written ({error.strerror})", remedy="give another folder with --receipts"
        ) from None
