"""Text that came from elsewhere, as a terminal, a page or a table of a database can take it.

Owns what is printable, as Unicode says it. Always true: nothing that comes out of here steers a terminal or turns a
line around, and both databases can hold it.
"""

from __future__ import annotations


def printable(text: str, instead: str = "?") -> str:
    """Return text with `instead` for each character that cannot be shown: controls, line ends, lone surrogates."""
    return "".join(char if char.isprintable() else instead for char in text)
