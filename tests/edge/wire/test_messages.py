"""Signed messages: what is taken for which."""

from __future__ import annotations

import msgspec
import pytest

from edge.errors import ContractError
from edge.wire import commands, messages
from edge.wire.commands import Command, Desired, Reply, Reported
from edge.wire.messages import Export, Health, Receipt, Resend, Status

RECEIPT = Receipt("utopia/lane-1", "crossing", "e", 7, "0" * 64, "g", "2026-01-01T00:00:00.000Z")


def test_a_receipt_says_forked_only_when_it_is() -> None:
    assert b"forked" not in messages.encode(RECEIPT)
    assert b'"forked":true' in messages.encode(msgspec.structs.replace(RECEIPT, forked=True))


def test_the_wire_calls_the_first_sequence_of_a_resend_from() -> None:
    resend = Resend("utopia/lane-1", "crossing", "e", 5, "g", "2026-01-01T00:00:00.000Z")
    assert msgspec.json.decode(messages.encode(resend))["from"] == 5
    assert messages.decode(Resend, messages.encode(resend)) == resend


@pytest.mark.parametrize("kind", [Receipt, Resend, Status, Health, Export, Command, Reply, Desired, Reported])
@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b"null", b"\xff", b'{"kiosk":1}', b'{"q":' + b"[" * 100_000])
def test_what_is_not_the_message_is_refused_without_quoting_it(kind, payload) -> None:
    with pytest.raises(ContractError, match=f"not a {kind.__name__.lower()}"):
        messages.decode(kind, payload)


@pytest.mark.parametrize("held", ["7", 7.5, None, True])
def test_a_receipt_for_something_that_is_no_number_is_refused(held) -> None:
    payload = msgspec.json.encode({**msgspec.to_builtins(RECEIPT), "held_up_to": held})
    with pytest.raises(ContractError):
        messages.decode(Receipt, payload)


def test_each_message_is_signed_under_a_type_of_its_own() -> None:
    types = [value for name, value in [*vars(messages).items(), *vars(commands).items()] if name.endswith("_TYP")]
    assert len(set(types)) == len(types) == 10
