"""From what a reader delivers to a machine readable zone of exactly the standard's size.

Owns line endings, unseparated runs, padding, lower case, lines in another order, lines with a character or two too few
or too many, lines whose last fillers were cut off, and lines with more behind them. It owns no meaning of fields beyond
what it takes to line them up. Always true: a character that is missing stands as `?`, so that the field it belongs to
is lost and no other; nothing is changed without a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations

import msgspec

from edge.documents.mrz.check_digits import LOOKALIKES, holds
from edge.documents.mrz.layouts import DIGITS, LETTERS, Layout, layout_of, layouts_of_width
from edge.documents.states import state
from edge.documents.verdict import Result, Verdict

TOLERANCE = 2  # characters that a line may lack or have too many, wherever in it
MISSING = "?"
CYRILLIC_AS_DIGITS = "PNRUS"  # how Russia's internal passport begins, which writes some Cyrillic letters as digits
_LONGEST_PAYLOAD = 2048  # a zone with all its padding is far below; nobody's free text is searched
_MOST_ROWS = 8
# What must speak for a zone that does not lie there as printed: text that is none could be bent to one as well.
_EVIDENCE_TO_MEND = 2  # a line lost a character or two, or was not delivered
_EVIDENCE_TO_BEND = 3  # the order of lines, the document code or what was trimmed is not as it should be
_EVIDENCE_TO_CUT = 4  # a line is much longer or shorter than printed
_BYTE_ORDER_MARK = "\ufeff\xef\xbb\xbf"  # as text, and as the bytes of UTF-8
_PADDING = " _" + "".join(map(chr, range(0x20))) + "\x7f" + _BYTE_ORDER_MARK

_EXACT = re.compile(
    r"[\r\n]*(?:(?:[0-9A-Z<]{44}[\r\n]*){2}|(?:[0-9A-Z<]{36}[\r\n]*){2}|(?:[0-9A-Z<]{30}[\r\n]*){3})", re.ASCII
)
_NAMES = re.compile(r"[A-Z]+(?:<[A-Z]+)*<<[A-Z<]*", re.ASCII)
_ROW = re.compile(r"[^\r\n]+")
_WIDTH_OF_SIZE = {88: 44, 72: 36, 90: 30}
_REPAIRS = {
    (character, alphabet): other
    for character, other in LOOKALIKES.items()
    for alphabet in ((DIGITS,) if other.isdigit() else (LETTERS, "[A-Z]"))
}
_FOLD = {code: chr(code - 32) for code in range(ord("a"), ord("z") + 1)} | {ord(" "): "<", ord("_"): "<"}

_LENGTH_OK = Verdict("line_length", Result.OK)
_ORDER_OK = Verdict("line_order", Result.OK)
_ORDER_DOUBTFUL = Verdict("line_order", Result.DOUBTFUL, "the lines came in another order")


class Zone(msgspec.Struct, frozen=True):
    """The characters of a zone, its lines joined, every one in its field's alphabet unless listed as `unreadable`.

    `repaired` are offsets where a lookalike was put in place because the alphabet leaves that reading alone, `flagged`
    those that the reader said it did not recognise, `ended` fillers put at the end of a line that lacks a character or
    two and ends in none: a reader may have cut them off, or a character within the field is missing.
    """

    layout: Layout
    text: str
    line_length: Verdict = _LENGTH_OK
    line_order: Verdict = _ORDER_OK
    flagged: frozenset[int] = frozenset()
    repaired: frozenset[int] = frozenset()
    unreadable: frozenset[int] = frozenset()
    ended: frozenset[int] = frozenset()


class _Row(msgspec.Struct, frozen=True):
    """One line: its characters, where each came from in the payload (-1: from nowhere), and what was done to it."""

    text: str
    origins: tuple[int, ...]
    deviation: int = 0
    is_blanked: bool = False
    spaces: int = 0  # that stood between its characters
    is_filled: bool = False  # at its end, where spaces stand for fillers and were trimmed
    is_ended: bool = False  # with fillers that may not be what it lacks

    @property
    def is_absent(self) -> bool:
        """Tell whether this line was not delivered."""
        return self.deviation == -len(self.text)

    @property
    def is_cut(self) -> bool:
        """Tell whether this line was much longer or shorter than a line is."""
        return abs(self.deviation) > TOLERANCE and not self.is_absent

    @property
    def oddity(self) -> int:
        """Weigh what was done to the line against check digits that hold: fillers and what follows cost little.

        Leaving out what was delivered costs more than putting back what was not: a wider line comes before a cut one.
        """
        if self.is_absent:
            return len(self.text)
        return min(abs(self.deviation), TOLERANCE + 1) + (self.deviation > TOLERANCE) + 2 * self.is_blanked


class _Arrangement:
    """One way to see a zone in the payload's rows, and how much speaks for it.

    Fewer odd characters, the order as delivered and the narrower layout win where the evidence is the same.
    """

    __slots__ = ("is_credible", "layout", "rank", "rows", "text", "turn")

    def __init__(self, layout: Layout, rows: tuple[_Row, ...], turn: int) -> None:
        self.layout, self.rows, self.turn = layout, rows, turn
        self.text = "".join(row.text for row in rows)
        text = _repaired(layout, self.text)
        is_coded = text[0] in layout.code_letters
        fits_code = 3 + (layout is layout_of(text, layout.width)) if is_coded else 0
        held, failed = evidence(layout, self.text)
        odd = sum(row.oddity for row in rows)
        filled = sum(row.is_filled for row in rows)
        self.rank = (2 * held - failed + fits_code - odd, -turn, -filled, -layout.width)
        if any(row.is_cut for row in rows):
            self.is_credible = held >= _EVIDENCE_TO_CUT and held > failed and is_coded and not turn
        elif turn or filled or self.text[0] not in layout.code_letters + MISSING:
            self.is_credible = held >= _EVIDENCE_TO_BEND
        else:
            self.is_credible = held >= _EVIDENCE_TO_MEND or not odd
        if any(row.is_absent for row in rows):
            self.is_credible &= not any(row.is_cut or row.is_filled for row in rows)


def arrange(payload: bytes | str, unrecognised: tuple[int, ...] = ()) -> Zone | None:
    """Return the zone in `payload`, or None when there is nothing of that shape; see `Zone` for what it promises.

    `unrecognised` are offsets in `payload` of characters that the reader flagged.
    """
    text = payload if isinstance(payload, str) else payload.decode("latin-1")
    if len(text) > _LONGEST_PAYLOAD:
        return None
    if _EXACT.fullmatch(text):
        joined = text.replace("\n", "").replace("\r", "")
        layout = layout_of(joined, _WIDTH_OF_SIZE[len(joined)])
        if joined[0] in layout.code_letters and layout.shape.fullmatch(joined):
            if not unrecognised:
                return Zone(layout, joined)
            return Zone(layout, joined, flagged=_places_of(unrecognised, _offsets_without_line_ends(text)))
    found = _best_fit(text, unrecognised)
    return None if found is None else found[0]


def locate(text: str) -> tuple[Zone, tuple[int, ...]] | None:
    """Return the zone in `text` and, for each of its characters, the offset it came from (-1: from nowhere)."""
    return _best_fit(text, ()) if len(text) <= _LONGEST_PAYLOAD else None


def evidence(layout: Layout, text: str) -> tuple[int, int]:
    """Count what speaks for this layout and what against it.

    For it: check digits that hold over something, states that exist, a name field that looks like one. Against it:
    check digits that do not hold. What is missing counts for neither, and lookalikes count as what they look like.
    """
    text = _repaired(layout, text)
    digits = [(text[layout.spans[name]], text[offset]) for name, offset in layout.digits.items()]
    if layout.composite is not None:
        digits.append(("".join(text[span] for span in layout.composite_over), text[layout.composite]))
    held = [holds(over, digit) for over, digit in digits if MISSING not in over + digit and over.strip("<0")]
    states = [name for name in ("issuing_state", "nationality") if name in layout.spans]
    known = [name for name in states if state(text[layout.spans[name]]) is not None]
    names = layout.spans.get("names") or layout.spans["primary_identifier"]
    has_names = _NAMES.fullmatch(text[names]) is not None
    return sum(held) + len(known) + has_names, len(held) - sum(held)


def _read_alphabets(zone: Zone) -> Zone:
    """Put lookalikes right where a field's alphabet leaves one reading, and list what is no character of its field."""
    if zone.layout.shape.fullmatch(zone.text):
        return zone
    is_cyrillic = zone.text.startswith(CYRILLIC_AS_DIGITS)
    text, repaired, unreadable = list(zone.text), set(), set()
    for offset, (character, alphabet) in enumerate(zip(zone.text, zone.layout.classes, strict=True)):
        if re.fullmatch(alphabet, character, re.ASCII) or (
            is_cyrillic and zone.layout.spans["names"].start <= offset < 44 and character in "2346789"
        ):
            continue
        if other := _REPAIRS.get((character, alphabet)):
            text[offset] = other
            repaired.add(offset)
        else:
            unreadable.add(offset)
    return msgspec.structs.replace(
        zone, text="".join(text), repaired=frozenset(repaired), unreadable=frozenset(unreadable)
    )


