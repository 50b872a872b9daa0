"""The framer: a bounded buffer, and one method for each kind of message that may begin in it.

Owns the order of decisions: envelopes with control characters first, then the two barcodes that contain terminators
of their own (AAMVA, VDS), then lines. A barcode with terminators inside is whole when the line goes quiet; an AAMVA
barcode also when something else follows the length that its own header declares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor

from hw.devices import Frame
from hw.framing.contents import (
    AAMVA_BEGUN,
    AAMVA_ELEMENT,
    AAMVA_START,
    CONTROL,
    NOT_ASCII,
    VDS_START,
    begins_binary,
    declared_end_of_aamva,
    ends_with_signature,
    is_known_content,
    is_text,
    split_symbology,
    whole_vds,
    without_reader_terminator,
)
from hw.framing.families import ENVELOPE, Family
from hw.framing.mrz_lines import LINES_OF, RUNS_OF, Half, Loner, MrzLines

LONGEST_FRAME = 16 * 1024  # the largest QR or PDF417 symbol holds 7,089 characters
_SLICE = 4096
_MOST_END_MARKS = 32  # that a VDS holds by chance; one byte in 256 of some hundred
_STRAY = 2  # up to this many bytes between messages are lead or trail bytes, or a glitch when a port opens

HALF = "half a message"
HALF_MRZ = "half an MRZ"
NOISE = "noise between messages"
TOO_LONG = "too long for any message"
EMPTY = "an empty message"
CUT = "the reader went away in the middle of a message"
WRONG_BCC = "the block check character does not match"

_TERMINATOR = re.compile(rb"\r\n|\r|\n")
_RTE_LINES = re.compile(rb"([ -~]*)\r([ -~]*)\r([ -~]*)\r\x03(.)", re.DOTALL)
_NOT_RTE = re.compile(rb"[^ -~\r]")


@dataclass(frozen=True, slots=True)
class FrameError:
    """Something arrived that is no message; `reason` says what was wrong and quotes nothing."""

    reason: str


class Framer:
    """Turns the bytes of one reader into frames.

    `substitutes` are the characters that the reader sends for one it could not recognise; `check_bcc` turns the check
    of the 3M RTE block check character off, whose rule is not published.
    """

    def __init__(self, family: Family | str = Family.AUTO, *, substitutes: bytes = b"?*", check_bcc: bool = True):
        self.family = Family(family)
        self._substitutes = substitutes
        self._check_bcc = check_bcc
        self._buffer = bytearray()
        self._lines = MrzLines(substitutes)
        self._symbology: str | None = None  # of the first line in _lines
        self._after_cr = False
        self._skipping = False
        self._items: list[Frame | FrameError] = []
        self._reported: set[FrameError] = set()  # since the last frame or silence
        run = b"[A-Z0-9<" + re.escape(substitutes) + b"]"
        sizes = b"|".join(b"%b{%d}" % (run, size) for size in (*RUNS_OF, *LINES_OF))
        self._mrz_after_noise = re.compile(rb"[^\x20-\x7e](%b)\Z" % sizes)

    @property
    def is_waiting(self) -> bool:
        """Tell whether bytes are held that `flush` would settle."""
        return bool(self._buffer or self._lines)

    def receive(self, data: bytes) -> list[Frame | FrameError]:
        """Take bytes from the reader and return what they complete."""
        for at in range(0, len(data), _SLICE):
            self._buffer += data[at : at + _SLICE]
            if self._skipping:
                self._skip()
            if not self._skipping:
                self._advance(quiet=False)
            if len(self._buffer) > LONGEST_FRAME:
                self._give_up_on_long_message()
        return self._taken()

    def flush(self) -> list[Frame | FrameError]:
        """Settle what is held: the reader has been quiet for long enough to be done."""
        if self._skipping:
            self._buffer.clear()
            self._skipping = False
        self._advance(quiet=True)
        self._end_lines()
        self._reported.clear()
        return self._taken()

    def reset(self) -> bool:
        """Forget what is held, because the reader is gone; tell whether a message was cut short."""
        was_cut = len(self._buffer) > _STRAY or bool(self._lines)
        self._buffer.clear()
        self._lines.clear()
        self._skipping = self._after_cr = False
        self._reported.clear()
        return was_cut

    # -- order of decisions

    def _advance(self, *, quiet: bool) -> None:
        # How much is left from where the next message opens. Lines in front of it are taken without another search, or
        # a buffer of empty lines would cost the square of its size.
        left: int | None = None
        while self._buffer:
            if self._after_cr:
                self._after_cr = False
                if self._buffer.startswith(b"\n"):
                    del self._buffer[:1]
                    continue
            if left is None or left > len(self._buffer):
                start = self.family.starts.search(self._buffer)
                left = len(self._buffer) - start.start() if start else 0
            if left < len(self._buffer):
                took = self._take_line(len(self._buffer) - left, quiet)
            else:
                start, left = self.family.starts.match(self._buffer), None
                took = getattr(self, f"_take_{start.lastgroup}")(start.end(), quiet)
            if not took:
                return

    def _skip(self) -> None:
        ends = [found for found in (ENVELOPE.search(self._buffer), _TERMINATOR.search(self._buffer)) if found]
        if not ends:
            del self._buffer[:-8]  # a start may lie across two reads
            return
        end = min(ends, key=re.Match.start)
        self._skipping = False
        self._after_cr = end.re is _TERMINATOR
        del self._buffer[: end.end() if end.re is _TERMINATOR else end.start()]

    def _give_up_on_long_message(self) -> None:
        self._fail(TOO_LONG)
        self._lines.clear()
        self._buffer.clear()
        self._skipping = True

    def _give_up_on_half(self, start: int) -> bool:
        # Only what opened the message is dropped: a good one may have begun inside it.
        self._end_lines()
        if len(self._buffer) > start:
            self._fail(HALF)
        del self._buffer[:start]
        return True

    def _drop_half(self, end: int) -> bool:
        # Another message opens at `end`, before this one was done.
        self._end_lines()
        if end > 2 * _STRAY:
            self._fail(HALF)
        del self._buffer[:end]
        return True

    def _cut(self, end: int) -> bytes:
        """Take bytes off the buffer; no match object may be asked for its text after this."""
        taken = bytes(self._buffer[:end])
        del self._buffer[:end]
        return taken

    # -- messages in envelopes

    def _take_ocr(self, start: int, quiet: bool) -> bool:
        return self._take_envelope(start, b"\x03\x1d", "access-is", quiet)

    def _take_barcode(self, start: int, quiet: bool) -> bool:
        return self._take_envelope(start, b"\x03\x1f", "access-is-barcode", quiet)

    def _take_magstripe(self, start: int, quiet: bool) -> bool:
        return self._take_envelope(start, b"\x03\x0f", "access-is-magstripe", quiet)

    def _take_stx(self, start: int, quiet: bool) -> bool:
        return self._take_envelope(start, b"\x03", Family.STX_ETX, quiet)

    def _take_envelope(self, start: int, end_mark: bytes, family: str, quiet: bool) -> bool:
        is_binary = begins_binary(self._buffer, start)
        end = self._end_of_binary(start, end_mark) if is_binary else self._buffer.find(end_mark, start)
        if not is_binary:
            inner = ENVELOPE.search(self._buffer, start, end if end >= 0 else len(self._buffer))
            if inner:
                return self._drop_half(inner.start())
        if end < 0:
            return quiet and self._give_up_on_half(start)
        body = self._cut(end + len(end_mark))[start:end]
        self._end_lines()
        match family:
            case "access-is-magstripe" if body[:1] not in (b"%", b";", b"+"):
                body = body[2:]  # type and track byte, as one sample shows; sentinels stay with the track
            case "access-is-barcode" if not (is_known_content(body) or body.startswith(b"]")):
                body = body[1:]  # names the symbology in the maker's own code
        self._emit_contents(body, family)
        return True

    def _end_of_binary(self, start: int, end_mark: bytes) -> int:
        """Return where the VDS ends, or -1: its signature may contain the end mark."""
        end = self._buffer.find(end_mark, start)
        for _ in range(_MOST_END_MARKS):
            if end < 0 or ends_with_signature(self._buffer, start, end):
                return end
            end = self._buffer.find(end_mark, end + 1)
        return -1

    def _take_rte(self, start: int, quiet: bool) -> bool:
        lines = _RTE_LINES.match(self._buffer, start + 1)  # one byte of flags, whose values are not known
        if lines is None:
            wrong = _NOT_RTE.search(self._buffer, start + 1)
            is_bcc_missing = wrong is not None and wrong.end() == len(self._buffer) and wrong[0] == b"\x03"
            if wrong and not is_bcc_missing:
                return self._drop_half(wrong.end() if wrong[0] == b"\x03" else wrong.start())
            return quiet and self._give_up_on_half(start)
        payload = b"\n".join(line for line in (part.rstrip(b"_") for part in lines.groups()[:3]) if line)
        message = self._cut(lines.end())
        self._end_lines()
        if self._check_bcc and not _is_rte_bcc(message):
            self._fail(WRONG_BCC)
        elif not payload:
            self._fail(EMPTY)
        else:
            self._emit(payload, Family.RTE, marks=self._substitutes + b"_")
        return True

    def _take_inquired(self, start: int, quiet: bool) -> bool:
        end = self._end_of_counted(start)
        if end is None:
            return quiet and self._give_up_on_half(start)
        body = bytes(self._buffer[start + 1 : end])
        if not is_text(body.translate(None, b"\r\n")):
            return self._give_up_on_half(start)
        self._cut(end)
        self._end_lines()
        if body.strip(b"\r\n"):  # an empty answer says that no document lies in the reader
            self._emit_contents(body, Family.ELYCTIS)
        return True

    def _take_reply(self, start: int, quiet: bool) -> bool:
        end = self._end_of_counted(start)
        if end is None:
            return quiet and self._give_up_on_half(start)
        self._cut(end)
        return True

    def _end_of_counted(self, start: int) -> int | None:
        """Return where a message ends whose low byte of length is at `start`, or None while it is not all there."""
        end = start + 1 + self._buffer[start] if len(self._buffer) > start else None
        return end if end is not None and len(self._buffer) >= end else None

    # -- barcodes with terminators inside

    def _take_vds(self, start: int, quiet: bool) -> bool:
        if not quiet:
            return False
        symbology, payload = split_symbology(self._cut(len(self._buffer)))
        self._end_lines()
        self._emit(whole_vds(payload) or payload, Family.RAW, symbology)
        return True

    def _take_aamva(self, start: int, quiet: bool) -> bool:
        end = self._after_aamva() or (len(self._buffer) if quiet else None)
        if end is None:
            return False
        body = self._cut(end)
        self._end_lines()
        self._emit_contents(body, Family.RAW)
        return True

    def _after_aamva(self) -> int | None:
        """Return where something else begins behind the declared length, if it does."""
        declared = declared_end_of_aamva(self._buffer)
        if declared is None or len(self._buffer) <= declared:
            return None
        tail = bytes(self._buffer[declared:])
        rest = tail.lstrip(b"\r\n")
        is_new_line = len(rest) < len(tail) or self._buffer[declared - 1] in b"\r\n"
        if is_new_line and len(rest) > _STRAY and not AAMVA_ELEMENT.match(rest):
            return len(self._buffer) - len(rest)
        another = self.family.starts.search(self._buffer, declared)
        if another is None:
            return None
        lead = bytes(self._buffer[declared : another.start()]).lstrip(b"\r\n")
        return another.start() - (len(lead) if len(lead) <= _STRAY else 0)

    # -- lines

    def _take_line(self, end: int, quiet: bool) -> bool:
        """Take one line in front of `end`, where another message opens if it is not the end of the buffer."""
        is_last = end == len(self._buffer)
        aamva_begun = AAMVA_BEGUN.search(self._buffer, max(0, end - 3)) if is_last and not quiet else None
        terminator = _TERMINATOR.search(self._buffer, 0, aamva_begun.start() if aamva_begun else end)
        if terminator:
            self._after_cr = terminator[0] == b"\r"
            self._settle_line(self._cut(terminator.end())[: terminator.start()], is_whole=True)
            return True
        if is_last and not quiet:
            return False
        self._settle_line(self._cut(end), is_whole=is_last)
        return True

    def _settle_line(self, line: bytes, *, is_whole: bool) -> None:
        if not line:
            self._end_lines()
            return
        text = self._without_noise(line)
        if not self.family.has_raw_lines or not text:
            if len(line) > _STRAY:
                self._fail(NOISE)
            return
        symbology, text = split_symbology(text)
        text = text.strip(b" ") if self._lines.is_line(text.strip(b" ")) else text
        if self.family is not Family.BARCODE and self._lines.is_line(text):
            self._symbology = self._symbology if self._lines else symbology
            self._emit_settled(self._lines.add(text))
            return
        if self._lines and self._lines.is_made_of_mrz_characters(text):
            self._end_lines()  # a piece of the line that was still to come
        else:
            self._end_lines()
            self._settle_text(text, symbology, is_whole)

    def _settle_text(self, text: bytes, symbology: str | None, is_whole: bool) -> None:
        run = self._lines.split_run(text)
        if len(text) <= _STRAY:
            return
        if not is_whole:
            self._fail(HALF)
        elif not is_text(text):
            self._fail(NOISE)
        elif self.family is Family.BARCODE or not self._lines.is_mrz_text(text):
            self._emit(text, Family.RAW, symbology)
        elif run:
            self._emit(run, Family.RAW, symbology, self._substitutes)
        else:
            self._fail(HALF_MRZ)

    def _without_noise(self, line: bytes) -> bytes:
        mrz = self._mrz_after_noise.search(line)
        return mrz[1] if mrz else line.lstrip(CONTROL + NOT_ASCII).rstrip(CONTROL)

    def _end_lines(self) -> None:
        self._emit_settled(self._lines.end())

    def _emit_settled(self, settled: list[bytes | Half | Loner]) -> None:
        for outcome in settled:
            match outcome:
                case Half(had, wanted):
                    self._fail(f"{had} of {wanted} MRZ lines")
                case Loner(line):
                    self._emit(line, Family.RAW, self._symbology)
                case payload:
                    self._emit(payload, Family.RAW, self._symbology, self._substitutes)

    # -- contents

    def _emit_contents(self, body: bytes, family: str) -> None:
        """Emit what stood inside an envelope: MRZ lines, or a barcode."""
        symbology, text = split_symbology(body)
        if not text.strip(b"\r\n"):
            self._fail(EMPTY)
        elif re.match(VDS_START, text):
            self._emit(whole_vds(text) or text, family, symbology)
        elif re.match(AAMVA_START, text):
            self._emit(without_reader_terminator(text), family, symbology)
        else:
            lines = [line for line in re.split(rb"[\r\n]+", text) if line]
            run = self._lines.split_run(lines[0]) if len(lines) == 1 else None
            is_mrz = any(self._lines.is_mrz_text(line) for line in lines)
            self._emit(run or b"\n".join(lines), family, symbology, self._substitutes if is_mrz else b"")

    def _emit(self, payload: bytes, family: str, symbology: str | None = None, marks: bytes = b"") -> None:
        unrecognised = tuple(at for at, byte in enumerate(payload) if byte in marks)
        self._items.append(Frame(payload, str(family), symbology, unrecognised))
        self._reported.clear()

    def _fail(self, reason: str) -> None:
        # A burst of rubbish is one failure of the reader, not hundreds.
        error = FrameError(reason)
        if error not in self._reported:
            self._items.append(error)
            self._reported.add(error)

    def _taken(self) -> list[Frame | FrameError]:
        items, self._items = self._items, []
        return items


def _is_rte_bcc(message: bytes) -> bool:
    """Tell whether the last byte is the XOR of the message; where the XOR begins and ends is assumed, so try each."""
    bcc, etx = message[-1], len(message) - 2
    covered = [reduce(xor, message[begin:etx], 0) for begin in (0, 1, 3, 5, 6)]
    return bcc in covered or bcc ^ 0x03 in covered
