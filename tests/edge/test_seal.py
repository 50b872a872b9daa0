"""Signing and sealing: what is taken, and everything that is not."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey, OKPKey

from edge.errors import SealError
from edge.seal import (
    MAX_LETTER_BYTES,
    Opener,
    Sealer,
    Signer,
    Verifier,
    load_private_key,
    load_public_key,
    parse_key,
    unverified_header,
    unverified_payload,
)

SIGNING = OKPKey.generate_key("Ed25519")
CENTRE = OKPKey.generate_key("X25519")
SIGNER, VERIFIER = Signer(SIGNING), Verifier([SIGNING])
SEALER, OPENER = Sealer(CENTRE), Opener([CENTRE])
TYP = "landfall-record"


def jwk(key: OKPKey, *, private: bool = True) -> str:
    """Return a key as the text of a file."""
    return json.dumps(key.as_dict(private=private))


def segment(value: object) -> str:
    """Return a JWS or JWE segment of a JSON value."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def header(token: str) -> dict:
    """Return the protected header of a token."""
    first = token.partition(".")[0]
    return json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_key_that_only_its_owner_reads_is_taken(mode, tmp_path) -> None:
    path = tmp_path / "record.jwk"
    path.write_text(jwk(SIGNING), encoding="utf-8")
    path.chmod(mode)
    assert load_private_key(path).thumbprint() == SIGNING.thumbprint()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601, 0o602])
def test_a_private_key_that_others_may_touch_is_refused_with_what_to_do(mode, tmp_path) -> None:
    path = tmp_path / "record.jwk"
    path.write_text(jwk(SIGNING), encoding="utf-8")
    path.chmod(mode)
    with pytest.raises(SealError, match=rf"{path}: others may read this private key; chmod 0600 {path}"):
        load_private_key(path)


def test_a_public_key_in_place_of_a_private_one_is_refused(tmp_path) -> None:
    path = tmp_path / "record.jwk"
    path.write_text(jwk(SIGNING, private=False), encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(SealError, match="holds a public key, a private one is needed"):
        load_private_key(path)


def test_a_private_key_in_place_of_a_public_one_is_refused_so_that_no_kiosk_can_open_what_it_seals(tmp_path) -> None:
    path = tmp_path / "opening.pub.jwk"
    path.write_text(jwk(CENTRE), encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(SealError, match="holds a private key, a public one is needed; take that file away"):
        load_public_key(path)


def test_several_keys_where_one_is_needed_are_refused(tmp_path) -> None:
    path = tmp_path / "record.jwk"
    path.write_text(f'{{"keys":[{jwk(SIGNING)},{jwk(SIGNING)}]}}', encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(SealError, match=rf"{path}: holds 2 keys, one is needed"):
        load_private_key(path)


@pytest.mark.parametrize("load", [load_private_key, load_public_key])
def test_a_key_that_is_not_there_is_named(load, tmp_path) -> None:
    with pytest.raises(SealError, match=r"record\.jwk: cannot be read \(No such file"):
        load(tmp_path / "record.jwk")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "-----BEGIN PRIVATE KEY-----",
        '{"kty":"OKP"}',
        '{"kty":"OKP","crv":"Ed25519","x":"too short"}',
        '{"kty":"OKP","crv":"Ed448","x":""}',
        '{"kty":"OKP","crv":"Nonsense","x":"AAAA"}',
        '{"kty":"OKP","crv":"Ed25519","x":5}',
        pytest.param(json.dumps(OctKey.generate_key(256).as_dict(private=True)), id="symmetric"),
        pytest.param(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)), id="P-256"),
        pytest.param('{"a":' + "[" * 100_000, id="deep"),
        pytest.param("\udcff", id="no text"),
    ],
)
def test_what_is_no_key_of_ours_is_refused(text) -> None:
    with pytest.raises(SealError, match="is not a JWK of type OKP"):
        parse_key(text.encode("utf-8", "surrogateescape"))


