"""The trust list: unknown, expired, revoked and forged are four different things, and a list has an age."""

from __future__ import annotations

import base64
import hashlib
from datetime import date, timedelta

import ecdsa
import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.signature import UnsupportedKey, key_in, key_of, load_key
from edge.documents.standing import age_of, examine
from edge.documents.trust import TrustList
from edge.documents.verdict import Result, Verdict
from edge.errors import ContractError
from tests.edge.documents.pki import TODAY, Issued, issue, public_key_base64, trust_list

MESSAGE = b"a sealed message"


def examined(
    listed: TrustList | None, signer: Issued, *, today: date | None = TODAY, purpose: str = "vds", signature=None
):
    """Return what `examine` says of a message that `signer` signed."""
    signature = signer.private_key.sign(MESSAGE, ec.ECDSA(hashes.SHA256())) if signature is None else signature
    signers = () if listed is None else listed.by_key_identifier(signer.key_identifier)
    _, verdicts = examine(
        listed, signers, purpose=purpose, today=today, signed=lambda key: key.signed(signature, MESSAGE, "sha256")
    )
    return {item.check: (str(item.result), item.detail) for item in verdicts}


def test_a_listed_signer_passes_every_check():
    signer = issue("TS")
    assert examined(TrustList.from_bytes(trust_list(signer)), signer) == {
        "signature": ("ok", ""),
        "signer": ("ok", ""),
        "trust_list_age": ("ok", ""),
    }


def test_without_a_list_nothing_is_checked():
    assert examined(None, issue("TS")) == {
        "signature": ("not_done", "no trust list"),
        "signer": ("not_done", "no trust list"),
        "trust_list_age": ("not_done", "no trust list"),
    }


def test_an_unknown_signer_is_doubtful_and_not_forged():
    found = examined(TrustList.from_bytes(trust_list(issue("TS"))), issue("XX"))
    assert found["signature"] == ("doubtful", "unknown signer")
    assert found["signer"] == ("not_done", "unknown signer")


def test_a_wrong_signature_of_a_known_signer_is_forged():
    signer = issue("TS")
    found = examined(TrustList.from_bytes(trust_list(signer)), signer, signature=b"\x01" * 64)
    assert found["signature"] == ("failed", "forged")


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2025, 12, 31), ("failed", "signer not yet valid")),
        (date(2026, 1, 1), ("ok", "")),
        (date(2027, 1, 1), ("ok", "")),
        (date(2027, 1, 2), ("failed", "expired signer")),
        (None, ("not_done", "clock unset")),
    ],
)
def test_a_signer_counts_from_its_first_to_its_last_day(today: date | None, expected: tuple[str, str]):
    signer = issue("TS")
    found = examined(TrustList.from_bytes(trust_list(signer)), signer, today=today)
    assert found["signer"] == expected
    assert found["signature"] == ("ok", "")


@pytest.mark.parametrize("how", ["certificates", "serials", "key_identifiers"])
def test_a_revoked_signer_is_named_so_however_it_was_revoked(how: str):
    signer = issue("TS")
    revoked = {
        "certificates": [hashlib.sha256(signer.der).hexdigest().upper()],
        "serials": [{"country": "UT", "serial": "2a"}],
        "key_identifiers": [base64.b64encode(signer.key_identifier).decode()],
    }[how]
    found = examined(TrustList.from_bytes(trust_list(signer, revoked={how: revoked})), signer)
    assert found["signer"] == ("failed", "revoked signer")


def test_a_signer_listed_for_another_purpose_does_not_count():
    signer = issue("TS")
    listed = TrustList.from_bytes(trust_list({"certificate": signer.base64, "purposes": ["dcc"]}))
    assert examined(listed, signer, purpose="vds")["signer"] == ("failed", "signer not for this purpose")
    assert examined(listed, signer, purpose="dcc")["signer"] == ("ok", "")


def test_one_of_several_signers_with_the_same_key_identifier_is_enough():
    stranger, signer = issue("XX"), issue("TS")
    shared = base64.b64encode(signer.key_identifier).decode()
    listed = TrustList.from_bytes(trust_list({"certificate": stranger.base64, "key_identifier": shared}, signer))
    assert examined(listed, signer)["signature"] == ("ok", "")


