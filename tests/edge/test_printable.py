"""Text from elsewhere cannot steer what shows it."""

from __future__ import annotations

import pytest

from edge.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lane 1, Müller 港", "lane 1, Müller 港"),
        ("\x1b[2Jgone", "?[2Jgone"),
        ("two\r\nlines", "two??lines"),
        ("nul\0", "nul?"),
        ("turned \u202eround", "turned ?round"),
        ("half \ud83d", "half ?"),
    ],
    ids=["plain", "escape", "lines", "nul", "right-to-left", "surrogate"],
)
def test_what_cannot_be_shown_is_replaced(text: str, shown: str) -> None:
    assert printable(text) == shown
    shown.encode()


def test_what_stands_in_its_place_may_be_chosen() -> None:
    assert printable("a\tb", " ") == "a b"
