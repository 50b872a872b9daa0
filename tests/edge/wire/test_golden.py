"""The golden examples decode, encode again byte for byte, follow their schemas, and are signed as they say."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from pathlib import Path

import jsonschema
import msgspec
import pytest
from joserfc.jwk import OKPKey

import edge.wire
from edge.seal import Opener, Verifier
from edge.wire import messages, record
from edge.wire.schema import TYPES, schema

GOLDEN = Path(edge.wire.__file__).parent / "golden"
EXAMPLES = sorted(path.stem for path in GOLDEN.glob("*.json"))
MESSAGES = (
    "receipt", "receipt-forked", "resend", "status", "status-keys", "status-offline", "health", "health-full",
    "export", "command", "reply", "desired", "reported", "reported-in-force",
)  # fmt: skip


def golden(name: str) -> bytes:
    """Return an example without the line end of its file."""
    return (GOLDEN / f"{name}.json").read_bytes().removesuffix(b"\n")


def rfc_8037_verifier() -> Verifier:
    """Return what knows the public key of RFC 8037, appendix A.2."""
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    return Verifier([OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})])


def rfc_7748_opener() -> Opener:
    """Return what holds Bob's key of RFC 7748, section 6.1."""
    private, public = (
        urlsafe_b64encode(bytes.fromhex(key)).rstrip(b"=").decode()
        for key in (
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        )
    )
    return Opener([OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": public, "d": private})])


def test_there_is_an_example_of_every_message() -> None:
    assert {name.partition("-")[0] for name in EXAMPLES} == set(TYPES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_decodes_and_encodes_again_byte_for_byte(name) -> None:
    found = msgspec.json.decode(golden(name), type=TYPES[name.partition("-")[0]])
    assert msgspec.json.encode(found) == golden(name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_follows_its_schema(name) -> None:
    validator = jsonschema.Draft202012Validator(
        schema(name.partition("-")[0]), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    assert [error.message for error in validator.iter_errors(msgspec.json.decode(golden(name)))] == []


@pytest.mark.parametrize("name", MESSAGES)
def test_the_message_decodes_and_encodes_as_the_ends_do_it(name) -> None:
    kind = TYPES[name.partition("-")[0]]
    assert messages.encode(messages.decode(kind, golden(name))) == golden(name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_repr_of_an_example_shows_the_traveller(name) -> None:
    text = repr(msgspec.json.decode(golden(name), type=TYPES[name.partition("-")[0]]))
    assert not [value for value in ("ERIKSSON", "ANNA", "L898902C3", "1974", "12A", "UT204") if value in text]


def test_the_golden_record_is_signed_over_the_golden_claims_and_holds_the_golden_crossing() -> None:
    found = record.decode_record(golden("record"))
    assert rfc_8037_verifier().verify(found.signature, messages.RECORD_TYP) == golden("claims")
    assert record.decode_claims(golden("claims")).sha256 == record.sha256_hex(found.data)
    assert rfc_7748_opener().open(found.data) == golden("crossing")
    assert found.encode() == golden("record")


def test_the_golden_tombstone_is_signed_and_has_no_letter() -> None:
    found = record.decode_record(golden("record-tombstone"))
    payload = rfc_8037_verifier().verify(found.signature, messages.RECORD_TYP)
    assert (payload, found.data) == (golden("claims-tombstone"), "")
    assert record.decode_claims(payload).sha256 == record.sha256_hex("")


def test_the_golden_batch_is_a_chain_and_the_golden_receipt_covers_it() -> None:
    raws = record.decode_batch(golden("batch"))
    assert record.encode_batch(raws) == golden("batch")
    first, second = map(record.decode_record, raws)
    claims = record.decode_claims(rfc_8037_verifier().verify(second.signature, messages.RECORD_TYP))
    assert claims.prev == first.hash
    receipt = messages.decode(messages.Receipt, golden("receipt"))
    assert (receipt.held_up_to, receipt.hash_at) == (claims.sequence, second.hash)
    assert rfc_7748_opener().open(second.data) == golden("amendment")