def test_a_short_rsa_key_is_a_weak_key():
    signer = issue("TS", private_key=rsa.generate_private_key(65537, 1024))
    listed = TrustList.from_bytes(trust_list(signer))
    _, verdicts = examine(
        listed, listed.by_key_identifier(signer.key_identifier), purpose="dcc", today=TODAY, signed=lambda key: True
    )
    assert verdicts[1] == Verdict("signer", Result.DOUBTFUL, "weak key: 1024 bits")


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 12, 1), ("ok", "")),
        (date(2026, 12, 4), ("doubtful", "stale: 3 days past its date")),
        (date(2026, 10, 1), ("doubtful", "issued after today: is the clock right?")),
        (None, ("not_done", "clock unset")),
    ],
)
def test_the_age_of_the_list_is_a_verdict_of_its_own(today: date | None, expected: tuple[str, str]):
    verdict = age_of(TrustList.from_bytes(trust_list()), today)
    assert (str(verdict.result), verdict.detail) == expected


def test_a_stale_list_still_tells_right_from_forged():
    signer = issue("TS")
    listed = TrustList.from_bytes(trust_list(signer, fresh_until="2026-11-10T00:00:00Z"))
    assert examined(listed, signer)["signature"] == ("ok", "")
    assert examined(listed, signer, signature=b"")["signature"] == ("failed", "forged")


def test_an_unreadable_entry_costs_no_other():
    signer = issue("TS")
    broken = [{"certificate": "AAAA"}, {"public_key": "AAAA"}, 7, {"certificate": "not base64!"}]
    listed = TrustList.from_bytes(trust_list(*broken, signer, authorities=[{"certificate": "AAAA"}]))
    assert [item.split(":")[0] for item in listed.unreadable] == [
        "signers[0]",
        "signers[1]",
        "signers[2]",
        "signers[3]",
        "authorities[0]",
    ]
    assert examined(listed, signer)["signature"] == ("ok", "")


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b"\xff", b'{"issued_at": "soon"}', b"[" * 100_000, trust_list(revoked={"documents": ["xyz"]})],
)
def test_a_file_that_is_no_trust_list_is_refused_as_a_whole(text: bytes):
    with pytest.raises(ContractError, match="trust list"):
        TrustList.from_bytes(text)


def test_a_header_of_a_seal_finds_the_signer_by_country_name_and_serial():
    signer = issue("TS", serial=0x0227)
    listed = TrustList.from_bytes(trust_list(signer))
    for reference in ("227", "0227", "00227"):
        assert [item.state for item in listed.by_reference("UTTS", reference)] == ["UTO"]
    assert not listed.by_reference("UTTS", "228")
    assert not listed.by_reference("UTTS", "no hex")


def test_a_bare_key_needs_dates_and_is_found_by_both_names():
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    entry = {
        "public_key": public_key_base64(key),
        "key_identifier": base64.b64encode(b"identify").decode(),
        "signer_identifier": "UTTS",
        "certificate_reference": "2A",
        "not_before": "2026-01-01",
        "not_after": "2026-12-31",
    }
    listed = TrustList.from_bytes(trust_list(entry))
    assert listed.by_key_identifier(b"identify")[0].not_after == date(2026, 12, 31)
    assert listed.by_reference("UTTS", "2A") == listed.by_key_identifier(b"identify")


def test_an_authority_vouches_for_certificates_that_it_signed_and_no_others():
    authority = issue("CSCA", not_after=date(2026, 11, 30))
    impostor = issue("CSCA")
    listed = TrustList.from_bytes(trust_list(authorities=[{"certificate": authority.base64, "state": "UTO"}]))
    (signer,) = listed.by_certificate(issue("TS", issuer=authority).der)
    assert (signer.state, signer.not_after) == ("UTO", date(2026, 11, 30))
    assert not listed.by_certificate(issue("TS", issuer=impostor).der)


def test_an_rsa_authority_vouches_for_an_elliptic_signer():
    authority = issue("CSCA", private_key=rsa.generate_private_key(65537, 2048))
    listed = TrustList.from_bytes(trust_list(authorities=[{"certificate": authority.base64}]))
    assert listed.by_certificate(issue("TS", issuer=authority).der)


