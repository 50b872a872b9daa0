"""Where every field of a machine readable zone stands, as ICAO Doc 9303 parts 4 to 7 print it.

Owns positions and nothing else. Spans are offsets in the zone: its lines joined without separators. Always true: the
tables below are written with the standard's own line and position numbers, which start at 1.
"""

from __future__ import annotations

import re

import msgspec

DIGITS, LETTERS, ANY = "[0-9<]", "[A-Z<]", "[A-Z0-9<]"


class Layout(msgspec.Struct, frozen=True):
    """The form of one kind of zone.

    `spans` are the fields, `digits` the offset of each field's own check digit, `composite` the offset of the digit
    over `composite_over`. `units` are, a line each, the spans that stand or fall together when a line lost a character.
    `filled` are the offsets of fields that commonly end in fillers. `shape` matches a zone in which every character is
    in its field's alphabet, `classes` is that alphabet by offset.
    """

    kind: str
    width: int
    lines: int
    code_letters: str
    spans: dict[str, slice]
    digits: dict[str, int]
    composite: int | None
    composite_over: tuple[slice, ...]
    filled: frozenset[int]
    units: tuple[tuple[slice, ...], ...]
    classes: tuple[str, ...]
    shape: re.Pattern[str]

    def places(self, *offsets: int) -> str:
        """Name offsets as an officer would find them on the document: `line 2, position 4; line 2, positions 7-9`."""
        runs: list[list[int]] = []
        for offset in sorted(offsets):
            if runs and offset == runs[-1][1] + 1 and offset % self.width:
                runs[-1][1] = offset
            else:
                runs.append([offset, offset])
        return "; ".join(
            f"line {first // self.width + 1}, position"
            + (f" {first % self.width + 1}" if first == last else f"s {first % self.width + 1}-{last % self.width + 1}")
            for first, last in runs
        )


_ALPHABETS = {
    "issuing_state": LETTERS,
    "nationality": LETTERS,
    "names": LETTERS,
    "primary_identifier": LETTERS,
    "secondary_identifier": LETTERS,
    "date_of_birth": DIGITS,
    "date_of_expiry": DIGITS,
    "date_of_issue": DIGITS,
}
_COMMONLY_FILLED = ("names", "primary_identifier", "issuing_office", "optional_data")


def _layout(
    kind: str,
    width: int,
    code_letters: str,
    fields: dict[str, tuple[int, int, int]],
    digits: dict[str, tuple[int, int]],
    composite: tuple[int, int] | None = None,
    composite_over: tuple[tuple[int, int, int], ...] = (),
) -> Layout:
    """Turn (line, first, last) of the standard's tables into spans, units and alphabets."""

    def span(line: int, first: int, last: int) -> slice:
        return slice((line - 1) * width + first - 1, (line - 1) * width + last)

    lines = max(line for line, _, _ in fields.values())
    spans = {name: span(*where) for name, where in fields.items()}
    digit_offsets = {name: (line - 1) * width + position - 1 for name, (line, position) in digits.items()}
    composite_offset = (composite[0] - 1) * width + composite[1] - 1 if composite else None
    classes = [ANY] * (width * lines)
    for name, where in spans.items():
        classes[where] = [_ALPHABETS.get(name, ANY)] * (where.stop - where.start)
    classes[0] = "[A-Z]"
    for offset in [*digit_offsets.values(), *([] if composite_offset is None else [composite_offset])]:
        classes[offset] = DIGITS
    units = []
    for line in range(lines):
        starts = sorted({where.start for where in spans.values()} | ({composite_offset} - {None}))
        starts = [start for start in starts if line * width <= start < (line + 1) * width]
        units.append(tuple(slice(a, b) for a, b in zip(starts, [*starts[1:], (line + 1) * width], strict=True)))
    return Layout(
        kind=kind,
        width=width,
        lines=lines,
        code_letters=code_letters,
        spans=spans,
        digits=digit_offsets,
        composite=composite_offset,
        filled=frozenset(spans[name].start for name in _COMMONLY_FILLED if name in spans),
        composite_over=tuple(span(*where) for where in composite_over),
        units=tuple(units),
        classes=tuple(classes),
        shape=re.compile("".join(classes)),
    )


