"""Cuts the text of an AAMVA bar code into header and subfiles, each with its data elements.

Owns the control characters, offsets and lengths; what an element means is not looked at here. Real cards state wrong
offsets and lengths, and readers that play a keyboard lose or replace control characters: so elements are found by their
separators, or by their IDs where the separators are gone, and offsets are compared afterwards. Always true: no
element's text is lost, and the time is close to linear in the length of the text.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from edge.documents.aamva.elements import FIRST_VERSION, LAST_VERSION, Element, could_be_element, elements_of
from edge.documents.findings import Findings

HOLDER_TYPES = ("DL", "ID", "EN")  # subfiles of a licence, an identification card, an enhanced licence

_FILE_TYPE = re.compile(r"(ANSI|AAMVA|AMVA) {0,2}([0-9]{6})")  # AMVA stands on cards of Connecticut
_DESIGNATOR = re.compile(r"([A-Z]{2})([0-9]{4})([0-9]{4})")
_DAMAGED_DESIGNATOR = re.compile(r"(?!(?:DL|ID|EN|Z[A-Z])?[DPZ][A-Z]{2})\S{1,40}?(?=(?:DL|ID|EN)D[A-Z]{2})")
_SEPARATORS = re.compile(r"[\n\r\x1c-\x1f]+")
_DIGITS = re.compile(r"[0-9]*")
_SUBFILE_TYPE = re.compile(r"(DL|ID|EN|Z[A-Z])")
_PRELUDE = "@\n\x1e\r"
_SEARCHED = 64  # characters in which the file type must begin
_MOST_SUBFILES = 99
_LONGEST_ELEMENT = 120  # characters; beyond it the element before is given up, not waited for
_LONGEST_OF_FIXED_FORM = 24  # characters, with the spaces that fill it up
_NEVER_ALONE = {"DAH": "DAG", "DAL": "DAO", "DAM": "DAO", "DAN": "DAO"}  # else a piece of a name: ADAM, JORDAN
_LONGEST_OF_FEW = 60  # characters that fewer elements than the next line says may have between them
_FEWEST_KNOWN = 4  # known IDs behind the same character, for it to be taken for the separator


@dataclass(slots=True)
class Subfile:
    """One subfile: its type, and its elements as printed, by ID."""

    type: str
    elements: dict[str, str] = field(default_factory=dict)
    unplaced: list[str] = field(default_factory=list)  # text without an element ID


@dataclass(slots=True)
class Layout:
    """The header as printed, and the subfiles in their order."""

    file_type: str
    issuer_identification_number: str
    version: int | None = None
    jurisdiction_version: int | None = None
    number_of_entries: int | None = None
    subfiles: list[Subfile] = field(default_factory=list)


def file_type_of(text: str) -> re.Match[str] | None:
    """Find the file type (`ANSI `, in the first cards `AAMVA`) with the issuer's number behind it, near the start."""
    return _FILE_TYPE.search(text, 0, _SEARCHED + 16)


def cut(text: str, findings: Findings) -> Layout:
    """Cut `text`, in which `file_type_of` finds something, into header and subfiles.

    Remarks go to `header`, `version`, `number_of_entries`, `subfile_offsets` and `separators`.
    """
    found = file_type_of(text)
    assert found is not None, "only called for text that has a file type"
    layout = Layout(found[1], found[2])
    start = max(text.rfind("@", 0, found.start()), 0)
    _check_prelude(text[start : found.start()], layout.file_type, findings)
    position = _cut_versions(text, found.end(), layout, findings)
    designators = []
    while (designator := _DESIGNATOR.match(text, position)) and len(designators) < _MOST_SUBFILES:
        designators.append((designator[1], start + int(designator[2]), int(designator[3])))
        position = designator.end()
    if damaged := _DAMAGED_DESIGNATOR.match(text, position):
        findings.doubtful("number_of_entries", "a subfile designator is not two letters and 8 digits; passed over")
        position = damaged.end()
    _compare_entries(layout.number_of_entries, len(designators), findings)
    types = {type for type, _, _ in designators}
    layout.subfiles = _subfiles(text[position:], types, layout.version or 0, findings)
    _compare_offsets(text, designators, findings)
    return layout


