"""Write sealed records to a stick, for a post that has been offline for too long.

Owns the order in which a file comes to be on the stick: what will be in it is known and there is room before the first
byte; it is written under another name, synced, read back from the stick and compared, and only then gets its name.
Always true: nothing in the store changes, and no file that is there is written over. What is on the stick are the bytes
that would be published: the centre alone can open them, and a lost stick shows no traveller.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol

from edge.cache import CacheReader, Head, StoredRecord
from edge.cache.schema import sync_folder
from edge.disk import free_bytes
from edge.errors import LandfallError
from edge.wire import carried
from edge.wire.messages import EXPORT_TYP, Export, encode
from edge.wire.topics import Stream

FILE_BYTES = 64 * 1024 * 1024
_SPARE_BYTES = 1024 * 1024  # what a file system wants for itself
_LINE_BYTES = 1024  # of the first line of a section, generously
_BATCH_RECORDS, _BATCH_BYTES = 200, 1024 * 1024
_PART = ".part"

Progress = Callable[[str, int, int], None]


class Signs(Protocol):
    """`edge.seal.Signer` with the kiosk's record key."""

    def sign(self, payload: bytes, typ: str) -> str: ...


@dataclass(slots=True)
class Section:
    """Records of one stream that go into one file, both ends included."""

    stream: str
    first: int
    last: int = 0
    records: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `unreadable` are positions that are not in the files because the store could not read them."""

    files: tuple[Path, ...]
    sections: tuple[Section, ...]
    unreadable: int
    bytes: int


def export(
    reader: CacheReader,
    signer: Signs,
    kiosk: str,
    target: Path,
    *,
    everything: bool,
    at: str,
    progress: Progress,
    file_bytes: int = FILE_BYTES,
) -> Exported:
    """Write what awaits its receipt, or `everything` that is kept, into a folder or one new file.

    `at` is RFC 3339; `progress(what, done, total)` is told positions, then bytes. Raises `LandfallError` when there is
    no room, when the file is there already, or when the stick does not give back what was written.
    """
    plan = _Plan(reader, everything, progress, file_bytes if target.is_dir() else None)
    if not plan.files:
        return Exported((), (), plan.unreadable, 0)
    names = _names(target, kiosk, len(plan.files))
    _check_room(names[0].parent, plan.bytes)
    written = 0
    with _explained(target):
        for path, sections in zip(names, plan.files, strict=True):
            lines = (line for section in sections for line in _lines(reader, signer, kiosk, section, at))
            written += _write(path, lines, sum(section.bytes for section in sections), progress)
    return Exported(tuple(names), tuple(chain.from_iterable(plan.files)), plan.unreadable, written)


class _Plan:
    """Which records go into which file. Streams go in the order of their priority, crossings first."""

    def __init__(self, reader: CacheReader, everything: bool, progress: Progress, file_bytes: int | None) -> None:
        self.files: list[list[Section]] = []
        self.unreadable = 0
        self._room = 0
        self._file_bytes = file_bytes
        known = reader.heads()
        heads = [known[stream] for stream in dict.fromkeys([*Stream, *known]) if stream in known]
        starts = [(head, head.purged_up_to if everything else head.held_up_to) for head in heads]
        total, done = sum(head.next_sequence - 1 - start for head, start in starts), 0
        for head, start in starts:
            for walked in self._add(reader, head, start):
                progress("Looking", done + walked, total)
            done += head.next_sequence - 1 - start

    @property
    def bytes(self) -> int:
        """Return how much there will be to write."""
        return sum(section.bytes for file in self.files for section in file)

    def _add(self, reader: CacheReader, head: Head, start: int) -> Iterator[int]:
        sequence, section = start, None
        for found in _positions(reader, head.stream, start, head.next_sequence - 1):
            sequence = found.sequence
            if not isinstance(found, StoredRecord):
                self.unreadable += 1
                if section is not None:
                    section.last = sequence
                continue
            size = len(found.body) + 1
            if section is None or self._room < size:
                section = self._begin(head.stream, section.last + 1 if section else start + 1, size)
            section.last, section.records, section.bytes = sequence, section.records + 1, section.bytes + size
            self._room -= size
            yield sequence - start

    def _begin(self, stream: str, first: int, size: int) -> Section:
        """Begin a section, in a new file if this one is full."""
        if not self.files or self._room < size + _LINE_BYTES:
            self.files.append([])
            self._room = self._file_bytes or 1 << 62
        section = Section(stream, first, bytes=_LINE_BYTES)
        self._room -= _LINE_BYTES
        self.files[-1].append(section)
        return section


def _positions(reader: CacheReader, stream: str, after: int, last: int) -> Iterator:
    while after < last:
        for found in reader.first_after(stream, after, limit=_BATCH_RECORDS, max_bytes=_BATCH_BYTES):
            if found.sequence > last:
                return
            after = found.sequence
            yield found


def _lines(reader: CacheReader, signer: Signs, kiosk: str, section: Section, at: str) -> Iterator[bytes]:
    said = Export(kiosk, section.stream, section.first, section.last, at)
    yield carried.section_line(kiosk, signer.sign(encode(said), EXPORT_TYP))
    for found in _positions(reader, section.stream, section.first - 1, section.last):
        if isinstance(found, StoredRecord):
            yield found.body + b"\n"


def _names(target: Path, kiosk: str, count: int) -> list[Path]:
    """Return names that nothing has yet; a single file must end in .jsonl, so that no mistyped folder becomes one."""
    if target.is_dir():
        taken = {path.name.removesuffix(_PART) for path in target.glob(carried.RECORDS_PATTERN)}
        numbers = (number for number in range(1, 1_000_000) if carried.records_name(kiosk, number) not in taken)
        return [target / carried.records_name(kiosk, next(numbers)) for _ in range(count)]
    if target.suffix != ".jsonl":
        raise LandfallError(f"{target}: there is no such folder", remedy="is the stick mounted? A file ends in .jsonl")
    if target.exists():
        raise LandfallError(f"{target} is there already", remedy="give another name; nothing is written over")
    if not target.parent.is_dir():
        raise LandfallError(f"{target.parent}: there is no such folder", remedy="is the stick mounted?")
    return [target]


def _check_room(folder: Path, needed: int) -> None:
    free = free_bytes(folder)
    if free < needed + _SPARE_BYTES:
        raise LandfallError(
            f"{folder}: {_mb(needed)} MB are to be written and {_mb(free)} MB are free", remedy="take a larger stick"
        )


def _write(path: Path, lines: Iterator[bytes], size: int, progress: Progress) -> int:
    """Write one file so that it is whole under its name or does not have it, and return how many bytes it has."""
    part = path.with_name(path.name + _PART)
    written, digest = 0, hashlib.sha256()
    try:
        with part.open("xb") as file:
            for line in lines:
                file.write(line)
                digest.update(line)
                written += len(line)
                progress(f"Writing {path.name}", written, size)
            file.flush()
            os.fsync(file.fileno())
        if _read_back(part, written, progress, f"Checking {path.name}") != digest.digest():
            raise LandfallError(f"{path.parent} does not give back what was written", remedy="take another stick")
        os.rename(part, path)
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return written


def _read_back(path: Path, size: int, progress: Progress, what: str) -> bytes:
    """Return the SHA-256 of what the stick itself has, not of what memory still holds of it."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        _forget(file)
        while piece := file.read(_BATCH_BYTES):
            digest.update(piece)
            done += len(piece)
            progress(what, done, size)
    return digest.digest()


def _forget(file: BinaryIO) -> None:
    """Drop a synced file from the page cache."""
    with contextlib.suppress(OSError):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextlib.contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Say what an error of the stick means; the store is not touched by it."""
    try:
        yield
    except OSError as error:
        remedy = {
            errno.ENOSPC: "take a larger stick",
            errno.EFBIG: "give the folder instead of one file: it is written in pieces",
            errno.EROFS: "the stick is write-protected",
            errno.EACCES: "run it as root, or mount the stick for this user",
            errno.EEXIST: "remove the .part file, or take another name",
        }.get(error.errno or 0, "was it pulled out? Try again, or take another stick; nothing is lost")
        raise LandfallError(f"{target}: {error.strerror or error}", remedy=remedy) from None


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f}"
