"""How well two spellings of one person's name agree, from 0 to 1, and why.

Owns the habits of name fields: titles, cut names, spellings of one letter, components joined or left out, identifiers
in the other order. It owns no threshold. Always true: it compares A to Z alone, and a reason never quotes a name.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import cache

import msgspec

from edge.documents.transliteration import spellings

PLACEHOLDERS = frozenset({"FNU", "LNU", "NFN", "XX", "XXX"})  # written where a name has no such identifier
TITLES = frozenset(
    {"MR", "MRS", "MS", "MISS", "MSTR", "MASTER", "MX", "DR", "PROF", "REV", "SIR", "LADY", "LORD", "CAPT"}
    | {"CHD", "INF", "ADT"}  # child, infant, adult
)
# What reservation systems glue to the last given name; WILLIAMS is a name all the same, so both readings are tried.
_GLUED = ("MSTR", "MISS", "MRS", "MR", "MS", "CHD", "INF", "DR")
_LEAST_LEFT = 2  # letters that a given name keeps when a glued title is taken off


class Name(msgspec.Struct, frozen=True):
    """A name as one source has it; `is_cut` says that its field was full, so letters may be missing at the end."""

    primary: str
    secondary: str
    is_cut: bool = False

    def __repr__(self) -> str:
        return "Name(<withheld>)"


class Likeness(msgspec.Struct, frozen=True):
    """How well two names agree, and the reason in words that name no name."""

    score: float
    reason: str


def likeness(shown: Name, document: Name) -> Likeness:
    """Compare a name that is `shown` elsewhere (boarding pass, visa) with the one of a travel document."""
    straight = _compare(shown, document)
    if straight.score >= 0.95 or not shown.secondary:
        return straight
    turned = _compare(msgspec.structs.replace(shown, primary=shown.secondary, secondary=shown.primary), document)
    if turned.score * 0.95 > max(straight.score, 0.5):
        return Likeness(turned.score * 0.95, "the identifiers stand in the other order")
    return straight


def _compare(shown: Name, document: Name) -> Likeness:
    surname, primary, secondary = _letters(shown.primary), _letters(document.primary), _letters(document.secondary)
    readings = [
        _likeness(surname, given, primary, secondary, shown.is_cut, document.is_cut)
        for given in _given_readings(_letters(shown.secondary))
    ]
    return max(readings, key=lambda reading: reading.score)


def _likeness(
    surname: list[str], given: list[str], primary: list[str], secondary: list[str], is_cut: bool, document_is_cut: bool
) -> Likeness:
    if "".join(surname + given) == "".join(primary + secondary):
        return Likeness(1.0 if surname or given else 0.0, "the names agree" if surname or given else "no name")
    surname_score = _score(surname, primary, (is_cut and not given) or document_is_cut)
    given_score = _given_score(given, secondary, is_cut or document_is_cut)
    reason = _reason(surname_score, given_score, bool(given), bool(secondary))
    return Likeness(round(0.6 * surname_score + 0.4 * given_score, 3), reason)


def _given_score(given: list[str], secondary: list[str], is_cut: bool) -> float:
    if not given or not secondary:
        return 1.0 if given == secondary or (is_cut and not given) else 0.75
    if len(given[0]) == 1 and given[0] == secondary[0][0]:
        return 0.9
    return _score(given, secondary, is_cut)


def _score(ours: list[str], theirs: list[str], is_cut: bool) -> float:
    """Return how well the components of one identifier agree; components left out are forgiven."""
    if not ours or not theirs:
        return 0.0
    folded = _score_as_spelt([_fold(part) for part in ours], [_fold(part) for part in theirs], is_cut)
    return max(_score_as_spelt(ours, theirs, is_cut), folded - 0.01)


def _score_as_spelt(ours: list[str], theirs: list[str], is_cut: bool) -> float:
    joined, whole = "".join(ours), "".join(theirs)
    if joined == whole:
        return 1.0
    if is_cut and (whole.startswith(joined) or joined.startswith(whole)):
        return 0.98
    if _has_in_order(theirs, ours, is_cut) or _has_in_order(ours, theirs, False):
        return 0.95
    if any(joined == "".join(theirs[:count]) for count in range(1, len(theirs))):
        return 0.95
    return 0.75 * SequenceMatcher(None, joined, whole, autojunk=False).ratio()


def _has_in_order(longer: list[str], shorter: list[str], last_is_cut: bool) -> bool:
    """Tell whether `shorter` is `longer` with components left out."""
    rest = iter(longer)
    for place, part in enumerate(shorter):
        may_be_cut = last_is_cut and place == len(shorter) - 1
        if not any(other == part or (may_be_cut and other.startswith(part)) for other in rest):
            return False
    return True


def _reason(surname: float, given: float, has_given: bool, has_secondary: bool) -> str:
    if surname < 0.85 and given < 0.85:
        return "neither identifier agrees"
    if surname < 0.85:
        return "the primary identifiers differ"
    if has_given != has_secondary:
        return "one of them has no secondary identifier"
    if given < 0.85:
        return "the secondary identifiers differ"
    return "the names agree as far as both show them"


def _letters(name: str) -> list[str]:
    letters = re.findall(r"[A-Z]+", re.sub(r"['’.]", "", name.upper()), re.ASCII)
    return [part for part in letters if part not in PLACEHOLDERS]


def _given_readings(given: list[str]) -> list[list[str]]:
    """Return the given names without titles, and again without one that is glued to the last of them."""
    while given and given[-1] in TITLES:
        given = given[:-1]
    if len(given) > 1 and given[0] in TITLES:
        given = given[1:]
    readings = [given]
    for title in _GLUED:
        if given and given[-1].endswith(title) and len(given[-1]) >= len(title) + _LEAST_LEFT:
            readings.append([*given[:-1], given[-1].removesuffix(title)])
    return readings


def _fold(part: str) -> str:
    """Take the spellings of one national character for one another: MUELLER, MUXXLLER and MULLER are one."""
    for long, short in _foldings():
        part = part.replace(long, short)
    return part


@cache
def _foldings() -> tuple[tuple[str, str], ...]:
    pairs = {
        (written, spelling.others[-1])
        for spelling in spellings().values()
        if spelling.others and spelling.usual.isalpha() and not spelling.usual.startswith("X")
        for written in (spelling.usual, *spelling.others[:-1])
        if len(written) > len(spelling.others[-1])
    }
    pairs |= {("NXX", "N"), ("OE", "O"), ("AE", "A"), ("SS", "S"), ("IJ", "Y")}
    return tuple(sorted(pairs, key=lambda pair: (-len(pair[0]), pair)))
