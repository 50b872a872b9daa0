"""Text outside any envelope, line by line: lines of an MRZ, barcodes, and the noise between them.

Owns what one line is taken for, and the lines of an MRZ that is not whole yet. Where a line ends, the framer finds out.
"""

from __future__ import annotations

import re

from hw.framing.contents import CONTROL, NOT_ASCII, is_text, split_symbology
from hw.framing.families import Family
from hw.framing.findings import HALF, HALF_MRZ, NOISE, Findings
from hw.framing.mrz_lines import LINES_OF, RUNS_OF, Half, Loner, MrzLines

STRAY = 2  # up to this many bytes between messages are lead or trail bytes, or a glitch when a port opens


class Lines:
    """Takes the lines of one reader, and adds to the findings what they make."""

    def __init__(self, family: Family, substitutes: bytes, findings: Findings) -> None:
        self._family = family
        self._findings = findings
        self._mrz = MrzLines(substitutes)
        self._symbology: str | None = None  # of the first line in _mrz
        run = b"[A-Z0-9<" + re.escape(substitutes) + b"]"
        sizes = b"|".join(b"%b{%d}" % (run, size) for size in (*RUNS_OF, *LINES_OF))
        self._mrz_after_noise = re.compile(rb"[^\x20-\x7e](%b)\Z" % sizes)

    def __bool__(self) -> bool:
        """Tell whether lines are held that wait for others."""
        return bool(self._mrz)

    def take(self, line: bytes, *, is_whole: bool) -> None:
        """Take one line without its terminator; `is_whole` is False when another message began before it ended."""
        if not line:
            self.end()
            return
        text = self._without_noise(line)
        if not self._family.has_raw_lines or not text:
            if len(line) > STRAY:
                self._findings.fail(NOISE)
            return
        symbology, text = split_symbology(text)
        text = text.strip(b" ") if self._mrz.is_line(text.strip(b" ")) else text
        if self._family is not Family.BARCODE and self._mrz.is_line(text):
            self._symbology = self._symbology if self._mrz else symbology
            self._add(self._mrz.add(text))
            return
        is_piece = bool(self._mrz) and self._mrz.is_made_of_mrz_characters(text)  # of the line that was still to come
        self.end()
        if not is_piece and len(text) > STRAY:
            self._take_text(text, symbology, is_whole)

    def end(self) -> None:
        """Give up waiting for more lines."""
        self._add(self._mrz.end())

    def clear(self) -> None:
        """Forget every line."""
        self._mrz.clear()

    def _take_text(self, text: bytes, symbology: str | None, is_whole: bool) -> None:
        run = self._mrz.split_run(text)
        if not is_whole:
            self._findings.fail(HALF)
        elif not is_text(text):
            self._findings.fail(NOISE)
        elif self._family is Family.BARCODE or not self._mrz.is_mrz_text(text):
            self._findings.text(text, Family.RAW, symbology)
        elif run:
            self._findings.mrz(run, Family.RAW, symbology)
        else:
            self._findings.fail(HALF_MRZ)

    def _without_noise(self, line: bytes) -> bytes:
        mrz = self._mrz_after_noise.search(line)
        return mrz[1] if mrz else line.lstrip(CONTROL + NOT_ASCII).rstrip(CONTROL)

    def _add(self, settled: list[bytes | Half | Loner]) -> None:
        for outcome in settled:
            match outcome:
                case Half(had, wanted):
                    self._findings.fail(f"{had} of {wanted} MRZ lines")
                case Loner(line):
                    self._findings.text(line, Family.RAW, self._symbology)
                case payload:
                    self._findings.mrz(payload, Family.RAW, self._symbology)
