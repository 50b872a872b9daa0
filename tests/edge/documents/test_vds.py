"""Visible digital seals: the worked examples of the guideline, own signed seals on every curve, and broken ones."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import ecdsa
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents import vds
from edge.documents.trust import TrustList
from edge.documents.vds import c40
from edge.documents.vds.features import PROFILES, element
from tests.edge.documents.pki import TODAY, Issued, issue, public_key_base64, results, trust_list

PUBLIC_CASES = [
    json.loads(line) for line in (Path(__file__).parents[2] / "vectors" / "vds-public.jsonl").read_text().splitlines()
]
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"
MRV_A = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4UTO7408122F2704151<<<<<<<<<<<<<<<<"
MRV_B = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4UTO7408122F2704151<<<<<<<<"
HEADER = {
    "version": 4,
    "issuing_country": "UTO",
    "signer_identifier": "UTTS",
    "certificate_reference": "2A",
    "document_issue_date": "2026-10-01",
    "signature_creation_date": "2026-10-02",
}
PERMIT = {
    **HEADER,
    "document_type": "residence_permit",
    "machine_readable_zone": TD2,
    "passport_number": "UFO001979",
}
VISA = {
    **HEADER,
    "document_type": "visa",
    "machine_readable_zone": MRV_B,
    "number_of_entries": 2,
    "duration_of_stay": {"days": 90, "months": 0, "years": 0},
    "passport_number": "L898902C3",
    "visa_type": "0A01",
}
SIGNER = issue("TS", serial=0x2A)


def listed(*signers: Any, **more: Any) -> TrustList:
    return TrustList.from_bytes(trust_list(*signers or (SIGNER,), **more))


def read(seal: bytes | str, **more: Any) -> Any:
    return vds.parse(seal, **{"today": TODAY, "trust": listed(), **more})


def fields_of(document: Any) -> dict[str, Any]:
    return {name: value for name, value in document.fields.items() if name != "mrz"}


def sealed(fields: dict[str, Any] = PERMIT, signer: Issued = SIGNER) -> bytes:
    return vds.encode(fields, signer.private_key)


@pytest.mark.parametrize("case", PUBLIC_CASES, ids=lambda case: case["source"][-20:])
def test_public_seals_hold_the_fields_that_their_source_says(case: dict[str, Any]):
    document = vds.parse(bytes.fromhex(case["seal"]), today=date(2023, 9, 1))
    assert fields_of(document) == case["fields"]
    found = results(document)
    assert [found[check][0] for check in ("encoding", "header", "document_type", "features", "dates")] == ["ok"] * 5
    assert found["signature"] == ("not_done", "no trust list")


@pytest.mark.parametrize("case", PUBLIC_CASES, ids=lambda case: case["source"][-20:])
def test_public_seals_are_written_again_byte_for_byte(case: dict[str, Any]):
    seal = bytes.fromhex(case["seal"])
    assert seal.startswith(vds.encode_unsigned(case["fields"]) + b"\xff")


@pytest.mark.parametrize(("text", "encoded"), [("XK<CD", "eb0466a9"), ("XKCD", "eb11fe45"), ("BSI01", "62d719c9")])
def test_c40_examples_of_the_guideline(text: str, encoded: str):
    assert c40.encode(text).hex() == encoded
    assert c40.decode(bytes.fromhex(encoded)) == text.replace("<", " ")


def test_c40_reads_what_other_encoders_write_with_shifts():
    shift_2, shift_3 = 1, 2
    values = [14, shift_3, 1, shift_2, 12, 4]  # A, then a, then -, then 0
    packed = [1600 * values[i] + 40 * values[i + 1] + values[i + 2] + 1 for i in (0, 3)]
    assert c40.decode(b"".join(number.to_bytes(2, "big") for number in packed)) == "Aa-0"


@pytest.mark.parametrize("encoded", ["00", "0000", "ffff", "fe00", "feff", "fa01", "0c5d"])
def test_c40_refuses_what_is_no_c40(encoded: str):
    with pytest.raises(ValueError, match=r"C40|unlatch|shift"):
        c40.decode(bytes.fromhex(encoded))


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ", max_size=60))
@settings(max_examples=50)
def test_c40_gives_back_what_was_written(text: str):
    encoded = c40.encode(text)
    assert c40.decode(encoded) == text
    assert len(encoded) == (len(text) + 2) // 3 * 2


def test_everything_is_ok_of_a_good_seal():
    document = read(sealed(VISA))
    assert document.kind == "VDS"
    assert tuple(results(document)) == vds.CHECKS
    assert {check: found for check, found in results(document).items() if found[0] != "ok"} == {
        "mrz": ("doubtful", "specimen")
    }
    assert fields_of(document) == VISA
    assert document.fields["mrz"]["primary_identifier"] == "ERIKSSON"


@pytest.mark.parametrize(
    "curve",
    [
        *(ec.SECP224R1(), ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()),
        *(ec.BrainpoolP256R1(), ec.BrainpoolP384R1(), ec.BrainpoolP512R1()),
    ],
    ids=lambda curve: curve.name,
)
def test_every_curve_that_cryptography_knows_seals_and_verifies(curve: ec.EllipticCurve):
    signer = issue("TS", private_key=ec.generate_private_key(curve))
    assert results(read(sealed(PERMIT, signer), trust=listed(signer)))["signature"] == ("ok", "")


@pytest.mark.parametrize("form", ["named_curve", "explicit"])
@pytest.mark.parametrize(
    ("curve", "digest"),
    [(ecdsa.BRAINPOOLP224r1, hashlib.sha224), (ecdsa.BRAINPOOLP256r1, hashlib.sha256)],
    ids=["brainpoolP224r1", "brainpoolP256r1"],
)
def test_seals_like_those_of_german_visa_stickers_verify(curve: Any, digest: Any, form: str):
    """BSI TR-03137 uses brainpoolP224r1, Doc 9303-12 explicit parameters; `cryptography` reads neither."""
    private = ecdsa.SigningKey.generate(curve)
    message = vds.encode_unsigned(VISA)
    seal = message + element(0xFF, private.sign(message, hashfunc=digest))
    key = private.verifying_key.to_der(curve_parameters_encoding=form)
    entry = {
        "public_key": base64.b64encode(key).decode(),
        "state": "UTO",
        "signer_identifier": "UTTS",
        "certificate_reference": "2a",
        "not_before": "2026-01-01",
        "not_after": "2027-01-01",
    }
    assert results(read(seal, trust=listed(entry)))["signature"] == ("ok", "")
    forged = seal[:-1] + bytes([seal[-1] ^ 1])
    assert results(read(forged, trust=listed(entry)))["signature"] == ("failed", "forged")


def test_one_wrong_byte_anywhere_is_never_ok():
    seal = sealed()
    for position in range(len(seal)):
        broken = bytearray(seal)
        broken[position] ^= 0x01
        assert results(read(bytes(broken)))["signature"][0] != "ok", position


def test_a_changed_passport_number_is_forged_and_still_shown():
    other = vds.encode_unsigned({**PERMIT, "passport_number": "UFO001978"})
    seal = sealed()
    document = read(other + seal[len(other) :])
    assert results(document)["signature"] == ("failed", "forged")
    assert results(document)["signer"] == ("ok", "")
    assert document.fields["passport_number"] == "UFO001978"


def test_unknown_expired_and_revoked_signers_are_told_apart():
    expired = issue("TS", not_after=date(2026, 11, 1))
    revoked = {"serials": [{"country": "UT", "serial": "2A"}]}
    stranger = issue("XX")
    assert results(read(sealed(), trust=listed(stranger)))["signature"] == ("doubtful", "unknown signer")
    assert results(read(sealed(), trust=listed(stranger)))["signer"] == ("not_done", "unknown signer")
    assert results(read(sealed(PERMIT, expired), trust=listed(expired)))["signer"] == ("failed", "expired signer")
    assert results(read(sealed(), trust=listed(SIGNER, revoked=revoked)))["signer"] == ("failed", "revoked signer")
    assert results(read(sealed(), trust=listed(SIGNER, revoked=revoked)))["signature"] == ("ok", "")


def test_a_stale_list_is_said_beside_a_good_signature():
    found = results(read(sealed(), trust=listed(SIGNER, fresh_until="2026-11-20T00:00:00Z")))
    assert found["trust_list_age"] == ("doubtful", "stale: 2 days past its date")
    assert found["signature"] == ("ok", "")


def test_a_signer_of_one_state_cannot_seal_for_another():
    found = results(read(sealed({**PERMIT, "issuing_country": "D"})))
    assert found["signature"] == ("ok", "")
    assert found["issuing_country"] == ("failed", "the signer is of another state")


@pytest.mark.parametrize(
    ("signed", "today", "expected"),
    [
        ("2026-11-23", TODAY, ("ok", "")),
        ("2026-11-25", TODAY, ("failed", "issued or signed after today")),
        ("2025-12-31", TODAY, ("doubtful", "signed outside the validity of the signer")),
        ("2026-11-25", None, ("not_done", "clock unset")),
    ],
)
def test_the_signature_date_lies_before_today_and_within_the_signers_time(
    signed: str, today: date | None, expected: tuple[str, str]
):
    seal = sealed({**PERMIT, "signature_creation_date": signed})
    assert results(read(seal, today=today))["dates"] == expected


@pytest.mark.parametrize("reference", ["2A", "02A", "0002A"])
@pytest.mark.parametrize("version", [3, 4])
def test_leading_zeros_of_the_reference_do_not_matter(version: int, reference: str):
    document = read(sealed({**PERMIT, "version": version, "certificate_reference": reference}))
    assert results(document)["signature"] == ("ok", "")
    assert document.fields["certificate_reference"] == (reference.rjust(5, "0") if version == 3 else reference)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 16, 40])
def test_references_of_version_4_have_the_length_that_the_header_says(length: int):
    fields = {**PERMIT, "certificate_reference": "A" * length}
    assert fields_of(read(sealed(fields))) == fields


def test_version_4_with_a_reference_as_in_version_3_is_read_and_said():
    as_version_3 = vds.encode_unsigned({**PERMIT, "version": 3, "certificate_reference": "12345"})
    document = read(b"\xdc\x03" + as_version_3[2:])
    assert document.fields["certificate_reference"] == "12345"
    assert results(document)["header"] == ("ok", "certificate reference as in version 3")
    assert results(document)["features"] == ("ok", "")


def test_a_reference_whose_length_is_decimal_is_read_and_said():
    # VdsRawBytesCommon.kt (tsenger/vdstools): meldebescheinigung, of the German administrative trust service
    seal = bytes.fromhex(
        "dc036abc6d38dbdf58c6724b3412777034bb3a2f5834724919da47cb59614e76094e760901c800109a4223406d374ef99e2cf95e31a23846"
        "040a4d75737465726d616e6e050344722e06054572696b61ff407b423fbac54a00d992faec76b70966dbfb611f67da6ff83d3bcf8b64ffed"
        "e2be2201169de7fb866f048df6e2cd1528767d8d633720465396e64681e3a49ec74d"
    )
    document = vds.parse(seal, today=TODAY)
    assert document.fields["certificate_reference"] == "A41E7E495F0B4DE58AA0FE7C01D7FEA8"
    assert document.fields["document_issue_date"] == "2025-05-14"
    assert results(document)["header"] == ("ok", "length of the certificate reference is decimal")


def test_both_visa_formats_find_their_own_tag():
    for zone, tag in ((MRV_A, 1), (MRV_B, 2)):
        seal = sealed({**VISA, "machine_readable_zone": zone})
        assert seal[18] == tag
        assert read(seal).fields["machine_readable_zone"] == zone


@pytest.mark.parametrize("mangle", [lambda seal: seal.decode("latin-1"), lambda seal: seal.decode("latin-1").encode()])
def test_seals_that_a_reader_sent_as_text_are_turned_back(mangle: Any):
    document = read(mangle(sealed()))
    assert results(document)["signature"] == ("ok", "")
    assert results(document)["encoding"][0] == "ok"
    assert results(document)["encoding"][1] != ""


def test_text_that_lost_bytes_is_refused():
    found = results(read("\xdc\x03\ufffd"))
    assert found["encoding"] == ("failed", "bytes were lost on the way: not Latin-1")


@pytest.mark.parametrize(("rest", "expected"), [(b"\r\n", ("ok", "")), (b"\x81\x00", "2 bytes after the signature")])
def test_line_ends_behind_the_signature_are_the_readers_and_other_bytes_are_said(rest: bytes, expected: Any):
    found = results(read(sealed() + rest))
    assert found["encoding"] == (expected if isinstance(expected, tuple) else ("doubtful", expected))
    assert found["signature"] == ("ok", "")


def test_features_without_a_name_are_kept_and_harm_nothing():
    message = vds.encode_unsigned(PERMIT) + element(0x63, b"\x01\x02")
    r, s = utils.decode_dss_signature(SIGNER.private_key.sign(message, ec.ECDSA(hashes.SHA256())))
    document = read(message + element(0xFF, r.to_bytes(32, "big") + s.to_bytes(32, "big")))
    assert document.fields["unknown_features"] == {"63": "0102"}
    assert results(document)["features"] == ("ok", "")
    assert results(document)["signature"] == ("ok", "")


def test_an_unknown_kind_of_document_keeps_its_features_by_tag():
    seal = bytearray(sealed())
    seal[16:18] = b"\xaa\xbb"
    document = read(bytes(seal))
    assert results(document)["document_type"] == ("doubtful", "unknown type AABB")
    assert set(document.fields["unknown_features"]) == {"02", "03"}


def test_long_features_have_der_lengths():
    value = bytes(200)
    seal = sealed({**VISA, "additional_feature": value.hex()})
    assert b"\x07\x81\xc8" + value in seal
    assert read(seal).fields["additional_feature"] == value.hex()


def test_a_message_zone_that_is_cut_off_never_passes():
    message = vds.encode_unsigned(PERMIT)
    for cut in range(18, len(message)):
        found = results(read(message[:cut]))
        assert found["features"][0] == "failed", cut
    assert results(read(message))["signature"] == ("failed", "unsigned: no whole signature zone")


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        (element(2, b"\0" * 48), "machine_readable_zone: no C40 value; passport_number: missing"),
        (element(3, b"\xeb\x04"), "passport_number: 2 bytes instead of 6; machine_readable_zone: missing"),
        (element(3, b"\xd7\x95\x19\xa6\x53\x06") * 2, "passport_number: twice; machine_readable_zone: missing"),
        (b"", "machine_readable_zone: missing; passport_number: missing"),
        (b"\x02\x80", "a length that is not DER"),
        (b"\x02\x7f\x00", "tag 02 is cut off"),
    ],
)
def test_one_bad_feature_is_named_and_the_others_stay(message: bytes, detail: str):
    header = vds.encode_unsigned(PERMIT)[:18]
    found = results(read(header + message))
    assert found["features"][0] == "failed"
    assert found["features"][1].startswith(detail)
    assert found["signature"] == ("failed", "unsigned: no whole signature zone")


@pytest.mark.parametrize("cut", range(2, 18))
def test_a_header_that_is_cut_off_fails_and_nothing_else_is_claimed(cut: int):
    document = read(sealed()[:cut])
    assert results(document)["header"][0] == "failed"
    assert results(document)["signature"] == ("not_done", "not reached")


def test_what_is_no_seal_is_unknown():
    for payload in (b"", b"\xdc", b"\xdc\x07" + bytes(40), b"M1ERIKSSON", "", b"\xdc" * 70_000):
        document = read(payload)
        assert document.kind == "unknown"
        assert tuple(results(document)) == vds.CHECKS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"document_type": "passport"}, "document_type must be one of"),
        ({"version": 2}, "version must be 3 or 4"),
        ({"signer_identifier": "UT"}, "signer_identifier"),
        ({"issuing_country": ""}, "issuing_country"),
        ({"certificate_reference": ""}, "certificate_reference"),
        ({"version": 3, "certificate_reference": "123456"}, "certificate_reference"),
        ({"document_issue_date": "01.10.2026"}, "document_issue_date must be a full-date"),
        ({"passport_number": "lower"}, "passport_number cannot be written as C40"),
        ({"passport_number": "A" * 10}, "passport_number takes 8 bytes instead of 6"),
        ({"passport_number": 7}, "passport_number cannot be written"),
        ({"machine_readable_zone": "I<UTO"}, "machine_readable_zone cannot be written"),
    ],
)
def test_encode_names_the_field_that_is_wrong(change: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        vds.encode_unsigned({**PERMIT, **change})


def test_encode_wants_every_required_feature():
    with pytest.raises(ValueError, match="passport_number is missing"):
        vds.encode_unsigned({name: value for name, value in PERMIT.items() if name != "passport_number"})


def test_no_verdict_and_no_repr_quotes_the_document():
    document = read(sealed())
    said = repr(document) + repr(document.verdicts)
    assert not any(word in said for word in ("ERIKSSON", "UFO001979", "D23145890", "7408122"))


def test_a_bare_key_in_the_list_is_enough():
    entry = {
        "public_key": public_key_base64(SIGNER.private_key),
        "signer_identifier": "UTTS",
        "certificate_reference": "2A",
        "not_before": "2026-01-01",
        "not_after": "2027-01-01",
    }
    found = results(read(sealed(), trust=listed(entry)))
    assert found["signature"] == ("ok", "")
    assert found["issuing_country"] == ("not_done", "state of the signer not known")


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xdc\x02", b"\xdc\x03", sealed()[:18], sealed()[:40]]))
@settings(max_examples=80, deadline=None)
def test_no_bytes_raise(payload: bytes, start: bytes):
    document = read(start + payload)
    assert tuple(results(document)) == vds.CHECKS
    json.dumps(document.fields)


_C40_TEXT = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=9)


@given(
    st.sampled_from([item for item in PROFILES.values() if "sticker" in item.name]),
    _C40_TEXT,
    st.text("0123456789", min_size=8, max_size=9),
    st.text("ABC 0123456789", min_size=8, max_size=25),
)
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read_again(profile: Any, number: str, code: str, address: str):
    third = profile.features[2].name
    fields = {
        **HEADER,
        "document_type": profile.name,
        "document_number": number,
        "municipality_code": code,
        third: address.strip().ljust(8, "X") if third == "residential_address" else "12345",
    }
    assert read(sealed(fields)).fields == fields
