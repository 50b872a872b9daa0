"""The framer: a bounded buffer, and one method for each kind of message that may begin in it.

Owns the order of decisions: envelopes with control characters first, then the two barcodes that contain terminators
of their own (AAMVA, VDS), then lines. A barcode with terminators inside is whole when the line goes quiet; an AAMVA
barcode also when something else follows the length that its own header declares. Always true: what is found depends on
the bytes alone, not on how the line cut them, because decisions fall behind certain bytes and nowhere else.
"""

from __future__ import annotations

import re

from hw.devices import Frame
from hw.framing import envelopes
from hw.framing.contents import (
    AAMVA_ELEMENT,
    declared_end_of_aamva,
    is_text,
    split_symbology,
    whole_vds,
)
from hw.framing.envelopes import MARKED, Broken
from hw.framing.families import BEGUN, ENVELOPE, LONGEST_START, Family
from hw.framing.findings import EMPTY, HALF, TOO_LONG, WRONG_BCC, Findings, FrameError
from hw.framing.lines import STRAY, Lines

LONGEST_FRAME = 16 * 1024  # the largest QR or PDF417 symbol holds 7,089 characters
_TERMINATOR = re.compile(rb"\r\n|\r|\n")
# Behind what a decision may fall: the last byte of every message, except a block check character, which may be any.
_DECISIVE = re.compile(rb"[\r\n\x03\x0f\x1d\x1f]")
_DECISIVE_WHILE_SKIPPING = re.compile(rb"[\r\n\x02]")


