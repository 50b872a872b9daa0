"""MRZ lines that arrive one by one into whole MRZs.

Owns the shapes of ICAO Doc 9303 as far as framing needs them: three lines of 30 characters, two of 36 or 44, or all of
them in one run. Deliberately understands nothing else: check digits and fields belong to `edge.documents`. Always
true: a line that cannot follow the lines before it begins a new document, so half an MRZ does not spoil the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

LINES_OF = {30: 3, 36: 2, 44: 2}
RUNS_OF = {90: 30, 72: 36, 88: 44}
_FEWEST_DIGITS = 8  # of a lower line: expiry and check digits, should the number be letters and the birth unknown
_SLACK = 2  # a reader may drop or double a character; the check digits will tell
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<")
_DIGITS = frozenset(b"0123456789")


@dataclass(frozen=True, slots=True)
class Half:
    """Lines that were given up: `had` of `wanted`."""

    had: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Loner:
    """A line without any filler that no other line followed: more likely a one-dimensional barcode than an MRZ."""

    line: bytes


class MrzLines:
    """Collects lines; every method returns what has become clear: a whole MRZ, a `Half`, a `Loner`."""

    def __init__(self, substitutes: bytes) -> None:
        self._alphabet = _ALPHABET | frozenset(substitutes)
        self._substitutes = frozenset(substitutes)
        self._lines: list[bytes] = []

    def __bool__(self) -> bool:
        return bool(self._lines)

    def is_made_of_mrz_characters(self, text: bytes) -> bool:
        """Tell whether nothing in the text speaks against an MRZ."""
        return self._alphabet.issuperset(text)

    def is_mrz_text(self, text: bytes) -> bool:
        """Tell whether the text is made of MRZ characters and substitutes, a filler among them."""
        return b"<" in text and self.is_made_of_mrz_characters(text)

    def is_line(self, text: bytes) -> bool:
        """Tell whether the text could be one line of an MRZ."""
        if not self.is_made_of_mrz_characters(text):
            return False
        return len(text) in LINES_OF or (b"<" in text and self._width(text) > 0)

    def split_run(self, text: bytes) -> bytes | None:
        """Return the lines of an unseparated MRZ, joined by LF, or None when the text is none."""
        width = RUNS_OF.get(len(text))
        if width is None or not self.is_mrz_text(text):
            return None
        lines = [text[at : at + width] for at in range(0, len(text), width)]
        is_one = all(self._can_follow(line, lines[:number]) for number, line in enumerate(lines))
        return b"\n".join(lines) if is_one else None

    def add(self, line: bytes) -> list[bytes | Half | Loner]:
        """Take one line that `is_line`."""
        settled: list[bytes | Half | Loner] = []
        if not self._can_follow(line, self._lines):
            is_piece = bool(self._lines) and b"<" not in line  # of the line that was still to come
            settled += self.end()
            if is_piece:
                return settled
            if b"<" in line and not self._can_begin(line):
                return [*settled, Half(1, LINES_OF[self._width(line)])]
        self._lines.append(line)
        if len(self._lines) == LINES_OF[self._width(self._lines[0])]:
            settled.append(b"\n".join(self._lines))
            self._lines.clear()
        return settled

    def end(self) -> list[bytes | Half | Loner]:
        """Give up waiting for more lines."""
        lines, self._lines = self._lines, []
        if not lines:
            return []
        if len(lines) == 1 and b"<" not in lines[0]:
            return [Loner(lines[0])]
        return [Half(len(lines), LINES_OF[self._width(lines[0])])]

    def clear(self) -> None:
        """Forget every line."""
        self._lines.clear()

    def _can_follow(self, line: bytes, before: list[bytes]) -> bool:
        if not before:
            return self._can_begin(line)
        width = self._width(before[0])
        if self._width(line) != width:
            return False
        if width == 30:
            return self._is_td1_middle(line) if len(before) == 1 else self._is_td1_bottom(line)
        return _count(line, _DIGITS | self._substitutes) >= _FEWEST_DIGITS

    def _can_begin(self, line: bytes) -> bool:
        return not (self._is_td1_middle(line) if self._width(line) == 30 else self._is_number_line(line))

    @staticmethod
    def _width(line: bytes) -> int:
        return next((width for width in LINES_OF if abs(len(line) - width) <= _SLACK), 0)

    def _is_td1_middle(self, line: bytes) -> bool:
        # Date of birth, which may be all fillers, and its check digit; every other line of a TD1 begins with a letter.
        return _count(line[:7], _DIGITS | self._substitutes) >= 4 or line.startswith(b"<<")

    @staticmethod
    def _is_td1_bottom(line: bytes) -> bool:
        return _count(line, _DIGITS) <= 3  # names; a digit there is a misread letter

    def _is_number_line(self, line: bytes) -> bool:
        return _count(line, _DIGITS) >= 12


def _count(line: bytes, among: frozenset[int]) -> int:
    return sum(byte in among for byte in line)