def _repaired(layout: Layout, text: str) -> str:
    """Return the text with every lookalike as its field's alphabet demands."""
    return "".join([_REPAIRS.get(pair, pair[0]) for pair in zip(text, layout.classes, strict=True)])


def _offsets_without_line_ends(text: str) -> tuple[int, ...]:
    return tuple(offset for offset, character in enumerate(text) if character not in "\r\n")


def _places_of(unrecognised: tuple[int, ...], origins: tuple[int, ...]) -> frozenset[int]:
    wanted = frozenset(unrecognised)
    return frozenset(place for place, origin in enumerate(origins) if origin in wanted and origin >= 0)


def _ended(layout: Layout, rows: tuple[_Row, ...]) -> frozenset[int]:
    ends = [(layout.width * line, row.deviation) for line, row in enumerate(rows, 1) if row.is_ended]
    return frozenset(place for end, deviation in ends for place in range(end + deviation, end))


def _best_fit(text: str, unrecognised: tuple[int, ...]) -> tuple[Zone, tuple[int, ...]] | None:
    """Return the arrangement of the payload's rows for which most speaks, or None when too little does."""
    rows = [(match.start(), match.group()) for match in _ROW.finditer(text) if match.group().strip(_PADDING)]
    if not 0 < len(rows) <= _MOST_ROWS:
        return None
    best: _Arrangement | None = None
    for arrangement in _arrangements(rows, fillers_are_spaces="<" not in text):
        if arrangement.is_credible and (best is None or arrangement.rank > best.rank):
            best = arrangement
    if best is None:
        return None
    origins = tuple(origin for row in best.rows for origin in row.origins)
    zone = Zone(
        best.layout,
        best.text,
        line_length=_line_length(best.layout, best.rows),
        line_order=_ORDER_DOUBTFUL if best.turn else _ORDER_OK,
        flagged=_places_of(unrecognised, origins),
        ended=_ended(best.layout, best.rows),
    )
    return _read_alphabets(zone), origins