class Framer:
    """Turns the bytes of one reader into frames.

    `substitutes` are the characters that the reader sends for one it could not recognise; `check_bcc` turns the check
    of the 3M RTE block check character off, whose rule is not published.
    """

    def __init__(self, family: Family | str = Family.AUTO, *, substitutes: bytes = b"?*", check_bcc: bool = True):
        self.family = Family(family)
        self._check_bcc = check_bcc
        self._buffer = bytearray()
        self._findings = Findings(substitutes)
        self._lines = Lines(self.family, substitutes, self._findings)
        self._searched = 0  # up to where the buffer was looked at in vain; what arrives slowly is not looked at again
        self._after_cr = False
        self._skipping = False

    @property
    def is_waiting(self) -> bool:
        """Tell whether bytes are held that `flush` would settle."""
        return bool(self._buffer or self._lines)

    @property
    def is_passing_over(self) -> bool:
        """Tell whether what comes is dropped until a message ends or begins; that costs next to nothing."""
        return self._skipping

    def receive(self, data: bytes) -> list[Frame | FrameError]:
        """Take bytes from the reader and return what they complete."""
        at = 0
        while at < len(data):
            end, is_decisive = self._next_decision(data, at)
            self._buffer += data[at:end]
            at = end
            if self._skipping:
                self._skip()
            if is_decisive and not self._skipping:
                self._advance(quiet=False)
            if len(self._buffer) > LONGEST_FRAME:
                self._give_up_on_long_message()
        return self._findings.taken()

    def flush(self) -> list[Frame | FrameError]:
        """Settle what is held: the reader has been quiet for long enough to be done."""
        if self._skipping:
            self._buffer.clear()
            self._skipping = False
        self._advance(quiet=True)
        self._lines.end()
        self._findings.begin_anew()
        return self._findings.taken()

    def reset(self) -> bool:
        """Forget what is held, because the reader is gone; tell whether a message was cut short."""
        was_cut = len(self._buffer) > STRAY or bool(self._lines)
        self._buffer.clear()
        self._lines.clear()
        self._searched = 0
        self._skipping = self._after_cr = False
        self._findings.begin_anew()
        return was_cut

    # -- order of decisions

    def _next_decision(self, data: bytes, at: int) -> tuple[int, bool]:
        """Return up to where the next bytes belong together, and whether a decision falls there.

        Were one to fall where a read happens to end, a damaged message would be another one when it comes in pieces.
        """
        if self._buffer.endswith(b"\x03"):  # a block check character may follow
            return at + 1, True
        room = LONGEST_FRAME + 1 - len(self._buffer)
        decisive = _DECISIVE_WHILE_SKIPPING if self._skipping else _DECISIVE
        found = decisive.search(data, at, at + room)
        return (found.end(), True) if found else (min(at + room, len(data)), False)

    def _advance(self, *, quiet: bool) -> None:
        # How much is left from where the next message opens. Lines in front of it are taken without another search, or
        # a buffer of empty lines would cost the square of its size.
        left: int | None = None
        searched, self._searched = 0 if quiet else self._searched, 0
        while self._buffer:
            if self._after_cr:
                self._after_cr = False
                if self._buffer.startswith(b"\n"):
                    del self._buffer[:1]
                    continue
            if left is None or left > len(self._buffer):
                start = self.family.starts.match(self._buffer) or self.family.starts.search(self._buffer, searched)
                left = len(self._buffer) - start.start() if start else 0
            if left < len(self._buffer):
                took = self._take_line(len(self._buffer) - left, searched, quiet)
            else:
                start, left = self.family.starts.match(self._buffer), None
                took = self._take_message(start.lastgroup, start.end(), searched, quiet)
            if not took:
                self._searched = max(0, len(self._buffer) - LONGEST_START)
                return
            searched = 0

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
        self._findings.fail(TOO_LONG)
        self._lines.clear()
        self._buffer.clear()
        self._searched = 0
        self._skipping = True

    def _give_up_on_half(self, start: int) -> bool:
        # Only what opened the message is dropped: a good one may have begun inside it.
        self._lines.end()
        if len(self._buffer) > start:
            self._findings.fail(HALF)
        del self._buffer[:start]
        return True

    def _drop_half(self, end: int) -> bool:
        # Another message opens at `end`, before this one was done.
        self._lines.end()
        if end > 2 * STRAY:
            self._findings.fail(HALF)
        del self._buffer[:end]
        return True

    def _cut(self, end: int) -> bytes:
        """Take bytes off the buffer; no match object may be asked for its text after this."""
        taken = bytes(self._buffer[:end])
        del self._buffer[:end]
        return taken

    # -- messages that say how they begin

    def _take_message(self, kind: str, start: int, searched: int, quiet: bool) -> bool:
        """Take one message whose first byte after its beginning is at `start`; tell whether anything was taken."""
        match kind:
            case "rte":
                return self._take_rte(start, quiet)
            case "inquired":
                return self._take_inquired(start, quiet)
            case "reply":
                return self._take_reply(start, quiet)
            case "vds":
                return self._take_vds(quiet)
            case "aamva":
                return self._take_aamva(quiet)
            case _:
                return self._take_marked(start, searched, *MARKED[kind], quiet)

    def _take_marked(self, start: int, searched: int, end_mark: bytes, family: str, quiet: bool) -> bool:
        match envelopes.end_of_marked(self._buffer, start, end_mark, searched):
            case Broken(at):
                return self._drop_half(at)
            case None:
                return quiet and self._give_up_on_half(start)
            case end:
                body = self._cut(end + len(end_mark))[start:end]
                self._lines.end()
                self._findings.contents(envelopes.unmarked(body, family), family)
                return True

    def _take_rte(self, start: int, quiet: bool) -> bool:
        match envelopes.end_of_rte(self._buffer, start):
            case Broken(at):
                return self._drop_half(at)
            case None:
                return quiet and self._give_up_on_half(start)
            case end:
                message = self._cut(end)
        self._lines.end()
        payload = envelopes.lines_of_rte(message, start)
        if self._check_bcc and not envelopes.has_right_bcc(message):
            self._findings.fail(WRONG_BCC)
        elif not payload:
            self._findings.fail(EMPTY)
        else:
            self._findings.mrz(payload, Family.RTE, padding=b"_")
        return True

    def _take_inquired(self, start: int, quiet: bool) -> bool:
        end = envelopes.end_of_counted(self._buffer, start)
        if end is None:
            return quiet and self._give_up_on_half(start)
        body = bytes(self._buffer[start + 1 : end])
        if not is_text(body.translate(None, b"\r\n")):
            return self._give_up_on_half(start)
        self._cut(end)
        self._lines.end()
        if body.strip(b"\r\n"):  # an empty answer says that no document lies in the reader
            self._findings.contents(body, Family.ELYCTIS)
        return True

    def _take_reply(self, start: int, quiet: bool) -> bool:
        end = envelopes.end_of_counted(self._buffer, start)
        if end is None:
            return quiet and self._give_up_on_half(start)
        self._cut(end)
        return True

    # -- barcodes with terminators inside

    def _take_vds(self, quiet: bool) -> bool:
        if not quiet:
            return False
        symbology, payload = split_symbology(self._cut(len(self._buffer)))
        self._lines.end()
        self._findings.text(whole_vds(payload) or payload, Family.RAW, symbology)
        return True

    def _take_aamva(self, quiet: bool) -> bool:
        end = self._after_aamva() or (len(self._buffer) if quiet else None)
        if end is None:
            return False
        body = self._cut(end)
        self._lines.end()
        self._findings.contents(body, Family.RAW)
        return True

    def _after_aamva(self) -> int | None:
        """Return where something else begins behind the declared length, if it does."""
        declared = declared_end_of_aamva(self._buffer)
        if declared is None or len(self._buffer) <= declared:
            return None
        tail = bytes(self._buffer[declared:])
        rest = tail.lstrip(b"\r\n")
        is_new_line = len(rest) < len(tail) or self._buffer[declared - 1] in b"\r\n"
        if is_new_line and len(rest) > STRAY and not AAMVA_ELEMENT.match(rest):
            return len(self._buffer) - len(rest)
        another = self.family.starts.search(self._buffer, declared)
        if another is None:
            return None
        lead = bytes(self._buffer[declared : another.start()]).lstrip(b"\r\n")
        return another.start() - (len(lead) if len(lead) <= STRAY else 0)

    # -- lines

    def _take_line(self, end: int, searched: int, quiet: bool) -> bool:
        """Take one line in front of `end`, where another message opens if it is not the end of the buffer."""
        is_last = end == len(self._buffer)
        begun = None if quiet else BEGUN.search(self._buffer, max(0, len(self._buffer) - LONGEST_START))
        is_begun = begun is not None and begun.start() < end
        terminator = _TERMINATOR.search(self._buffer, searched, begun.start() if is_begun else end)
        if terminator:
            self._after_cr = terminator[0] == b"\r"
            self._lines.take(self._cut(terminator.end())[: terminator.start()], is_whole=True)
            return True
        if is_begun or (is_last and not quiet):
            return False
        self._lines.take(self._cut(end), is_whole=is_last)
        return True
