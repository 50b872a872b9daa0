"""The table of states, organisations and kinds of persons."""

import json
from pathlib import Path

import pytest

from edge.documents.states import StateKind, specimens, state, states

VECTORS = [
    json.loads(line)
    for line in Path(__file__).parents[2].joinpath("vectors/state-codes-doc9303.jsonl").read_text().splitlines()
]


def test_the_table_holds_every_code_of_the_standard_and_no_other():
    assert set(states()) == {case["code"] for case in VECTORS}


def test_every_code_of_iso_3166_is_a_state():
    assert all(states()[case["code"]].kind is StateKind.STATE for case in VECTORS if case["iso3166_1"])


@pytest.mark.parametrize("code", ["D", "D<<"])
def test_germany_is_found_with_its_fillers_and_without(code):
    assert state(code).name == "Germany"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("XXA", StateKind.PERSON),
        ("XXB", StateKind.PERSON),
        ("XXC", StateKind.PERSON),
        ("XXX", StateKind.PERSON),
        ("GBN", StateKind.STATUS),
        ("UNO", StateKind.ORGANISATION),
        ("XCC", StateKind.ORGANISATION),
        ("RKS", StateKind.STATE),
        ("ANT", StateKind.WITHDRAWN),
        ("IAO", StateKind.SIGNER),
    ],
)
def test_codes_beside_iso_3166_have_their_kind(code, kind):
    assert state(code).kind is kind


def test_utopia_is_a_specimen():
    assert specimens() == {"UTO"}
    assert state("UTO").is_specimen


@pytest.mark.parametrize("code", ["", "<<<", "QQQ", "uto", "D<D"])
def test_other_codes_are_none(code):
    assert state(code) is None


def test_every_code_has_a_name():
    assert all(one.name and "\t" not in one.name for one in states().values())