def _check_prelude(prelude: str, file_type: str, findings: Findings) -> None:
    if not prelude.startswith("@"):
        findings.doubtful("header", "the compliance indicator @ is missing")
    elif prelude != _PRELUDE:
        findings.ok("header", "other control characters than LF RS CR behind the @")
    if file_type != "ANSI":
        findings.ok("header", "file type AAMVA, of the first cards")


def _cut_versions(text: str, position: int, layout: Layout, findings: Findings) -> int:
    """Read the versions and the number of entries: 4 digits in version 1, 6 in all later ones."""
    digits = _DIGITS.match(text, position)[0][:6]
    if len(digits) < 4:
        findings.failed("version", "the header ends before it")
        return position + len(digits)
    layout.version = int(digits[:2])
    if not FIRST_VERSION <= layout.version <= LAST_VERSION:
        findings.doubtful("version", "is not 1 to 11; read as the nearest")
    if (layout.version <= 1) != (len(digits) == 4):
        findings.doubtful("version", "does not agree with the length of the header")
    if len(digits) == 6:
        layout.jurisdiction_version = int(digits[2:4])
        layout.number_of_entries = int(digits[4:6])
        return position + 6
    layout.number_of_entries = int(digits[2:4])
    return position + 4


def _compare_entries(stated: int | None, found: int, findings: Findings) -> None:
    if stated is None:
        findings.failed("number_of_entries", "is missing")
    elif found == 0:
        findings.doubtful("number_of_entries", "no subfile designators")
    elif stated != found:
        findings.doubtful("number_of_entries", f"states {stated}, and there are {found} designators")


def _compare_offsets(text: str, designators: list[tuple[str, int, int]], findings: Findings) -> None:
    """Compare what the designators state with the text; a card may be wrong in it and is read all the same."""
    for type, start, length in designators:
        if text[start : start + 2] != type:
            findings.ok("subfile_offsets", f"subfile {type} does not begin at its offset")
        elif text[start + length - 1 : start + length] != "\r":
            findings.ok("subfile_offsets", f"subfile {type} does not end where its length says")
    if not designators:
        findings.not_done("subfile_offsets", "no subfile designators")


def _subfiles(body: str, types: set[str], version: int, findings: Findings) -> list[Subfile]:
    known = elements_of(version)
    parts = [part for part in _SEPARATORS.split(body) if part.strip()]
    if not parts:
        findings.failed("separators", "no data elements")
        return []
    if len(parts) < _FEWEST_KNOWN and (
        len(body) > _LONGEST_OF_FEW or len(_parts_by_type(body, types, known)) >= _FEWEST_KNOWN
    ):
        parts = _parts_without_separators(body, types, known, findings)
    subfiles: list[Subfile] = []
    for part in parts:
        _take_part(part, types, subfiles, findings)
    if unplaced := sum(len(subfile.unplaced) for subfile in subfiles):
        findings.doubtful("separators", f"{unplaced} parts without an element ID; kept as they are")
    return subfiles


def _take_part(part: str, types: set[str], subfiles: list[Subfile], findings: Findings) -> None:
    """Put one part into the subfile that it belongs to; a part that begins with a subfile's type begins a new one."""
    part = part.lstrip()
    if _begins_subfile(part, types):
        subfiles.append(Subfile(part[:2]))
        part = part[2:].lstrip()
    elif not subfiles:
        type = next((type for type in HOLDER_TYPES if type in types), "DL")
        findings.doubtful("separators", f"the first subfile does not begin with its type; taken for {type}")
        subfiles.append(Subfile(type))
    id, text = part[:3], part[3:]
    if not could_be_element(id):
        if part:
            subfiles[-1].unplaced.append(part)
        return
    before = subfiles[-1].elements.get(id, "")
    if before.strip() and text.strip() and before.strip() != text.strip():
        findings.doubtful("separators", f"element {id} is there more than once; the first counts")
    elif not before.strip():
        subfiles[-1].elements[id] = text


def _begins_subfile(part: str, types: set[str]) -> bool:
    """Tell whether a part begins with the type of a subfile and an element ID, as in `DLDAQ` or `ZVZVA`."""
    if part.rstrip() in types:
        return True
    if not _SUBFILE_TYPE.match(part) or not could_be_element(part[2:5]):
        return False
    if part[0] == "Z":  # its elements begin as it does, and ZGDROCKDALE is the element ZGD
        return part[2:4] == part[:2] and part[:2] in types
    return part[:2] in types or part[:3] not in elements_of(0)