def _arrangements(rows: list[tuple[int, str]], *, fillers_are_spaces: bool) -> Iterator[_Arrangement]:
    """Yield every layout, choice of rows and order of lines that the payload has the room for."""
    aligned: dict[tuple[_Row, str, int, bool], _Row | None] = {}  # the same row comes there in many choices
    for width, lines in ((44, 2), (36, 2), (30, 3)):
        for window in _windows(rows, width, lines):
            fitted = [_fit_width(row, width, fillers_are_spaces) for row in window]
            keeps_fillers = any(len(row) == width and row.endswith("<") for _, row in window)
            for turn, order in enumerate(permutations(fitted)):
                for layout in layouts_of_width(width):
                    places = [(row, layout.kind, line, keeps_fillers) for line, row in enumerate(order)]
                    for place in places:
                        if place not in aligned:
                            aligned[place] = _align(place[0], layout, place[2], keeps_fillers=keeps_fillers)
                    lines_as_read = tuple(line for place in places if (line := aligned[place]) is not None)
                    if len(lines_as_read) == lines:
                        yield _Arrangement(layout, lines_as_read, turn)


def _windows(rows: list[tuple[int, str]], width: int, lines: int) -> Iterator[list[tuple[int, str]]]:
    """Yield each way to take `lines` rows: consecutive ones, parts of one run, or with one not delivered.

    A run that is much too long or too short is cut into whole lines, and the last one is what is left.
    """
    for first in range(len(rows) - lines + 1):
        yield rows[first : first + lines]
    if len(rows) == 1:
        start, run = rows[0]
        excess = len(run) - width * lines
        if len(run) > width * (lines - 1):
            for odd_line in range(lines) if 0 < abs(excess) <= TOLERANCE else (lines - 1,):
                ends = [width * (line + 1) + (excess if line >= odd_line else 0) for line in range(lines)]
                starts = [0, *ends[:-1]]
                yield [(start + a, run[a:b]) for a, b in zip(starts, ends, strict=True)]
    if len(rows) == lines - 1:
        for absent in range(lines):
            yield [*rows[:absent], (-1, ""), *rows[absent:]]


