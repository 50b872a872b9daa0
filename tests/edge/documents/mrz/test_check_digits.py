"""The 7-3-1 check digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.documents.mrz.check_digits import ALPHABET, check_digit, holds, single_lookalikes

SAME_TO_THE_DIGIT = ["<0AKU", "1BLV", "2CMW", "3DNX", "4EOY", "5FPZ", "6GQ", "7HR", "8IS", "9JT"]


@pytest.mark.parametrize(
    ("text", "digit"),
    [("520727", 3), ("AB2134<<<", 5), ("HA672242<658022549601086<<<<<<<<<<<<<<0", 8), ("D23145890734", 9), ("", 0)],
)
def test_the_standards_own_examples(text, digit):
    assert check_digit(text) == digit


@given(text=st.text(ALPHABET, min_size=1, max_size=20), place=st.integers(0, 19), other=st.sampled_from(ALPHABET))
def test_one_changed_character_is_noticed_unless_it_has_the_same_value(text, place, other):
    place %= len(text)
    changed = text[:place] + other + text[place + 1 :]
    is_same = any(text[place] in group and other in group for group in SAME_TO_THE_DIGIT)

    assert (check_digit(changed) == check_digit(text)) == is_same


def test_a_filler_or_letter_is_no_digit():
    assert not holds("<<<<<<", "<")
    assert not holds("<<<<<<", "O")
    assert not holds("<<<<<<", "")


def test_a_single_lookalike_is_found_only_where_the_digit_tells_it():
    assert single_lookalikes("M3749Z7C3", str(check_digit("M374927C3"))) == [5]
    assert single_lookalikes("M37497GC3", str(check_digit("M374975C3"))) == []