def _parts_without_separators(body: str, types: set[str], known: dict[str, Element], findings: Findings) -> list[str]:
    """Split a body that has lost its LFs: by the character that took their place, or by the known IDs alone.

    A space may be either, as it also fills up elements; what tells more elements apart is right.
    """
    by_ids = _parts_by_type(body, types, known)
    ids = "|".join(sorted(known))
    before_known = Counter(match[1] for match in re.finditer(rf"([^A-Za-z0-9])(?=(?:{ids}))", body))
    substitute, times = before_known.most_common(1)[0] if before_known else ("", 0)
    if times >= _FEWEST_KNOWN:
        behind = rf"(?=(?:{ids}|Z[A-Z]Z[A-Z]|Z[A-Z][A-Z0-9])|\Z)"
        parts = re.split(rf"{re.escape(substitute)}{behind}|{_SEPARATORS.pattern}", body)
        parts = [part for part in parts if part.strip()]
        if substitute != " " or len(parts) >= len(by_ids):
            findings.ok("separators", "another character stands in for LF")
            return parts
    findings.doubtful("separators", "no separators; the elements were told apart by their IDs")
    return by_ids


def _parts_by_type(body: str, types: set[str], known: dict[str, Element]) -> list[str]:
    """Split at the jurisdiction's own subfiles, and each part at the IDs that it may hold."""
    begins = [found.start() for type in types if type[0] == "Z" and (found := re.search(f"{type}(?={type})", body))]
    bounds = [0, *sorted(begins), len(body)]
    holder, *own = [body[start:end] for start, end in pairwise(bounds)]
    return [*_parts_by_ids(holder, known), *(part for subfile in own for part in _parts_in_order(subfile))]


def _parts_in_order(subfile: str) -> list[str]:
    """Split a jurisdiction's subfile at its IDs, which follow one another: ZVA, ZVB, ZVC."""
    type, starts = subfile[:2], [0]
    for letter in string.ascii_uppercase:
        place = subfile.find(type + letter, starts[-1] + 2)
        if place > 2:
            starts.append(place)
    return [subfile[start:end] for start, end in pairwise([*starts, len(subfile)])]


def _parts_by_ids(body: str, known: dict[str, Element]) -> list[str]:
    """Split at known IDs that stand where an element may begin.

    They may where the element before them is whole, and where their own text, if it has a form of fixed size, is
    followed by another ID. An ID may also stand inside a name (`DAC` in DACOSTA): it is taken where it is there for the
    first time or for the last, whichever tells more elements apart.
    """
    places = [
        (match.start(), known[match[1]])
        for match in re.finditer(r"(?=([DP][A-Z]{2}))", body)
        if match[1] in known and _is_followed_by_element(body, match.start(), known[match[1]], known)
    ]
    there = {element.id for _, element in places}
    places = [(place, element) for place, element in places if _NEVER_ALONE.get(element.id, element.id) in there]
    first = {element.id: place for place, element in reversed(places)}
    last = {element.id: place for place, element in places}
    starts = max((_starts(body, places, taken) for taken in (first, last)), key=len)
    return [body[start:end] for start, end in pairwise([0, *starts[1:], len(body)])]


def _starts(body: str, places: list[tuple[int, Element]], taken: dict[str, int]) -> list[int]:
    """Return where elements begin, one for each ID at most: where `taken` says, and the element before is whole."""
    starts: list[int] = []
    form = None
    for place, element in places:
        if place != taken[element.id]:
            continue
        if form is not None:
            start = starts[-1] + 3
            text = body[start : min(place, start + _LONGEST_ELEMENT)].strip()
            if place < start or (text and not form.fullmatch(text) and place < start + _LONGEST_ELEMENT):
                continue
        starts.append(place)
        form = element.form
    return starts


def _is_followed_by_element(body: str, place: int, element: Element, known: dict[str, Element]) -> bool:
    """Tell whether what stands between the element's ID and another one, or the end, has the element's form."""
    if element.form.pattern.startswith("."):
        return True
    start = place + 3
    for end in range(start, min(start + _LONGEST_OF_FIXED_FORM, len(body)) + 1):
        behind = body[end : end + 3]
        if not behind or (behind in known and behind != element.id):
            text = body[start:end].strip()
            if not text or element.form.fullmatch(text):  # blank, as mandatory elements without a value are
                return True
    return False