@pytest.mark.parametrize(
    "curve",
    [
        *(ecdsa.BRAINPOOLP224r1, ecdsa.BRAINPOOLP256r1, ecdsa.BRAINPOOLP320r1),
        *(ecdsa.BRAINPOOLP384r1, ecdsa.BRAINPOOLP512r1),
        *(ecdsa.NIST224p, ecdsa.NIST256p, ecdsa.NIST384p, ecdsa.NIST521p),
    ],
    ids=lambda curve: curve.name,
)
@pytest.mark.parametrize("form", ["explicit", "named_curve"])
def test_every_curve_of_doc_9303_is_read_named_and_with_explicit_parameters(curve: ecdsa.curves.Curve, form: str):
    private = ecdsa.SigningKey.generate(curve)
    key = load_key(private.verifying_key.to_der(curve_parameters_encoding=form))
    for encoding in (ecdsa.util.sigencode_string, ecdsa.util.sigencode_der):
        signature = private.sign(MESSAGE, hashfunc=hashlib.sha256, allow_truncate=True, sigencode=encoding)
        assert key.signed(signature, MESSAGE, "sha256")
        assert not key.signed(signature, MESSAGE + b"!", "sha256")
        assert not key.signed(signature[:-1], MESSAGE, "sha256")


def explicit_key(prime: int, a: int, b: int, generator: bytes, order: int, point: bytes) -> bytes:
    """Return a SubjectPublicKeyInfo that spells its curve out (RFC 3279, section 2.3.5)."""
    der = ecdsa.der
    size = (prime.bit_length() + 7) // 8
    parameters = der.encode_sequence(
        der.encode_integer(1),
        der.encode_sequence(der.encode_oid(1, 2, 840, 10045, 1, 1), der.encode_integer(prime)),
        der.encode_sequence(*(der.encode_octet_string(number.to_bytes(size, "big")) for number in (a, b))),
        der.encode_octet_string(generator),
        der.encode_integer(order),
        der.encode_integer(2),
    )
    algorithm = der.encode_sequence(der.encode_oid(1, 2, 840, 10045, 2, 1), parameters)
    return der.encode_sequence(algorithm, der.encode_bitstring(point, 0))


def test_explicit_parameters_of_the_forgers_own_are_refused_without_calculating():
    curve = ecdsa.BRAINPOOLP256r1
    prime, generator = curve.curve.p(), curve.generator.to_bytes("uncompressed")
    a, b = curve.curve.a() % prime, curve.curve.b()
    point = ecdsa.SigningKey.generate(curve).verifying_key.to_string("uncompressed")
    assert load_key(explicit_key(prime, a, b, generator, curve.order, point)).name == "brainpoolP256r1"
    other_generator = (curve.generator * 2).to_bytes("uncompressed")
    huge = (1 << 40_000) + 9
    for forged in (
        explicit_key(prime, a, b, other_generator, curve.order, point),
        explicit_key(prime, a, b + 1, generator, curve.order, point),
        explicit_key(prime, a, b, generator, curve.order + 2, point),
        explicit_key(huge, 5, 7, b"\x02" + b"\x03" * 5000, huge, b"\x02" + b"\x03" * 5000),
    ):
        with pytest.raises(UnsupportedKey):
            load_key(forged)


@pytest.mark.parametrize("oid", [(1, 2, 840, 14, 61, 3, 1, 7), (1, 3, 132, 0, 10), (1, 3, 101, 112)])
def test_a_curve_that_no_document_uses_is_refused(oid: tuple[int, ...]):
    der = ecdsa.der
    algorithm = der.encode_sequence(der.encode_oid(1, 2, 840, 10045, 2, 1), der.encode_oid(*oid))
    with pytest.raises(UnsupportedKey):
        load_key(der.encode_sequence(algorithm, der.encode_bitstring(b"\x04" + b"\x01" * 64, 0)))


@given(st.binary(max_size=120))
@settings(max_examples=40, deadline=None)
def test_no_bytes_make_a_key_but_those_of_one(content: bytes):
    for load in (load_key, key_in):
        with pytest.raises(UnsupportedKey):
            load(content)


def test_a_key_that_cryptography_does_not_load_is_cut_out_of_its_certificate():
    signer = issue("TS")
    signature = signer.private_key.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))

    class Foreign:
        """The certificate of a key whose curve `cryptography` does not know."""

        public_bytes = signer.certificate.public_bytes

        def public_key(self):
            raise UnsupportedAlgorithm("curve")

    assert key_of(Foreign()).signed(signature, MESSAGE, "sha256")


def test_a_day_more_or_less_between_local_time_and_utc_is_not_a_wrong_clock():
    listed = TrustList.from_bytes(trust_list())
    assert age_of(listed, date(2026, 11, 1) - timedelta(days=1)).result is Result.OK
