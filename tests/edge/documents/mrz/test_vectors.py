"""Zones whose check digits a public implementation has judged; the vectors say what must hold."""

import json
from pathlib import Path

import pytest

from edge.documents.mrz import parse
from edge.documents.verdict import Result
from tests.edge.documents.mrz.specimens import TODAY, verdict

VECTORS = [
    json.loads(line)
    for line in Path(__file__).parents[3].joinpath("vectors/mrz-doc9303.jsonl").read_text().splitlines()
]
CHECK_OF = {
    "number": "document_number_check",
    "birth": "date_of_birth_check",
    "expiry": "date_of_expiry_check",
    "optional": "optional_data_check",
    "composite": "composite_check",
}


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: "/".join(case["lines"])[:50])
def test_kind_and_check_digits_come_out_as_published(case):
    document = parse("\n".join(case["lines"]), today=TODAY)
    expected = case["check_digits"]

    assert document.kind == (expected["format"] or "unknown")
    for name, check in CHECK_OF.items():
        if name in expected:
            assert (verdict(document, check).result is Result.OK) == expected[name]


def test_both_readings_of_the_filler_in_a_long_number_are_taken():
    long_ones = [case for case in VECTORS if case["check_digits"].get("long_number")]

    assert [parse("\n".join(case["lines"]), today=TODAY).fields["document_number"] for case in long_ones] == [
        "D23145890734",
        "D23145890734",
    ]