def test_a_refused_key_is_not_quoted(tmp_path) -> None:
    path = tmp_path / "record.jwk"
    path.write_text('{"kty":"OKP","crv":"Ed25519","d":"SECRET","x":"SECRET"}', encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(SealError) as refused:
        load_private_key(path)
    assert "SECRET" not in str(refused.value)


def test_a_key_id_is_the_thumbprint_that_anybody_can_compute() -> None:
    rfc_8037 = parse_key('{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}')
    assert rfc_8037.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # RFC 8037, A.3


# --- signatures -------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
@settings(max_examples=30, deadline=None)
def test_what_was_signed_verifies(payload) -> None:
    assert VERIFIER.verify(SIGNER.sign(payload, TYP), TYP) == payload


def test_a_signature_says_algorithm_key_and_type() -> None:
    assert header(SIGNER.sign(b"x", TYP)) == {"alg": "Ed25519", "kid": SIGNING.thumbprint(), "typ": TYP}


def test_a_signature_made_for_one_thing_is_not_taken_for_another() -> None:
    with pytest.raises(SealError, match="signed as something else than landfall-receipt"):
        VERIFIER.verify(SIGNER.sign(b"x", TYP), "landfall-receipt")


def test_a_key_that_is_not_known_here_does_not_count() -> None:
    stranger = Signer(OKPKey.generate_key("Ed25519"))
    with pytest.raises(SealError, match="signed by a key that is not known here"):
        VERIFIER.verify(stranger.sign(b"x", TYP), TYP)


def test_a_stranger_with_a_known_key_id_does_not_count() -> None:
    forged = jws.serialize_compact(
        {"alg": "Ed25519", "kid": SIGNER.kid, "typ": TYP}, b"x", OKPKey.generate_key("Ed25519"), algorithms=["Ed25519"]
    )
    with pytest.raises(SealError, match="signature is not valid"):
        VERIFIER.verify(forged, TYP)


def test_two_keys_count_during_a_rotation() -> None:
    new = OKPKey.generate_key("Ed25519")
    both = Verifier([SIGNING, new])
    assert both.verify(SIGNER.sign(b"old", TYP), TYP) == b"old"
    assert both.verify(Signer(new).sign(b"new", TYP), TYP) == b"new"


def test_a_public_key_is_enough_to_verify() -> None:
    public = parse_key(jwk(SIGNING, private=False))
    assert Verifier([public]).verify(SIGNER.sign(b"x", TYP), TYP) == b"x"


@pytest.mark.parametrize("position", range(0, 240, 7))
def test_a_token_with_one_character_changed_is_refused(position) -> None:
    token = SIGNER.sign(b'{"sequence":7}', TYP)
    position %= len(token)
    other = "A" if token[position] != "A" else "B"
    with pytest.raises(SealError):
        VERIFIER.verify(token[:position] + other + token[position + 1 :], TYP)


def test_of_the_spellings_of_one_signature_only_the_canonical_one_is_taken() -> None:
    """64 bytes leave four bits of the last character unused, so that sixteen spellings decode alike."""
    token = SIGNER.sign(b"x", TYP)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    group = alphabet.index(token[-1]) // 16 * 16
    spellings = [token[:-1] + alphabet[n] for n in range(group, group + 16)]
    taken = []
    for spelling in [*spellings, token + "=", token + "==", token + "\n", " " + token]:
        try:
            VERIFIER.verify(spelling, TYP)
        except SealError:
            continue
        taken.append(spelling)
    assert taken == [token]


@pytest.mark.parametrize(
    "token",
    [
        f"{segment({'alg': 'none', 'typ': TYP})}.{segment(b'x')}.",
        f"{segment({'alg': 'none', 'kid': SIGNER.kid, 'typ': TYP})}.{segment(b'x')}.",
        jws.serialize_compact(
            {"alg": "HS256", "kid": SIGNER.kid, "typ": TYP},
            b"x",
            OctKey.import_key(SIGNING.as_dict(private=False)["x"] + "0000"),
            algorithms=["HS256"],
        ),
        f"{segment({'alg': 'Ed25519', 'typ': TYP})}.{segment(b'x')}.{segment(b'0' * 64)}",
        f"{segment({'alg': 'Ed25519', 'kid': [1], 'typ': TYP})}.{segment(b'x')}.{segment(b'0' * 64)}",
        f"{segment([1])}.{segment(b'x')}.{segment(b'0' * 64)}",
        f"{segment(b'[' * 50_000)}.{segment(b'x')}.{segment(b'0' * 64)}",
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "é.é.é",
        "x" * 100_000,
    ],
    ids=lambda token: repr(token[:16]),
)
def test_a_token_of_another_make_is_refused(token) -> None:
    with pytest.raises(SealError):
        VERIFIER.verify(token, TYP)


def test_a_critical_header_that_nobody_here_understands_is_refused() -> None:
    first = {"alg": "Ed25519", "kid": SIGNER.kid, "typ": TYP, "crit": ["exp"], "exp": 1}
    signed = f"{segment(first)}.{segment(b'x')}"
    signature = SIGNING.private_key.sign(signed.encode())
    with pytest.raises(SealError):
        VERIFIER.verify(f"{signed}.{segment(signature)}", TYP)


def test_no_refusal_quotes_what_was_signed() -> None:
    token = SIGNER.sign(b"ERIKSSON", "something-else")
    with pytest.raises(SealError) as refused:
        VERIFIER.verify(token, TYP)
    assert "ERIKSSON" not in str(refused.value) and "RVJJS1NTT04" not in str(refused.value)


# --- letters ----------------------------------------------------------------------------------------------------------


@given(st.binary(min_size=1, max_size=300), st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_centre_opens_what_was_sealed_to_it(plaintext, deflate) -> None:
    assert OPENER.open(SEALER.seal(plaintext, deflate=deflate)) == plaintext


def test_a_letter_says_the_contracts_algorithms_and_shows_nothing() -> None:
    letter = SEALER.seal(b"ERIKSSON")
    found = header(letter)
    assert (found["alg"], found["enc"], found["kid"]) == ("ECDH-ES", "A256GCM", CENTRE.thumbprint())
    assert found["epk"]["crv"] == "X25519" and "d" not in found["epk"] and "zip" not in found


def test_no_two_letters_share_their_key() -> None:
    assert header(SEALER.seal(b"x"))["epk"] != header(SEALER.seal(b"x"))["epk"]


def test_who_sealed_a_letter_cannot_open_it() -> None:
    public = parse_key(jwk(CENTRE, private=False))
    letter = Sealer(public).seal(b"x")
    with pytest.raises(SealError, match="cannot be opened"):
        Opener([public]).open(letter)


def test_a_letter_to_another_key_is_not_opened() -> None:
    with pytest.raises(SealError, match="sealed to a key that is not known here"):
        OPENER.open(Sealer(OKPKey.generate_key("X25519")).seal(b"x"))


def test_letters_to_an_old_key_are_opened_after_a_rotation() -> None:
    assert Opener([OKPKey.generate_key("X25519"), CENTRE]).open(SEALER.seal(b"x")) == b"x"


@pytest.mark.parametrize("part", [0, 2, 3, 4])
def test_a_letter_that_was_altered_is_not_opened(part) -> None:
    parts = SEALER.seal(b"a letter of some length").split(".")
    parts[part] = ("B" if parts[part][0] == "A" else "A") + parts[part][1:]
    with pytest.raises(SealError):
        OPENER.open(".".join(parts))


@pytest.mark.parametrize(
    "letter", ["", "....", "a.b.c.d.e", "x" * 10_000, "é....", f"{segment(b'[' * 50_000)}....", SIGNER.sign(b"x", TYP)]
)
def test_what_is_no_letter_is_not_opened(letter) -> None:
    with pytest.raises(SealError):
        OPENER.open(letter)


@pytest.mark.parametrize(
    ("alg", "enc"), [("ECDH-ES+A256KW", "A256GCM"), ("ECDH-ES", "A128GCM"), ("ECDH-ES", "A128CBC-HS256")]
)
def test_a_letter_by_other_algorithms_is_not_opened(alg, enc) -> None:
    registry = jwe.JWERegistry(algorithms=[alg, enc])
    letter = jwe.encrypt_compact({"alg": alg, "enc": enc, "kid": CENTRE.thumbprint()}, b"x", CENTRE, registry=registry)
    with pytest.raises(SealError):
        OPENER.open(letter)


def test_a_photo_of_some_hundred_kilobytes_fits_a_letter() -> None:
    photo = bytes(range(256)) * 2000
    assert OPENER.open(SEALER.seal(photo, deflate=True)) == photo


def test_a_bomb_does_not_fill_the_memory() -> None:
    registry = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM", "DEF"])
    protected = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": CENTRE.thumbprint(), "zip": "DEF"}
    bomb = jwe.encrypt_compact(protected, bytes(50 * 1024 * 1024), CENTRE, registry=registry)
    assert len(bomb) < 100_000
    with pytest.raises(SealError, match="cannot be opened"):
        OPENER.open(bomb)


def test_a_letter_that_is_too_large_is_not_opened() -> None:
    letter = f"{header_segment()}..{segment(b'0' * 12)}.{'A' * (MAX_LETTER_BYTES + 4)}.{segment(b'0' * 16)}"
    with pytest.raises(SealError):
        OPENER.open(letter)


def header_segment() -> str:
    """Return the protected header of a real letter."""
    return SEALER.seal(b"x").partition(".")[0]


def test_a_token_that_nobody_verified_can_be_looked_at() -> None:
    key, centre = OKPKey.generate_key("Ed25519"), OKPKey.generate_key("X25519")
    signed, sealed = Signer(key).sign(b"said", "landfall-record"), Sealer(centre).seal(b"secret")
    assert unverified_header(signed)["kid"] == key.thumbprint()
    assert unverified_payload(signed) == b"said"
    assert unverified_header(sealed)["kid"] == centre.thumbprint()


@pytest.mark.parametrize("token", ["", "a.b.c", "a.b.c.d.e", "é.b.c", "..", "...."])
def test_what_is_no_token_cannot_be_looked_at(token) -> None:
    with pytest.raises(SealError):
        unverified_header(token)
    with pytest.raises(SealError):
        unverified_payload(token)
