"""A short run of the zone fuzzer, and what longer runs found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.edge.documents.mrz.specimens import SPECIMENS
from tests.fuzz.fuzz_mrz import ALPHABET, fuzz_mrz


@given(data=st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_give_a_document(data):
    fuzz_mrz(data)


@given(
    lines=st.sampled_from(list(SPECIMENS.values())),
    cuts=st.lists(st.tuples(st.integers(0, 95), st.integers(0, 3), st.text(ALPHABET, max_size=3)), max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_altered_zones_give_a_document(lines, cuts):
    text = "\r".join(lines)
    for place, length, instead in cuts:
        text = text[:place] + instead + text[place + length :]
    fuzz_mrz(text)


@pytest.mark.parametrize("data", [b"", b"\r" * 3000, "\udcff" * 44, "ß" * 88, "İ" * 72, "\u0661" * 90])
def test_payloads_that_were_trouble_elsewhere_give_a_document(data):
    fuzz_mrz(data)
