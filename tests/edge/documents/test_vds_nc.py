"""VDS-NC: ICAO's worked example, own seals, what the health switch hides, and JSON that means harm."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents import vds_nc
from edge.documents.trust import TrustList
from tests.edge.documents.pki import TODAY, Issued, issue, results, trust_list

WORKED_EXAMPLE = (Path(__file__).parents[2] / "vectors" / "vds-nc-worked-example.json").read_bytes()
USAGE = ("2.23.136.1.1.14.2",)
HEADER = {"t": "icao.vacc", "v": 1, "is": "UTO"}
VACCINATION = {
    "uvci": "U32870",
    "pid": {"n": "ERIKSSON ANNA MARIA", "dob": "1974-08-12", "sex": "F", "i": "L898902C3"},
    "ve": [{"des": "XM68M6", "nam": "Specimen", "dis": "RA01.0"}],
}
TEST = {
    "utci": "U32870",
    "pid": {"n": "ERIKSSON ANNA MARIA", "dob": "1974-08-12", "dt": "P", "dn": "L898902C3"},
    "tr": {"tc": "molecular(PCR)", "r": "normal"},
}
SIGNER = issue("NV", usages=USAGE)
NO_CERTIFICATE = ("failed", "no certificate with a known key in sig.cer")
NO_BIRTH = ("failed", "missing or malformed: pid.dob")


def listed(*signers: Any, **more: Any) -> TrustList:
    return TrustList.from_bytes(trust_list(*signers or (SIGNER,), **more))


def sealed(header: Any = HEADER, message: Any = VACCINATION, signer: Issued = SIGNER) -> bytes:
    return vds_nc.encode(header, message, private_key=signer.private_key, certificate=signer.der)


def read(seal: bytes | str, **more: Any) -> Any:
    return vds_nc.parse(seal, **{"today": TODAY, "trust": listed(), **more})


def test_the_worked_example_of_icao_verifies_with_its_listed_certificate():
    der = base64.urlsafe_b64decode(json.loads(WORKED_EXAMPLE)["sig"]["cer"] + "==")
    entry = {"certificate": base64.b64encode(der).decode(), "state": "UTO"}
    dates = {"not_before": "2021-04-07", "not_after": "2026-10-07"}
    document = read(WORKED_EXAMPLE, today=date(2026, 10, 1), trust=listed({**entry, **dates}), health=True)
    found = results(document)
    assert found["certificate"] == ("doubtful", "not as RFC 5280 has it")
    assert found["signature"] == found["signer"] == found["issuing_state"] == ("ok", "")
    assert document.fields["health"]["ve"][0]["vd"][1]["lot"] == "VC87540"
    assert document.fields["date_of_birth"] == "1990-01-02"


def test_everything_is_ok_of_a_good_seal():
    document = read(sealed(), health=True)
    assert document.kind == "VDS-NC"
    assert tuple(results(document)) == vds_nc.CHECKS
    assert {result for result, _ in results(document).values()} == {"ok"}
    assert document.fields == {
        "issuing_state": "UTO",
        "type": "icao.vacc",
        "version": 1,
        "name": "ERIKSSON ANNA MARIA",
        "date_of_birth": "1974-08-12",
        "sex": "F",
        "document_number": "L898902C3",
        "health": {"uvci": "U32870", "ve": VACCINATION["ve"]},
    }


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER, VACCINATION),
        ({**HEADER, "t": "icao.test"}, TEST),
        ({**HEADER, "t": " ICAO.VACC2"}, VACCINATION),
        ({**HEADER, "t": "other"}, VACCINATION),
        ({**HEADER, "t": 7}, TEST),
    ],
)
def test_health_content_stays_closed_unless_switched_on(header: dict[str, Any], message: dict[str, Any]):
    document = read(sealed(header, message))
    assert results(document)["health_content"] == ("not_done", "switched off")
    assert document.fields == {
        "issuing_state": "UTO",
        "name": "ERIKSSON ANNA MARIA",
        "date_of_birth": "1974-08-12",
        "document_number": "L898902C3",
    }


def test_other_types_come_out_whole():
    message = {"visaNumber": "7", "surname": "ERIKSSON"}
    document = read(sealed({**HEADER, "t": "icao.dta"}, message))
    assert document.fields["message"] == message
    assert results(document)["health_content"] == ("not_done", "not a health proof")
    assert results(document)["signature"] == ("ok", "")


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_es256_es384_and_es512_verify(curve: ec.EllipticCurve):
    signer = issue("NV", private_key=ec.generate_private_key(curve))
    assert results(read(sealed(signer=signer), trust=listed(signer)))["signature"] == ("ok", "")


@pytest.mark.parametrize(
    "change",
    [
        lambda seal: json.dumps(json.loads(seal), indent=2),
        lambda seal: json.dumps(json.loads(seal), sort_keys=False, ensure_ascii=True).encode(),
        lambda seal: json.dumps(dict(reversed(json.loads(seal).items()))),
        lambda seal: seal + b"\r\n\x03",
        lambda seal: seal.decode() + "\0",
    ],
)
def test_white_space_order_and_escapes_do_not_matter(change: Any):
    message = {**VACCINATION, "pid": {**VACCINATION["pid"], "n": "ERIKSSON ÅSA \u2028 𝔸"}}
    assert results(read(change(sealed(message=message))))["signature"] == ("ok", "")


@pytest.mark.parametrize("spell", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padding", ["", "="])
def test_base64_of_either_alphabet_with_and_without_padding_is_read(spell: Any, padding: str):
    seal = json.loads(sealed())
    for name in ("cer", "sigvl"):
        value = base64.urlsafe_b64decode(seal["sig"][name] + "==")
        seal["sig"][name] = spell(value).decode().rstrip("=") + padding * (-len(value) % 3)
    assert results(read(json.dumps(seal)))["signature"] == ("ok", "")


def changed(change: Any) -> str:
    seal = json.loads(sealed())
    change(seal)
    return json.dumps(seal)


def test_a_changed_message_is_forged_with_and_without_a_list():
    forged = changed(lambda seal: seal["data"]["msg"]["pid"].update(n="SOMEBODY ELSE"))
    assert results(read(forged))["signature"] == ("failed", "forged")
    assert results(read(forged))["signer"] == ("ok", "")
    expected = ("failed", "forged: not by the certificate in the seal")
    assert results(read(forged, trust=None))["signature"] == expected
    assert results(read(forged, trust=listed(issue("XX"))))["signature"] == expected


def test_one_wrong_character_anywhere_is_never_ok():
    seal = sealed().decode()
    for position in range(0, len(seal), 5):
        other = "A" if seal[position] != "A" else "B"
        found = results(read(seal[:position] + other + seal[position + 1 :]))
        last_of_base64 = seal[position + 1 : position + 2] == '"' and found["signature"][0] == "ok"
        assert found["signature"][0] != "ok" or last_of_base64, position


def test_unknown_expired_and_revoked_signers_are_told_apart():
    expired = issue("NV", not_after=date(2026, 11, 1))
    revoked = {"certificates": [hashlib.sha256(SIGNER.der).hexdigest()]}
    assert results(read(sealed(), trust=listed(issue("XX"))))["signature"] == ("doubtful", "unknown signer")
    assert results(read(sealed(), trust=None))["signature"] == ("not_done", "no trust list")
    assert results(read(sealed(signer=expired), trust=listed(expired)))["signer"] == ("failed", "expired signer")
    assert results(read(sealed(), trust=listed(SIGNER, revoked=revoked)))["signer"] == ("failed", "revoked signer")


def test_a_certificate_that_a_listed_authority_signed_counts():
    authority = issue("CSCA")
    signer = issue("NV", issuer=authority, usages=USAGE)
    trust = listed(authorities=[{"certificate": authority.base64, "state": "UTO"}])
    found = results(read(sealed(signer=signer), trust=trust))
    assert found["signature"] == found["signer"] == found["issuing_state"] == found["key_usage"] == ("ok", "")
    impostor = issue("NV", issuer=issue("CSCA"), usages=USAGE)
    assert results(read(sealed(signer=impostor), trust=trust))["signature"] == ("doubtful", "unknown signer")


def test_a_revoked_certificate_of_a_listed_authority_does_not_count():
    authority = issue("CSCA")
    signer = issue("NV", issuer=authority, serial=0x77)
    more = {
        "authorities": [{"certificate": authority.base64}],
        "revoked": {"serials": [{"country": "UT", "serial": "77"}]},
    }
    assert results(read(sealed(signer=signer), trust=listed(**more)))["signer"] == ("failed", "revoked signer")


def test_a_certificate_for_another_purpose_is_doubtful():
    signer = issue("NV", usages=("2.23.136.1.1.3",))
    found = results(read(sealed(signer=signer), trust=listed(signer)))
    assert found["key_usage"] == ("doubtful", "certificate does not name VDS-NC as its purpose")


def test_a_signer_of_one_state_cannot_seal_for_another():
    found = results(read(sealed({**HEADER, "is": "D"})))
    assert found["issuing_state"] == ("failed", "the signer is of another state")


@pytest.mark.parametrize(
    ("change", "check", "expected"),
    [
        (lambda seal: seal["sig"].update(alg="none"), "signature", ("not_done", "unsupported algorithm")),
        (lambda seal: seal["sig"].update(alg=7), "signature", ("not_done", "unsupported algorithm")),
        (lambda seal: seal["sig"].update(alg="ES384"), "signature", ("failed", "forged")),
        (lambda seal: seal["sig"].update(sigvl="?"), "signature", ("failed", "forged: sig.sigvl is not base64url")),
        (lambda seal: seal["sig"].pop("sigvl"), "signature", ("failed", "forged: sig.sigvl is not base64url")),
        (lambda seal: seal["sig"].update(sigvl=""), "signature", ("failed", "forged")),
        (lambda seal: seal["sig"].pop("cer"), "certificate", NO_CERTIFICATE),
        (
            lambda seal: seal["sig"].update(cer="AAAA"),
            "certificate",
            NO_CERTIFICATE,
        ),
        (lambda seal: seal["data"]["hdr"].pop("is"), "header", ("failed", "missing or malformed: is")),
        (lambda seal: seal["data"]["msg"].update(pid=7), "message", ("failed", "missing or malformed: pid.n")),
        (
            lambda seal: seal["data"]["msg"]["pid"].update(dob="?"),
            "message",
            NO_BIRTH,
        ),
        (lambda seal: seal["data"].update(x=2**60), "json", ("failed", "has no canonical form (RFC 8785)")),
    ],
)
def test_what_is_wrong_is_named_at_its_place(change: Any, check: str, expected: tuple[str, str]):
    assert results(read(changed(change)))[check] == expected


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff{",
        b'{"data":1,"sig":{}}',
        b'{"data":{"hdr":{}},"sig":{}}',
        b"[" * 65536,
        b'{"a":' * 10_000,
        b'{"data":{"hdr":{},"msg":{"a":' + b"[" * 200 + b"]" * 200 + b'}},"sig":{}}',
        b" " * 70_000,
        "\ud800",
    ],
)
def test_what_is_no_seal_is_unknown(payload: bytes | str):
    document = read(payload)
    assert document.kind == "unknown"
    assert results(document)["json"][0] == "failed"
    assert tuple(results(document)) == vds_nc.CHECKS


def test_encode_refuses_keys_without_an_algorithm_of_the_report():
    with pytest.raises(ValueError, match="P-256, P-384 or P-521"):
        sealed(signer=issue("NV", private_key=ec.generate_private_key(ec.SECP224R1())))


def test_encode_refuses_what_has_no_canonical_form():
    with pytest.raises(ValueError, match="canonical"):
        sealed(message={"n": float("nan")})


def test_a_signature_in_der_is_the_same_signature():
    seal = json.loads(sealed())
    canonical = json.dumps(seal["data"], sort_keys=True, separators=(",", ":")).encode()
    der = SIGNER.private_key.sign(canonical, ec.ECDSA(hashes.SHA256()))
    seal["sig"]["sigvl"] = base64.urlsafe_b64encode(der).decode()
    assert results(read(json.dumps(seal)))["signature"] == ("ok", "")


def test_a_signer_with_a_certificate_of_version_1_is_read():
    # VDS-NC-Examples.json of andypandy47/VDS-NC-Dotnet; version 1 is left out of the DER (RFC 5280, section 4.1.2.1)
    certificate = (
        "MIIBYDCCAQYCEQCAG8uscdLb0ppaneNN5sB7MAoGCCqGSM49BAMCMDIxIzAhBgNVBAMMGk5hdGlvbmFsIENTQ0Egb2YgRnJpZXNsYW5kMQsw"
        "CQYDVQQGEwJGUjAeFw0yMTA0MjcyMDQ3MDVaFw0yNjAzMTIyMDQ3MDVaMDYxJzAlBgNVBAMMHkRTQyBudW1iZXIgd29ya2VyIG9mIEZyaWVz"
        "bGFuZDELMAkGA1UEBhMCRlIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARkJeqyO85dyR-UrQ5Ey8EdgLyf9NtsCrwORAj6T68_elL19aoI"
        "SQDbzaNYJjdD77XdHtd-nFGTQVpB88wPTwgbMAoGCCqGSM49BAMCA0gAMEUCIQDvDacGFQO3tuATpoqf40CBv09nfglL3wh5wBwA1uA7lAIg"
        "Z4sOK2iaaTsFNqENAF7zi-d862ePRQ9Lwymr7XfwVm0="
    )
    dose = {"ctr": "UTO", "adm": "RIVM"}
    doses = [
        {"dvc": "2021-03-03", "seq": 1, **dose, "lot": "VC35679", "dvn": "2021-03-24"},
        {"dvc": "2021-03-24", "seq": 2, **dose, "lot": "VC87540"},
    ]
    message = {
        "uvci": "U32870",
        "pid": {"n": "Smith Bill", "dob": "1990-01-02", "sex": "M", "i": "A1234567Z", "ai": "L4567890Z"},
        "ve": [{"des": "XM68M6", "nam": "Comirnaty", "dis": "RA01.0", "vd": doses}],
    }
    signature = "ECDS51RInKaFMxE2dQKmE93SinhNBkCNLQeZ9qa5dBgq0ktpPIAXKt4HCY8LxcpRrbJzhBUyuiHwnaHCCiV6ew=="
    seal = {
        "data": {"hdr": {"t": "icao.vacc", "v": 1, "is": "UTO"}, "msg": message},
        "sig": {"alg": "ES256", "cer": certificate, "sigvl": signature},
    }
    found = results(vds_nc.parse(json.dumps(seal), today=TODAY))
    assert found["certificate"] == ("ok", "")
    assert found["signature"][0] == "not_done"  # it fits: else it would be forged even without a list


def test_no_verdict_and_no_repr_quotes_the_person():
    document = read(sealed(), health=True)
    said = repr(document) + repr(document.verdicts)
    assert not any(word in said for word in ("ERIKSSON", "L898902C3", "1974", "U32870"))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
_part = st.dictionaries(st.sampled_from(["t", "v", "is", "pid", "n", "ve", "alg", "cer", "sigvl"]), _json)


@given(_part, _part, _part)
@settings(max_examples=60, deadline=None)
def test_no_json_raises(header: Any, message: Any, seal: Any):
    document = read(json.dumps({"data": {"hdr": header, "msg": message}, "sig": seal}))
    assert tuple(results(document)) == vds_nc.CHECKS
    json.dumps(document.fields)


@given(st.binary(max_size=200))
@settings(max_examples=40, deadline=None)
def test_no_bytes_raise(payload: bytes):
    assert tuple(results(read(payload))) == vds_nc.CHECKS
