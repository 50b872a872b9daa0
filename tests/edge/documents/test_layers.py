"""Layers of a sealed document: what nobody checked is not_done."""

from __future__ import annotations

import pytest

from edge.documents.layers import NOT_REACHED, Layers
from edge.documents.verdict import Result, Verdict


def test_a_check_that_nobody_spoke_about_is_not_done():
    layers = Layers(("cose", "signature"))
    layers.ok("cose")
    assert layers.verdicts() == (Verdict("cose", Result.OK), Verdict("signature", Result.NOT_DONE, NOT_REACHED))


def test_the_last_word_on_a_check_counts_and_the_order_stays():
    layers = Layers(("first", "second"))
    layers.ok("second")
    layers.failed("first", "broken")
    layers.doubtful("first", "perhaps")
    assert [(item.check, item.result) for item in layers.verdicts()] == [
        ("first", Result.DOUBTFUL),
        ("second", Result.OK),
    ]


def test_a_check_that_was_not_announced_is_a_programming_error():
    with pytest.raises(KeyError):
        Layers(("first",)).ok("second")
