"""A record on the wire: what is taken, what is refused, and what the chain hashes."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ContractError
from edge.wire import record
from edge.wire.record import Claims, Record

CLAIMS = Claims(
    kiosk="utopia/lane-1",
    epoch="e",
    stream="crossing",
    sequence=7,
    prev="0" * 64,
    type=record.CROSSING,
    sha256=record.sha256_hex("letter"),
)
RECORD = record.compose("id-7", "2026-01-01T00:00:00.000Z", CLAIMS, "a.b.c", "letter")
TOO_DEEP = b"[" * 100_000


def without(raw: bytes, field: str) -> bytes:
    """Return a record without one of its fields."""
    return msgspec.json.encode({name: value for name, value in msgspec.json.decode(raw).items() if name != field})


def test_a_record_repeats_the_position_that_its_envelope_claims() -> None:
    assert (RECORD.source, RECORD.kiosk, RECORD.sequence, RECORD.type) == (
        "/utopia/lane-1", "utopia/lane-1", "7", "org.landfall.crossing.v1",
    )  # fmt: skip
    assert (CLAIMS.position.kiosk, CLAIMS.position.sequence) == ("utopia/lane-1", 7)


def test_the_hash_of_a_record_is_that_of_its_envelope() -> None:
    assert RECORD.hash == hashlib.sha256(b"a.b.c").hexdigest()


def test_a_record_survives_its_encoding() -> None:
    assert record.decode_record(RECORD.encode()) == RECORD


def test_fields_that_a_later_version_adds_are_let_pass() -> None:
    raw = msgspec.json.encode({**msgspec.json.decode(RECORD.encode()), "later": [1, {"a": None}]})
    assert record.decode_record(raw) == RECORD


@pytest.mark.parametrize("field", [name for name in Record.__struct_fields__ if name != "data"])
def test_a_record_without_one_of_its_fields_is_refused(field) -> None:
    with pytest.raises(ContractError, match="not a record"):
        record.decode_record(without(RECORD.encode(), field))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("specversion", "0.3"),
        ("source", "/utopia"),
        ("source", "/Utopia/lane-1"),
        ("source", "/a/b/c"),
        ("sequence", 7),
    ],
)
def test_a_record_with_a_wrong_field_is_refused(field, value) -> None:
    raw = msgspec.json.encode({**msgspec.json.decode(RECORD.encode()), field: value})
    with pytest.raises(ContractError):
        record.decode_record(raw)


def test_a_refusal_does_not_quote_what_was_there() -> None:
    with pytest.raises(ContractError) as refused:
        record.decode_record(b'{"specversion":"1.0","id":{"surname":"ERIKSSON"}}')
    assert "ERIKSSON" not in str(refused.value)


@pytest.mark.parametrize("raw", [b"", b"{", b"null", b"[]", b"\xff", b'{"zz":' + TOO_DEEP])
def test_what_is_no_json_object_is_refused(raw) -> None:
    for decode in (record.decode_record, record.decode_claims):
        with pytest.raises(ContractError):
            decode(raw)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[1", b"\xff", b"[" + TOO_DEEP])
def test_what_is_no_json_array_is_no_batch(raw) -> None:
    with pytest.raises(ContractError):
        record.decode_batch(raw)


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), max_size=5))
def test_a_batch_gives_back_the_very_bytes_that_were_put_in(records) -> None:
    raws = [msgspec.json.encode(one) for one in records]
    assert record.decode_batch(record.encode_batch(raws)) == raws


def test_one_bad_record_does_not_hide_the_others_of_its_batch() -> None:
    assert record.decode_batch(b'[{"a":1},5,{"b":2}]') == [b'{"a":1}', b"5", b'{"b":2}']


def test_letters_and_envelopes_are_ascii() -> None:
    with pytest.raises(ContractError, match="ASCII"):
        record.sha256_hex("é")


def test_claims_leave_out_what_only_tombstones_say() -> None:
    assert b"replaces" not in record.encode_claims(CLAIMS)
    assert record.decode_claims(record.encode_claims(CLAIMS)) == CLAIMS


def test_a_repr_shows_no_letter() -> None:
    assert "letter" not in repr(RECORD) and "a.b.c" not in repr(RECORD)