_LINE_1 = {"document_code": (1, 1, 2), "issuing_state": (1, 3, 5)}
_LINE_2 = {
    "document_number": (2, 1, 9),
    "nationality": (2, 11, 13),
    "date_of_birth": (2, 14, 19),
    "sex": (2, 21, 21),
    "date_of_expiry": (2, 22, 27),
}
_LINE_2_DIGITS = {"document_number": (2, 10), "date_of_birth": (2, 20), "date_of_expiry": (2, 28)}

TD3 = _layout(
    "TD3",  # Doc 9303-4: passports
    44,
    "P",
    {**_LINE_1, "names": (1, 6, 44), **_LINE_2, "optional_data": (2, 29, 42)},
    {**_LINE_2_DIGITS, "optional_data": (2, 43)},
    (2, 44),
    ((2, 1, 10), (2, 14, 20), (2, 22, 43)),
)
TD2 = _layout(
    "TD2",  # Doc 9303-6
    36,
    "ACI",
    {**_LINE_1, "names": (1, 6, 36), **_LINE_2, "optional_data": (2, 29, 35)},
    _LINE_2_DIGITS,
    (2, 36),
    ((2, 1, 10), (2, 14, 20), (2, 22, 35)),
)
TD1 = _layout(
    "TD1",  # Doc 9303-5
    30,
    "ACI",
    {
        **_LINE_1,
        "document_number": (1, 6, 14),
        "optional_data": (1, 16, 30),
        "date_of_birth": (2, 1, 6),
        "sex": (2, 8, 8),
        "date_of_expiry": (2, 9, 14),
        "nationality": (2, 16, 18),
        "optional_data_2": (2, 19, 29),
        "names": (3, 1, 30),
    },
    {"document_number": (1, 15), "date_of_birth": (2, 7), "date_of_expiry": (2, 15)},
    (2, 30),
    ((1, 6, 30), (2, 1, 7), (2, 9, 15), (2, 19, 29)),
)
MRV_A = _layout(
    "MRV-A",  # Doc 9303-7: visas
    44,
    "V",
    {**_LINE_1, "names": (1, 6, 44), **_LINE_2, "optional_data": (2, 29, 44)},
    _LINE_2_DIGITS,
)
MRV_B = _layout(
    "MRV-B",
    36,
    "V",
    {**_LINE_1, "names": (1, 6, 36), **_LINE_2, "optional_data": (2, 29, 36)},
    _LINE_2_DIGITS,
)
IDFRA = _layout(
    "IDFRA",  # the French national identity card of 1988-2021, which is older than Doc 9303-6 and keeps its own order
    36,
    "I",
    {
        **_LINE_1,
        "primary_identifier": (1, 6, 30),
        "issuing_office": (1, 31, 36),
        "document_number": (2, 1, 12),
        "secondary_identifier": (2, 14, 27),
        "date_of_birth": (2, 28, 33),
        "sex": (2, 35, 35),
    },
    {"document_number": (2, 13), "date_of_birth": (2, 34)},
    (2, 36),
    ((1, 1, 36), (2, 1, 35)),
)

LAYOUTS = {layout.kind: layout for layout in (TD1, MRV_B, TD2, IDFRA, MRV_A, TD3)}


def layout_of(text: str, width: int) -> Layout:
    """Choose the layout for lines of `width` characters by the document code that the zone begins with."""
    if width == 30:
        return TD1
    if width == 44:
        return MRV_A if text.startswith("V") else TD3
    if text.startswith("V"):
        return MRV_B
    return IDFRA if text.startswith("IDFRA") else TD2


def layouts_of_width(width: int) -> tuple[Layout, ...]:
    """Return every layout with lines of `width` characters."""
    return tuple(layout for layout in LAYOUTS.values() if layout.width == width)
