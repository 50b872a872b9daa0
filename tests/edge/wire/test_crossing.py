"""Letters: strict about codes, silent in their repr."""

from __future__ import annotations

import msgspec
import pytest

from edge.wire.crossing import Amendment, AuditEvent, Crossing, EpochStart, Evidence
from tests.edge.wire.test_golden import golden

LETTERS = {"crossing": Crossing, "amendment": Amendment, "evidence": Evidence, "audit": AuditEvent, "epoch": EpochStart}


def altered(name: str, field: str, value: object) -> bytes:
    """Return a golden letter with one field changed; `outcome.result` reaches into an object."""
    letter = msgspec.json.decode(golden(name))
    *outer, last = field.split(".")
    part = letter
    for step in outer:
        part = part[step]
    part[last] = value
    return msgspec.json.encode(letter)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("crossing", "direction", "sideways"),
        ("crossing", "lane", "roof"),
        ("crossing", "outcome.result", "refused"),
        ("crossing", "outcome.by", "machine"),
        ("crossing", "clock.state", "guessed"),
        ("crossing", "training", "no"),
        ("amendment", "kind", "rewrite"),
        ("evidence", "media_type", "image/gif"),
        ("evidence", "content", "not base64!"),
        ("epoch", "reason", "boredom"),
    ],
)
def test_a_code_that_the_contract_does_not_know_is_refused(name, field, value) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(altered(name, field, value), type=LETTERS[name])


@pytest.mark.parametrize("name", LETTERS)
def test_every_letter_repeats_kiosk_and_position(name) -> None:
    letter = msgspec.json.decode(golden(name), type=LETTERS[name])
    assert letter.position.kiosk == letter.kiosk == "utopia/lane-1"


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_may_say_more_than_this_version_knows(name) -> None:
    assert msgspec.json.decode(altered(name, "later", {"a": 1}), type=LETTERS[name])
