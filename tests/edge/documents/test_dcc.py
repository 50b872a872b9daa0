"""The EU certificate: the public cases of the EU, what the health switch hides, and hostile codes."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import base45
import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents import dcc
from edge.documents.cwt import ES256, LONGEST_CWT, Cwt
from edge.documents.trust import TrustList
from tests.edge.documents.pki import TODAY, Issued, issue, results, trust_list

PUBLIC_CASES = [
    json.loads(line) for line in (Path(__file__).parents[2] / "vectors" / "dcc-public.jsonl").read_text().splitlines()
]
# What the EU's cases call a step, and the checks that take it here.
EXPECTED = {
    "EXPECTEDUNPREFIX": ("prefix",),
    "EXPECTEDB45DECODE": ("base45",),
    "EXPECTEDCOMPRESSION": ("compression",),
    "EXPECTEDDECODE": ("cose", "claims"),
    "EXPECTEDVERIFY": ("signature",),
    "EXPECTEDSCHEMAVALIDATION": ("schema",),
    "EXPECTEDEXPIRATIONCHECK": ("issued_at", "expiry"),
    "EXPECTEDKEYUSAGE": ("key_usage",),
}
RECOVERY = {
    "ver": "1.3.0",
    "nam": {"fn": "Eriksson", "fnt": "ERIKSSON", "gn": "Anna Maria", "gnt": "ANNA<MARIA"},
    "dob": "1974-08-12",
    "r": [{"tg": "840539006", "co": "UT", "is": "Utopia", "ci": "URN:UVCI:01:UT:187/37512422923#Z"}],
}
SIGNER = issue("DCC", usages=())


def sealed(certificate: Any = RECOVERY, signer: Issued = SIGNER, **more: Any) -> str:
    """Return the text of a certificate that is valid today."""
    times = {"issued_at": datetime(2026, 11, 1, tzinfo=UTC), "expires_at": datetime(2027, 1, 1, tzinfo=UTC)}
    named = {"private_key": signer.private_key, "key_identifier": signer.key_identifier, "issuer": "UT"}
    return dcc.encode(certificate, **{**times, **named, **more})


def listed(*signers: Any, **more: Any) -> TrustList:
    return TrustList.from_bytes(trust_list(*signers or (SIGNER,), **more))


def read(text: str | bytes, **more: Any) -> Any:
    return dcc.parse(text, **{"today": TODAY, "trust": listed(), **more})


@pytest.mark.parametrize("case", PUBLIC_CASES, ids=lambda case: case["source"].split(":")[1].replace("2DCode/raw/", ""))
def test_the_public_cases_of_the_eu_come_out_as_expected(case: dict[str, Any]):
    clock = datetime.fromisoformat(case["input"]["validation_clock"].replace("Z", "+00:00"))
    trust = TrustList.from_bytes(trust_list({"certificate": case["input"]["certificate"]}))
    document = dcc.parse(case["input"]["prefix"], today=clock.date(), trust=trust, health=True)
    found = results(document)
    wanted = case["expected"]["results"]
    assert {step: all(found[check][0] == "ok" for check in EXPECTED[step]) for step in wanted if step in EXPECTED} == {
        step: value for step, value in wanted.items() if step in EXPECTED
    }
    content = case["expected"]["json"]
    if content and wanted.get("EXPECTEDVALIDJSON"):
        assert document.fields["health"] == {kind: content[kind] for kind in "vtr" if content.get(kind)}
        assert document.fields["surname"] == content["nam"]["fn"]
        assert document.fields["date_of_birth"] == content["dob"]
        assert document.fields["issuer"] == case["calc"]["iss"]


def test_everything_is_ok_of_a_good_certificate():
    document = read(sealed(), health=True)
    assert {result for result, _ in results(document).values()} == {"ok"}
    assert tuple(results(document)) == dcc.CHECKS
    assert document.fields == {
        "issuer": "UT",
        "issued_at": "2026-11-01T00:00:00Z",
        "expires_at": "2027-01-01T00:00:00Z",
        "surname": "Eriksson",
        "forename": "Anna Maria",
        "primary_identifier": "ERIKSSON",
        "secondary_identifier": "ANNA MARIA",
        "date_of_birth": "1974-08-12",
        "health": {"r": RECOVERY["r"]},
    }


def test_health_content_stays_closed_unless_switched_on():
    kinds = [{**{key: RECOVERY[key] for key in ("ver", "nam", "dob")}, kind: RECOVERY["r"]} for kind in "vtr"]
    documents = [read(sealed(certificate)) for certificate in kinds]
    assert results(documents[0])["health_content"] == ("not_done", "switched off")
    assert "health" not in documents[0].fields
    assert documents[0] == documents[1] == documents[2], "a vaccination, a test and a recovery must look the same"


def test_one_wrong_byte_anywhere_is_never_ok():
    cose = zlib.decompress(base45.b45decode(sealed()[4:]))
    for position in range(0, len(cose), 7):
        broken = bytearray(cose)
        broken[position] ^= 0x01
        found = results(read("HC1:" + base45.b45encode(zlib.compress(bytes(broken))).decode()))
        assert found["signature"][0] != "ok", position


def test_a_changed_claim_is_forged():
    other = {**RECOVERY, "dob": "1975-08-12"}
    signed, forged = (zlib.decompress(base45.b45decode(sealed(item)[4:])) for item in (RECOVERY, other))
    with_old_signature = forged[:-64] + signed[-64:]
    found = results(read("HC1:" + base45.b45encode(zlib.compress(with_old_signature)).decode()))
    assert found["signature"] == ("failed", "forged")
    assert found["signer"] == ("ok", "")


def test_unknown_expired_and_revoked_signers_are_told_apart():
    old = issue("OLD", not_after=date(2026, 11, 1))
    revoked = {"certificates": [hashlib.sha256(SIGNER.der).hexdigest()]}
    assert results(read(sealed(signer=issue("NEW"))))["signature"] == ("doubtful", "unknown signer")
    assert results(read(sealed(signer=old), trust=listed(old)))["signer"] == ("failed", "expired signer")
    assert results(read(sealed(), trust=listed(SIGNER, revoked=revoked)))["signer"] == ("failed", "revoked signer")


def test_a_single_certificate_can_be_revoked_by_each_hash_of_the_gateway():
    text = sealed()
    signature = zlib.decompress(base45.b45decode(text[4:]))[-64:]
    identifier = RECOVERY["r"][0]["ci"]
    for value in (identifier.encode(), ("UT" + identifier).encode(), signature[:32]):
        revoked = {"documents": [hashlib.sha256(value).digest()[:16].hex()]}
        found = results(read(text, trust=listed(SIGNER, revoked=revoked)))
        assert found["revocation"] == ("failed", "revoked")
        assert found["signature"] == ("ok", "")


def test_without_list_and_clock_the_content_still_comes_out():
    document = dcc.parse(sealed(), today=None)
    found = results(document)
    assert found["signature"] == ("not_done", "no trust list")
    assert found["expiry"] == found["issued_at"] == ("not_done", "clock unset")
    assert document.fields["primary_identifier"] == "ERIKSSON"


@pytest.mark.parametrize(
    ("issued", "expires", "check", "expected"),
    [
        ("2026-11-22", "2026-11-23", "expiry", ("ok", "")),
        ("2026-11-01", "2026-11-22", "expiry", ("doubtful", "expires today; the hour decides")),
        ("2026-11-01", "2026-11-21", "expiry", ("failed", "expired")),
        ("2026-11-23", "2026-12-01", "issued_at", ("doubtful", "issued on the next day in UTC")),
        ("2026-11-24", "2026-12-01", "issued_at", ("failed", "issued after today")),
    ],
)
def test_issue_and_expiry_are_compared_with_today(issued: str, expires: str, check: str, expected: tuple[str, str]):
    times = {"issued_at": f"{issued}T12:00:00+00:00", "expires_at": f"{expires}T12:00:00+00:00"}
    text = sealed(**{name: datetime.fromisoformat(value) for name, value in times.items()})
    assert results(read(text))[check] == expected


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("1974-08-12", "1974-08-12"),
        ("1974-08", "1974-08-XX"),
        ("1974", "1974-XX-XX"),
        ("1974-08-12T00:00:00", "1974-08-12"),
        ("", None),
    ],
)
def test_partial_birth_dates_stay_partial(printed: str, expected: str | None):
    document = read(sealed({**RECOVERY, "dob": printed}))
    assert document.fields.get("date_of_birth") == expected
    assert results(document)["schema"] == ("ok", "")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"dob": "12.08.1974"}, "dob"),
        ({"dob": "1974-02-29"}, "dob"),
        ({"nam": {"fn": "Eriksson"}}, "nam.fnt"),
        ({"nam": {"fnt": "eriksson"}}, "nam.fnt"),
        ({"ver": 1}, "ver"),
        ({"v": RECOVERY["r"]}, "one entry"),
        ({"r": []}, "one entry"),
        ({"nam": 7, "dob": 7}, "nam.fnt, dob"),
    ],
)
def test_what_the_schema_asks_for_is_named_and_costs_nothing_else(change: dict[str, Any], detail: str):
    document = read(sealed({**RECOVERY, **change}))
    assert results(document)["schema"] == ("failed", f"missing or malformed: {detail}")
    assert document.fields["issuer"] == "UT"
    assert results(document)["signature"] == ("ok", "")


def test_rsa_signers_sign_with_ps256():
    signer = issue("RSA", private_key=rsa.generate_private_key(65537, 2048))
    text = sealed(signer=signer)
    assert results(read(text, trust=listed(signer)))["signature"] == ("ok", "")


def compressed(content: bytes) -> str:
    return "HC1:" + base45.b45encode(zlib.compress(content)).decode()


def envelope(cose: Any) -> str:
    return compressed(cbor2.dumps(cose))


def test_a_certificate_may_be_tagged_as_cwt_as_cose_or_not_at_all():
    tagged = cbor2.loads(zlib.decompress(base45.b45decode(sealed()[4:])))
    bare = [tagged.value[0], {}, tagged.value[2], tagged.value[3]]
    for cose in (bare, cbor2.CBORTag(18, bare), cbor2.CBORTag(61, cbor2.CBORTag(18, bare)), cbor2.CBORTag(61, bare)):
        assert results(read(envelope(cose)))["signature"] == ("ok", "")


def test_an_algorithm_that_the_eu_does_not_use_is_not_checked():
    protected = cbor2.dumps({1: -8, 4: SIGNER.key_identifier})
    found = results(read(envelope([protected, {}, b"\xa0", b"\0" * 64])))
    assert found["signature"] == ("not_done", "unsupported algorithm")


def test_a_signature_in_der_is_not_one_of_cose():
    message = Cwt(cbor2.dumps({1: ES256, 4: SIGNER.key_identifier}), ES256, SIGNER.key_identifier, b"\xa0", b"")
    signature = SIGNER.private_key.sign(message.to_be_signed(), ec.ECDSA(hashes.SHA256()))
    found = results(read(envelope([message.protected, {}, b"\xa0", signature])))
    assert found["signature"] == ("failed", "forged")


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 0


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("", "prefix"),
        (b"\xff\xfe", "prefix"),
        ("HC2:ABC", "prefix"),
        ("HC1:" + "0" * 65536, "prefix"),
        ("HC1:", "compression"),
        ("HC1:A", "base45"),
        ("HC1:ä", "base45"),
        ("HC1:" + base45.b45encode(zlib.compress(b"\0" * 10_000_000)[:2000]).decode(), "compression"),
        (compressed(b"\0" * LONGEST_CWT * 2), "compression"),
        ("HC1:" + base45.b45encode(zlib.compress(b"abc")[:-2]).decode(), "compression"),
        (compressed(b"\x81" * 1000 + b"\x00"), "cose"),
        (envelope({}), "cose"),
        (envelope([b"\xff", {}, b"", b""]), "cose"),
        (envelope([b"", {}, b"\xff", b""]), "claims"),
        (envelope([b"", {}, cbor2.dumps({-260: {1: 2**200}}), b""]), "claims"),
        (envelope([b"", {}, cbor2.dumps({-260: {1: {"a": 2**200}}}), b""]), "claims"),
        (envelope([b"", {}, cbor2.dumps({-260: {1: {1: 1}}}), b""]), "claims"),
        (envelope([b"", {}, cbor2.dumps({-260: {1: {"a": nested(10)}}}), b""]), "claims"),
        (envelope([b"", {}, bytes.fromhex("c5821b7fffffffffffffff01"), b""]), "claims"),
        (envelope([b"", {}, bytes.fromhex("d81c81d81d00"), b""]), "claims"),
    ],
)
def test_a_broken_or_hostile_code_fails_at_its_layer_and_the_rest_is_not_done(text: str | bytes, check: str):
    document = dcc.parse(text, today=TODAY, trust=listed())
    found = results(document)
    assert found[check][0] == "failed"
    assert found["signature"][0] != "ok"
    assert document.kind == ("unknown" if check == "prefix" else "DCC")


def test_line_ends_of_a_reader_do_not_matter():
    assert results(read(sealed() + "\r\n")) == results(read(sealed().encode()))
    assert results(read(f"\r\n {sealed()}")) == results(read(sealed().encode()))
    assert results(read(sealed() + "\t\x03\x00")) == results(read(sealed()))


def test_a_reader_that_sends_lower_case_changes_nothing():
    assert results(read(sealed().lower())) == results(read(sealed()))


def test_encode_refuses_keys_that_no_dcc_is_signed_with():
    with pytest.raises(ValueError, match="P-256"):
        sealed(private_key=ec.generate_private_key(ec.SECP384R1()))


def test_no_verdict_and_no_repr_quotes_the_person():
    document = read(sealed({**RECOVERY, "dob": "1974-99-99"}), health=True)
    said = repr(document) + repr(document.verdicts)
    assert not any(word in said for word in ("Eriksson", "ERIKSSON", "1974", "URN:UVCI", "840539006"))


@given(
    st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda content: b"HC1:" + base45.b45encode(content)))
)
@settings(max_examples=60)
def test_no_bytes_raise(payload: bytes):
    assert tuple(results(dcc.parse(payload, today=TODAY))) == dcc.CHECKS


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["ver", "nam", "dob", "v", "t", "r", "x"]), _json))
@settings(max_examples=60, deadline=None)
def test_whatever_a_trusted_signer_signs_is_read_or_refused_but_never_raises(certificate: dict[str, Any]):
    document = read(sealed(certificate), health=True)
    found = results(document)
    assert found["signature"] == ("ok", "")
    assert base64.b64encode(json.dumps(document.fields).encode())