def _fit_width(row: tuple[int, str], width: int, fillers_are_spaces: bool) -> _Row:
    """Take padding off a row, or put fillers on that were sent as spaces; it may still be longer or shorter."""
    start, raw = row
    if start < 0:
        return _Row(MISSING * width, (-1,) * width, -width, True)
    stripped = raw.strip(_PADDING)
    start_stripped = start + len(raw) - len(raw.lstrip(_PADDING))
    spaces = stripped.count(" ")
    if spaces and not fillers_are_spaces and len(stripped) - spaces == width:
        kept = [(start_stripped + place, one) for place, one in enumerate(stripped) if one != " "]
        origins = tuple(origin for origin, _ in kept)
        return _Row("".join(one for _, one in kept).translate(_FOLD), origins, spaces=spaces)
    lacking = 0
    if len(raw) == width and (fillers_are_spaces or abs(len(stripped) - width) > TOLERANCE):
        stripped, start_stripped = raw, start
    elif fillers_are_spaces or len(stripped) < min(width - TOLERANCE, len(raw)):
        lacking = max(width - len(stripped), 0)
    origins = range(start_stripped, start_stripped + len(stripped))
    text = stripped.translate(_FOLD) + "<" * lacking
    return _Row(text, (*origins, *(-1,) * lacking), is_filled=lacking > 0)


def _align(row: _Row, layout: Layout, line: int, *, keeps_fillers: bool) -> _Row | None:
    """Make a row exactly as long as a line, so that the characters it lacks or has too many cost one unit alone.

    What stands behind a line is cut off, and fillers that were cut off its end are put back, unless the reader keeps
    them elsewhere; None where a line of this layout does not end in fillers.
    """
    deviation = len(row.text) - layout.width
    if deviation == 0:
        return row
    if deviation > TOLERANCE:
        return _Row(row.text[: layout.width], row.origins[: layout.width], deviation)
    if deviation < -TOLERANCE:
        lost_from = line * layout.width + len(row.text)
        lost_units = [unit for unit in layout.units[line] if unit.stop > lost_from]
        if row.text.endswith("<") or any(unit.start not in layout.filled for unit in lost_units):
            return None
        return _Row(row.text.ljust(layout.width, "<"), (*row.origins, *(-1,) * -deviation), deviation)
    offset = line * layout.width
    best: tuple[int, _Row] | None = None
    for unit in layout.units[line]:
        before, after = unit.start - offset, layout.width - (unit.stop - offset)
        size = unit.stop - unit.start
        if size + deviation < 0:
            continue
        inside = row.text[before : len(row.text) - after]
        inside_origins = row.origins[before : len(row.origins) - after]
        ends_in_fillers = unit.stop - offset == layout.width and unit.start in layout.filled
        lacks_end = ends_in_fillers and deviation < 0
        is_ended = lacks_end and not (keeps_fillers or inside.endswith("<"))
        if is_ended or (lacks_end and inside.endswith("<")):
            inside, inside_origins, blanked = inside.ljust(size, "<"), (*inside_origins, *(-1,) * -deviation), False
        elif ends_in_fillers and deviation > 0 and (not inside[size:].strip("<") or inside[:size].endswith("<<")):
            inside, inside_origins, blanked = inside[:size], inside_origins[:size], False
        else:
            inside, inside_origins, blanked = MISSING * size, (-1,) * size, True
        text = row.text[:before] + inside + (row.text[-after:] if after else "")
        origins = (*row.origins[:before], *inside_origins, *(row.origins[-after:] if after else ()))
        candidate = _Row(text, origins, deviation, blanked, is_ended=is_ended)
        padded = MISSING * offset + text + MISSING * (layout.width * (layout.lines - line - 1))
        held, failed = evidence(layout, padded)
        score = 2 * (held - failed) + (not blanked)
        if best is None or score >= best[0]:
            best = (score, candidate)
    assert best is not None
    return best[1]


def _line_length(layout: Layout, rows: tuple[_Row, ...]) -> Verdict:
    odd = [(line, row) for line, row in enumerate(rows, 1) if row.deviation or row.spaces]
    if not odd:
        return _LENGTH_OK
    said = "; ".join(f"line {line} {_oddity(layout, row)}" for line, row in odd)
    return Verdict("line_length", Result.FAILED if any(row.is_blanked for _, row in odd) else Result.DOUBTFUL, said)


def _oddity(layout: Layout, row: _Row) -> str:
    if row.spaces:
        return f"has {row.spaces} spaces between its characters"
    if row.deviation == -layout.width:
        return "was not delivered"
    return f"has {layout.width + row.deviation} characters, not {layout.width}"
