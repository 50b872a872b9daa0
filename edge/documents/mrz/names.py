"""The name field: two identifiers, fillers between, and what to do when it is too short.

Owns ICAO Doc 9303-3 section 4.6 and the truncation rules of parts 4 to 7. It owns no transliteration. Always true: a
name whose last position holds a letter may have been cut, and only such a name.
"""

from __future__ import annotations


def split(field: str) -> tuple[str, str]:
    """Return primary and secondary identifier with spaces between their components; either may be empty."""
    if field.startswith("<<"):
        return "", _spaced(field)
    primary, _, secondary = field.strip("<").partition("<<")
    return _spaced(primary), _spaced(secondary)


def join(primary: str, secondary: str, width: int) -> str:
    """Return the name field of `width` characters for two identifiers in the zone's alphabet.

    A name that does not fit loses characters at the end of the secondary identifier; a primary identifier that leaves
    no room loses its own until the first letter of the secondary fits. The last position then holds a letter, which
    tells that the name may have been cut.
    """
    primary, secondary = _filled(primary), _filled(secondary)
    if not secondary:
        return _cut(primary, width).ljust(width, "<")
    if len(primary) > width - 3:
        return f"{_cut(primary, width - 3)}<<{secondary[0]}"
    return f"{primary}<<{_cut(secondary, width - len(primary) - 2)}".ljust(width, "<")


def _spaced(identifier: str) -> str:
    return " ".join(identifier.replace("<", " ").split())


def _filled(identifier: str) -> str:
    return "<".join(identifier.replace("<", " ").split())


def _cut(identifier: str, width: int) -> str:
    """Cut to at most `width` characters, the last one a letter where anything had to go."""
    if len(identifier) <= width:
        return identifier
    cut = identifier[:width]
    if not cut.endswith("<"):
        return cut
    # The filler would hide the cut: a letter of the component before it goes, so that the next one shows its first.
    whole = cut[:-1]
    return f"{whole[:-1]}<{identifier[width]}" if len(whole.split("<")[-1]) > 1 else whole + identifier[width]
