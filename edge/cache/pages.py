"""Rows of a damaged SQLite file, taken from its pages without its trees.

Owns the reading of table leaves, cells, overflow chains and the write-ahead log as SQLite's file format describes them
(sqlite.org/fileformat2.html, sections 1.6, 2.1 and 4). SQLite itself can reach a row only through every page above it,
so one bad page would take hundreds of sound records along. Always true: nothing here decides whether a row is genuine;
each row that is yielded must still be checked against its digest.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from edge.cache.schema import PAGE_BYTES

_LEAF = 0x0D
_FILE_HEADER = 100
_WAL_HEADER = 32
_FRAME_HEADER = 24
_WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_MAX_LOCAL = PAGE_BYTES - 35
_MIN_LOCAL = (PAGE_BYTES - 12) * 32 // 255 - 23
_MAX_PAYLOAD = 4 * 1024 * 1024
_MAX_CELLS = (PAGE_BYTES - 8) // 2
_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8)

Value = int | str | bytes | None


class DamagedFile:
    """The pages of a file and of its log; where a page is in both, the newest one of the log comes first."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        wal = path.with_name(path.name + "-wal")
        self._wal = wal.open("rb") if wal.exists() else None
        self._pages = -(-path.stat().st_size // PAGE_BYTES)
        self._frames = list(_frames(self._wal)) if self._wal else []
        self._newest = dict(self._frames)
        self.size = (self._pages + len(self._frames)) * PAGE_BYTES

    def rows(self) -> Iterator[tuple[int, int, tuple[Value, ...]]]:
        """Yield (bytes read so far, row id, values) of every row that has the form of one.

        The newest image of each page comes first and older ones after, so of two rows with one id the first is newer.
        """
        for done, image in enumerate(self._images(), 1):
            for row_id, values in self._rows_on(image):
                yield done * PAGE_BYTES, row_id, values

    def pages_in_log(self) -> Iterator[list[tuple[int, tuple[Value, ...]]]]:
        """Yield the rows, as (row id, values), of each page image in the log alone, the oldest first."""
        for _, offset in self._frames:
            yield list(self._rows_on(_at(self._wal, offset, PAGE_BYTES)))

    def close(self) -> None:
        """Close both files."""
        self._file.close()
        if self._wal:
            self._wal.close()

    def _images(self) -> Iterator[bytes]:
        for number in range(1, self._pages + 1):
            yield self._page(number)
        for number in self._newest:
            if number > self._pages:
                yield self._page(number)
        for number, offset in reversed(self._frames):
            if self._newest[number] != offset:
                yield _at(self._wal, offset, PAGE_BYTES)
        for number in self._newest:
            yield _at(self._file, (number - 1) * PAGE_BYTES, PAGE_BYTES)

    def _page(self, number: int) -> bytes:
        """Return a page; empty when it cannot be read."""
        if number in self._newest:
            return _at(self._wal, self._newest[number], PAGE_BYTES)
        return _at(self._file, (number - 1) * PAGE_BYTES, PAGE_BYTES)

    def _rows_on(self, page: bytes) -> Iterator[tuple[int, tuple[Value, ...]]]:
        for row_id, payload in self._cells(page):
            try:
                yield row_id, _values(payload)
            except (IndexError, ValueError):
                continue

    def _cells(self, page: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield row id and payload of every cell of a table leaf."""
        start = _FILE_HEADER if page[:6] == b"SQLite" else 0
        if len(page) != PAGE_BYTES or page[start] != _LEAF:
            return
        cells = int.from_bytes(page[start + 3 : start + 5])
        for n in range(cells if cells <= _MAX_CELLS else 0):
            pointer = start + 8 + 2 * n
            try:
                at = int.from_bytes(page[pointer : pointer + 2])
                size, at = _varint(page, at)
                row_id, at = _varint(page, at)
            except IndexError:
                continue
            payload = page[at : at + size] if size <= _MAX_LOCAL else self._with_overflow(page, at, size)
            if payload is not None and len(payload) == size:
                yield row_id, payload

    def _with_overflow(self, page: bytes, at: int, size: int) -> bytes | None:
        if size > _MAX_PAYLOAD:
            return None
        local = _MIN_LOCAL + (size - _MIN_LOCAL) % (PAGE_BYTES - 4)
        local = local if local <= _MAX_LOCAL else _MIN_LOCAL
        parts = [page[at : at + local]]
        if not _says_size(parts[0], size):
            return None  # noise: do not follow it through the file
        number = int.from_bytes(page[at + local : at + local + 4])
        for missing in range(size - local, 0, 4 - PAGE_BYTES):
            overflow = self._page(number) if number > 1 else b""
            if len(overflow) != PAGE_BYTES:
                return None
            parts.append(overflow[4 : 4 + min(missing, PAGE_BYTES - 4)])
            number = int.from_bytes(overflow[:4])
        return b"".join(parts)


def _frames(wal: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield page number and offset of every frame of the log's current generation, whatever its checksum says.

    SQLite stops at the first frame with a bad checksum; frames behind it may hold records that were synced.
    """
    at = _WAL_HEADER
    header = _at(wal, 0, _WAL_HEADER)
    salts = header[16:24] if _is_sound(header) else _at(wal, at + 8, 8)
    while len(frame := _at(wal, at, _FRAME_HEADER)) == _FRAME_HEADER:
        number = int.from_bytes(frame[:4])
        if frame[8:16] == salts and 0 < number < 2**31:
            yield number, at + _FRAME_HEADER
        at += _FRAME_HEADER + PAGE_BYTES


def _is_sound(header: bytes) -> bool:
    """Tell whether the header of a log has the checksum that it should have (file format, section 4.2)."""
    if len(header) != _WAL_HEADER or header[:4] not in _WAL_MAGIC:
        return False
    first = second = 0
    words = struct.unpack(f"{'>' if header[3] & 1 else '<'}6I", header[:24])
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) % 2**32
        second = (second + odd + first) % 2**32
    return struct.unpack(">2I", header[24:]) == (first, second)


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    """Read at an offset; a sector that the disk cannot read counts as empty."""
    try:
        file.seek(offset)
        return file.read(size)
    except OSError:
        return b""


def _varint(page: bytes, at: int) -> tuple[int, int]:
    value = 0
    for n in range(9):
        byte = page[at + n]
        if n == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + n + 1
    raise IndexError


def _kinds(payload: bytes) -> tuple[list[int], int]:
    """Return the serial types of a row's values and where the values begin."""
    header_size, at = _varint(payload, 0)
    kinds = []
    while at < header_size:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    return kinds, at


def _size_of(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    return _INTEGER_BYTES[kind] if kind <= 6 else 8 if kind == 7 else 0


def _says_size(payload: bytes, size: int) -> bool:
    """Tell whether the header of a row says that the row has this size."""
    try:
        kinds, at = _kinds(payload)
    except IndexError:
        return False
    return at + sum(map(_size_of, kinds)) == size


def _values(payload: bytes) -> tuple[Value, ...]:
    """Return the values of a row, reals as None; raise IndexError or ValueError when it has not the form of one."""
    kinds, at = _kinds(payload)
    values: list[Value] = []
    for kind in kinds:
        raw = payload[at : at + _size_of(kind)]
        at += len(raw)
        if kind >= 12:
            values.append(raw.decode() if kind % 2 else raw)
        elif kind in (8, 9):
            values.append(kind - 8)
        elif 1 <= kind <= 6:
            values.append(int.from_bytes(raw, signed=True))
        else:
            values.append(None)
    return tuple(values)
