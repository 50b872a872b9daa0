"""What a framer found: frames and errors, in the order in which they came.

Owns the last step of every message, from its text to a `Frame`, and the words of the errors. Always true: an error
quotes nothing of what was read; a burst of the same rubbish is one error, not hundreds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hw.devices import Frame
from hw.framing.contents import AAMVA_START, VDS_START, split_symbology, whole_vds, without_reader_terminator
from hw.framing.mrz_lines import MrzLines

HALF = "half a message"
HALF_MRZ = "half an MRZ"
NOISE = "noise between messages"
TOO_LONG = "too long for any message"
EMPTY = "an empty message"
CUT = "the reader went away in the middle of a message"
WRONG_BCC = "the block check character does not match"


@dataclass(frozen=True, slots=True)
class FrameError:
    """Something arrived that is no message; `reason` says what was wrong and quotes nothing."""

    reason: str


class Findings:
    """Collects what was found until it is taken; `substitutes` stand for characters that were not recognised."""

    def __init__(self, substitutes: bytes) -> None:
        self._substitutes = substitutes
        self._mrz = MrzLines(substitutes)
        self._items: list[Frame | FrameError] = []
        self._reported: set[FrameError] = set()  # since the last frame or silence

    def taken(self) -> list[Frame | FrameError]:
        """Return what was found, and forget it."""
        items, self._items = self._items, []
        return items

    def begin_anew(self) -> None:
        """Let an error be said again that was said before: the line was quiet, or is another one."""
        self._reported.clear()

    def fail(self, reason: str) -> None:
        """Add an error."""
        error = FrameError(reason)
        if error not in self._reported:
            self._items.append(error)
            self._reported.add(error)

    def mrz(self, payload: bytes, family: str, symbology: str | None = None, *, padding: bytes = b"") -> None:
        """Add a whole MRZ, its lines joined by LF; `padding` is no character either."""
        self._add(payload, family, symbology, self._substitutes + padding)

    def text(self, payload: bytes, family: str, symbology: str | None = None) -> None:
        """Add a barcode, or another text."""
        self._add(payload, family, symbology, b"")

    def contents(self, body: bytes, family: str) -> None:
        """Add what stood inside an envelope: MRZ lines, or a barcode."""
        symbology, text = split_symbology(body)
        if not text.strip(b"\r\n"):
            self.fail(EMPTY)
        elif re.match(VDS_START, text):
            self.text(whole_vds(text) or text, family, symbology)
        elif re.match(AAMVA_START, text):
            self.text(without_reader_terminator(text), family, symbology)
        else:
            lines = [line for line in re.split(rb"[\r\n]+", text) if line]
            run = self._mrz.split_run(lines[0]) if len(lines) == 1 else None
            is_mrz = any(self._mrz.is_mrz_text(line) for line in lines)
            (self.mrz if is_mrz else self.text)(run or b"\n".join(lines), family, symbology)

    def _add(self, payload: bytes, family: str, symbology: str | None, marks: bytes) -> None:
        unrecognised = tuple(at for at, byte in enumerate(payload) if byte in marks)
        self._items.append(Frame(payload, str(family), symbology, unrecognised))
        self._reported.clear()
