"""Names in national characters, spelt in the alphabet of the machine readable zone (ICAO Doc 9303-3 section 6).

Owns the tables for Latin, Cyrillic and Arabic script (`transliteration.tsv`) and the few rules that are no table:
signs left out, hyphens and spaces as fillers, shadda doubling, teh marbuta at the end of a name. It owns no truncation.
Always true: what comes out is A to Z and single fillers, or an error that tells the place and not the character.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files

import msgspec

LANGUAGE_OF_STATE = {"BGR": "bg", "BLR": "be", "MKD": "mk", "SRB": "sr", "UKR": "uk"}

_LEFT_OUT = "'’‘ʼ`´.,·"
_FILLERS = " <-‐‑‒–—_/\u00a0"
_SHADDA, _TEH_MARBUTA = "\u0651", "\u0629"


class Spelling(msgspec.Struct, frozen=True):
    """How one upper case character is written: first the usual way, then others in use, then languages of their own.

    `by_language` has keys such as `uk`, and `uk^` for the beginning of a name.
    """

    usual: str
    others: tuple[str, ...]
    by_language: dict[str, str]


def to_mrz(name: str, *, language: str | None = None) -> str:
    """Return `name` in the zone's alphabet, its components set apart by one filler each.

    `language` is bg, be, mk, sr or uk, whose Cyrillic spelling differs. Raises ValueError when a character has no
    transliteration; the message gives its position.
    """
    table = spellings()
    composed = unicodedata.normalize("NFC", name)
    out: list[str] = [""]
    for position, character in enumerate(composed):
        upper = character if character == "ẞ" else character.replace("ß", "ẞ").upper()
        if upper in _FILLERS:
            out.append("")
        elif upper == _SHADDA:
            out[-1] += _last_spelling(composed, position, table)
        elif upper == _TEH_MARBUTA:
            ends = position + 1 == len(composed) or composed[position + 1] in _FILLERS
            out[-1] += "XAH" if ends else "XTA"
        elif upper not in _LEFT_OUT:
            for part in upper:
                out[-1] += _spell(part, language, not out[-1], table, position)
    return "<".join(component for component in out if component)


@cache
def spellings() -> dict[str, Spelling]:
    """Return the tables by upper case character."""
    table = {}
    for line in files(__package__).joinpath("transliteration.tsv").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        code_point, _, written = line.split("\t")
        plain = [part for part in written.split(" ") if ":" not in part]
        by_language = dict(part.split(":") for part in written.split(" ") if ":" in part)
        usual = "" if plain[0] == "-" else plain[0]
        table[chr(int(code_point, 16))] = Spelling(usual, tuple(plain[1:]), by_language)
    return table


def _spell(character: str, language: str | None, is_first: bool, table: dict[str, Spelling], position: int) -> str:
    if "A" <= character <= "Z":
        return character
    spelling = table.get(character)
    if spelling is None:
        # A letter with marks that no table has (Vietnamese, Pinyin) is written without them.
        base = unicodedata.normalize("NFKD", character)
        plain = "".join(part for part in base if not unicodedata.combining(part))
        if plain and (plain in table or all("A" <= part <= "Z" for part in plain)):
            return "".join(_spell(part, language, is_first, table, position) for part in plain)
        if not plain:
            return ""
        raise ValueError(
            f"character {position + 1} of the name has no transliteration; write the name in Latin letters"
        )
    by_language = spelling.by_language
    if language and is_first and f"{language}^" in by_language:
        return by_language[f"{language}^"]
    return by_language.get(language or "", spelling.usual)


def _last_spelling(composed: str, position: int, table: dict[str, Spelling]) -> str:
    """Return the spelling of the letter that a shadda stands over, which it doubles."""
    while position and (position := position - 1) >= 0:
        spelling = table.get(composed[position])
        if spelling and spelling.usual:
            return spelling.usual
    return ""
