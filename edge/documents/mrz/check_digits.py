"""The 7-3-1 check digit of ICAO Doc 9303-3 section 4.9.

Owns the arithmetic alone; whether the characters may stand where they stand is another question, asked elsewhere: a K
in a date adds up like a 0. Always true: characters outside the alphabet count as the filler does.
"""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"

# What optical readers take for one another. The digit tells all of them apart but 6 and G.
LOOKALIKES = {"O": "0", "I": "1", "S": "5", "B": "8", "Z": "2", "G": "6"}
LOOKALIKES |= {digit: letter for letter, digit in LOOKALIKES.items()}

_VALUES = bytes(max(ALPHABET[:36].find(chr(code)), 0) for code in range(256))


def check_digit(text: str) -> int:
    """Return the check digit (0-9) of `text`, upper case; fillers count 0, letters 10 to 35."""
    values = text.encode("latin-1", "replace").translate(_VALUES)
    return (7 * sum(values[::3]) + 3 * sum(values[1::3]) + sum(values[2::3])) % 10


def holds(text: str, digit: str) -> bool:
    """Tell whether `digit` is a decimal digit and the check digit of `text`."""
    return "0123456789"[check_digit(text)] == digit


def single_lookalikes(text: str, digit: str) -> list[int]:
    """Return the offsets in `text` where one lookalike in place of the character would make `digit` hold."""
    return [
        offset
        for offset, character in enumerate(text)
        if character in LOOKALIKES and holds(text[:offset] + LOOKALIKES[character] + text[offset + 1 :], digit)
    ]
